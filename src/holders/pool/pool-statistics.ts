/** What a pool tells of itself: gauges and counts, all read in constant time. */
import type { DestroyCause } from './pool-events.ts';

/** The state of a pool and what has happened since it was made. */
export interface PoolStatistics {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Objects alive: borrowed, idle, being checked or reset, being destroyed. */
  readonly size: number;
  readonly borrowed: number;
  readonly idle: number;
  /** Being made now. */
  readonly creating: number;
  readonly waiting: number;
  /** Charged to the budget. */
  readonly bytes: number;
  readonly created: number;
  /** Leases granted. */
  readonly borrows: number;
  readonly destroyed: Readonly<Record<DestroyCause, number>>;
  /** Waits that ended with `PoolTimeoutError`. */
  readonly timeouts: number;
  /** Refused at once with `PoolQueueFullError`. */
  readonly refusals: number;
  readonly createErrors: number;
  /** Checks and resets that failed. */
  readonly checkErrors: number;
  readonly destroyErrors: number;
  readonly heldTooLong: number;
  readonly abandoned: number;
  readonly returnedTwice: number;
  /** Waits of all borrows, those that were served at once included, in milliseconds; within 19 %. */
  readonly waitMs: { readonly p50: number; readonly p99: number };
}
