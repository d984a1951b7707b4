/**
 * The public entry `tenure/hono`: Tenure for applications made with Hono. Re-exports only.
 */
export {
  type AdmissionEnvironment,
  admitRequests,
  type HonoAdmitRequestsOptions,
} from './admission/hono.ts';
