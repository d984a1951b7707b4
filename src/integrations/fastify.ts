/**
 * The public entry `tenure/fastify`: Tenure for applications made with Fastify. Re-exports only.
 */
export { admitRequests } from './admission/fastify.ts';
export { ticketOf } from './admission/node-request.ts';
export type { AdmitRequestsOptions } from './admission/request-gate.ts';
