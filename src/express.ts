/**
 * The public entry `tenure/express`: Tenure for applications made with Express. Re-exports only.
 */
export { type AdmissionHandler, admitRequests } from './integrations/admission/express.ts';
export { ticketOf } from './integrations/admission/node-request.ts';
export type { AdmitRequestsOptions } from './integrations/admission/request-gate.ts';
