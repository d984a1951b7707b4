/**
 * The public entry `tenure/fastify`: Tenure for applications made with Fastify. Re-exports only.
 */
export { admitRequests } from './integrations/admission/fastify.ts';
export { ticketOf } from './integrations/admission/node-request.ts';
export type { AdmitRequestsOptions } from './integrations/admission/request-gate.ts';
