/**
 * The public entry `tenure/express`: Tenure for applications made with Express. Re-exports only.
 */
export { type AdmissionHandler, admitRequests } from './admission/express.ts';
export { ticketOf } from './admission/node-request.ts';
export type { AdmitRequestsOptions } from './admission/request-gate.ts';
