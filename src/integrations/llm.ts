/**
 * The public entry `tenure/llm`: clients of language models in a pool, with a rate and a breaker. Re-exports only.
 */
export { type BreakerPort, LlmPool, type LlmPoolOptions, type LlmRequestOptions } from './llm/llm-pool.ts';
export { LlmRateLimitError, RequestRate } from './llm/request-rate.ts';
