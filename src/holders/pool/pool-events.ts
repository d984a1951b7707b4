/** What pools tell: one event for each outcome, flat and safe to send. */
import type { TenureEventBase } from '../../base/events.ts';

/** Why an object was destroyed. */
export const DESTROY_CAUSES = [
  'idle',
  'lifetime',
  'uses',
  'check',
  'reset',
  'broken',
  'abandoned',
  'reclaim',
  'budget',
  'surplus',
  'close',
  'late',
] as const;

/**
 * Idle for too long; past its lifetime; used up; failed its check; failed its reset; said to be broken; its lease was dropped without
 * being returned; the budget asked; it turned out larger than the budget has room for; more than `max` after a resize; the
 * pool closed; made after its time-out.
 */
export type DestroyCause = (typeof DESTROY_CAUSES)[number];

/** The factory failed: threw, took too long, or returned what cannot be pooled. */
export interface PoolCreateFailedEvent extends TenureEventBase {
  readonly type: 'pool.create_failed';
  readonly pool: string;
  /** Attempts in a row that failed, this one included; those that ran together count once. */
  readonly attempt: number;
  readonly message: string;
  /** When the next attempt may be made, in milliseconds from now. */
  readonly retryMs: number;
}

/** An object did not pass its check or its reset, and is destroyed. */
export interface PoolCheckFailedEvent extends TenureEventBase {
  readonly type: 'pool.check_failed';
  readonly pool: string;
  readonly action: 'check' | 'reset';
  readonly message: string;
}

/** `destroy` failed or took too long; the object is out of the pool all the same. */
export interface PoolDestroyFailedEvent extends TenureEventBase {
  readonly type: 'pool.destroy_failed';
  readonly pool: string;
  readonly cause: DestroyCause;
  readonly message: string;
}

/** Somebody wanted an object and was refused. Told at most once a second, with how many there were. */
export interface PoolExhaustedEvent extends TenureEventBase {
  readonly type: 'pool.exhausted';
  readonly pool: string;
  /** Of the last one: nothing came free in time, or too many wait already. */
  readonly reason: 'timeout' | 'queue_full';
  /** Refusals since the last such event. */
  readonly refusals: number;
  readonly max: number;
  readonly size: number;
  readonly borrowed: number;
  readonly waiting: number;
}

/** A lease is out for longer than it should be; told once for each lease. */
export interface PoolLeaseHeldTooLongEvent extends TenureEventBase {
  readonly type: 'pool.lease_held_too_long';
  readonly pool: string;
  readonly heldMs: number;
  /** The stack of where it was borrowed; null where that was not noted. */
  readonly site: string | null;
}

/** A lease was dropped without being returned; its object is destroyed. */
export interface PoolLeaseAbandonedEvent extends TenureEventBase {
  readonly type: 'pool.lease_abandoned';
  readonly pool: string;
  readonly heldMs: number;
  readonly site: string | null;
}

/** A lease was returned a second time. */
export interface PoolLeaseReturnedTwiceEvent extends TenureEventBase {
  readonly type: 'pool.lease_returned_twice';
  readonly pool: string;
}

/** A pool closed with leases still out; their objects were taken away. */
export interface PoolLeasesLeftEvent extends TenureEventBase {
  readonly type: 'pool.leases_left';
  readonly pool: string;
  readonly leases: number;
  /** Stacks of where they were borrowed, as far as that was noted. */
  readonly sites: readonly string[];
}

/** Everything a pool tells, told apart by `type`. */
export type PoolEvent =
  | PoolCreateFailedEvent
  | PoolCheckFailedEvent
  | PoolDestroyFailedEvent
  | PoolExhaustedEvent
  | PoolLeaseHeldTooLongEvent
  | PoolLeaseAbandonedEvent
  | PoolLeaseReturnedTwiceEvent
  | PoolLeasesLeftEvent;
