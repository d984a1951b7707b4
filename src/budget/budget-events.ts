/** What the budget tells: one event for each outcome, flat and safe to send. */
import type { TenureEventBase } from '../base/events.ts';
import type { Level } from '../base/levels.ts';

/** Bytes were asked back from consumers: what for, what they claimed, and what the books show. */
export interface ReclaimedEvent extends TenureEventBase {
  readonly type: 'budget.reclaimed';
  /** Path of the budget the bytes were reclaimed for. */
  readonly path: string;
  /** `request`: somebody called `reclaim`; `growth`: a waiting `grow` needed room; `limit`: a limit was lowered under what it held. */
  readonly cause: 'request' | 'growth' | 'limit';
  readonly level: Level;
  readonly targetBytes: number;
  readonly claimedBytes: number;
  readonly accountedBytes: number;
  readonly tookMs: number;
  readonly end: ReclaimEnd;
  /** Paths of the consumers that were asked, in order. */
  readonly asked: readonly string[];
}

/** Why a reclaim ended: target reached, nobody left to ask, time over, or called off (its signal, or close). */
export type ReclaimEnd = 'reached' | 'exhausted' | 'deadline' | 'aborted';

/** A `grow` was refused. A `tryGrow` that returns false tells nobody: it is an answer, not an outcome. */
export interface RefusedEvent extends TenureEventBase {
  readonly type: 'budget.refused';
  /** Path of the account without room. */
  readonly path: string;
  readonly consumer: string;
  readonly requestBytes: number;
  readonly limitBytes: number;
  readonly reservedBytes: number;
  readonly reason: 'too_large' | 'timeout';
  readonly waitedMs: number;
  /** The largest under that account, as `path 12 MB`. */
  readonly holders: readonly string[];
}

/** A consumer was closed while its reservations still held bytes. */
export interface LeakedEvent extends TenureEventBase {
  readonly type: 'budget.leaked';
  readonly path: string;
  readonly bytes: number;
  readonly reservations: number;
}

/**
 * How a consumer failed when it was asked: it threw, did not answer in time, answered with something that is no size,
 * claimed more than the books show, gave back far more than was asked, or fell below its own minimum.
 */
export type ConsumerFailure = 'threw' | 'hung' | 'invalid_answer' | 'overclaimed' | 'overdelivered' | 'below_minimum';

/** A consumer broke its word; it is left alone for `quarantineMs` and believed less afterwards. */
export interface ConsumerFailedEvent extends TenureEventBase {
  readonly type: 'budget.consumer_failed';
  readonly path: string;
  readonly failure: ConsumerFailure;
  readonly message: string;
  readonly askedBytes: number;
  readonly claimedBytes: number;
  readonly accountedBytes: number;
  /** Failures not yet made good. */
  readonly strikes: number;
  readonly quarantineMs: number;
}

export type BudgetEvent = ReclaimedEvent | RefusedEvent | LeakedEvent | ConsumerFailedEvent;
