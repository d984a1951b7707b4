/** The figures of a cache: plain counters while it runs, one object when asked. */
import { EVICTION_CAUSES, type EvictionCause, REFUSAL_CAUSES, type RefusalCause } from './cache-options.ts';

/** Figures since the cache was made. */
export interface CacheStatistics {
  readonly name: string;
  readonly policy: string;
  readonly entries: number;
  /** What the entries take, our own structures included. */
  readonly bytes: number;
  /** What of it is expired and not dropped yet. */
  readonly expiredBytes: number;
  /** What the budget has reserved for it: bytes and a little slack. */
  readonly reservedBytes: number;
  readonly peakBytes: number;
  readonly maxBytes: number | null;
  readonly maxEntries: number | null;
  readonly hits: number;
  readonly misses: number;
  /** Hits of all reads; 0 before the first. */
  readonly hitRatio: number;
  /** Values kept. */
  readonly sets: number;
  /** Values not kept, by cause. */
  readonly refusals: Readonly<Record<RefusalCause, number>>;
  /** Entries that left, by cause. */
  readonly evictions: Readonly<Record<EvictionCause, number>>;
  /** Computations started by `getOrCompute`, those that failed, and those whose result came too late to be kept. */
  readonly computations: number;
  readonly computationErrors: number;
  readonly lateResults: number;
  /** Computations under way. */
  readonly computing: number;
  /** What `sizeOf` and `onEvict` threw. */
  readonly callbackErrors: number;
}

export class CacheCounters {
  hits = 0;
  misses = 0;
  sets = 0;
  computations = 0;
  computationErrors = 0;
  lateResults = 0;
  callbackErrors = 0;
  readonly refusals = zeros(REFUSAL_CAUSES);
  readonly evictions = zeros(EVICTION_CAUSES);
}

function zeros<C extends string>(causes: readonly C[]): Record<C, number> {
  return Object.fromEntries(causes.map((cause) => [cause, 0])) as Record<C, number>;
}
