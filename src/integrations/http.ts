/**
 * The public entry `tenure/http`: outgoing connections of `http`, `https` and undici under the budget. Re-exports only.
 */
export { HttpPool, type HttpPoolOptions } from './http/http-pool.ts';
export type { UndiciAgentOptions, UndiciModule } from './http/undici-agent.ts';
