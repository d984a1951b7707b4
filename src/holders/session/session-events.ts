/** What a session pool tells: one event for each outcome, flat, and without any id of a session. */
import type { TenureEventBase } from '../../base/events.ts';

/** Sessions left memory for the disk: they were idle, or their bytes were wanted. Those that make room for another are only counted. */
export interface SessionsSpilledEvent extends TenureEventBase {
  readonly type: 'sessions.spilled';
  readonly pool: string;
  readonly cause: 'idle' | 'pressure';
  readonly sessions: number;
  readonly bytes: number;
}

/** The store refused what had to be written in the background. Nothing is lost: it stays in memory and is tried again. */
export interface SessionsWriteFailedEvent extends TenureEventBase {
  readonly type: 'sessions.write_failed';
  readonly pool: string;
  /** What was written: changed sessions, or only when they expire. */
  readonly what: 'changes' | 'expiry' | 'purge' | 'packing';
  readonly sessions: number;
  readonly code: string;
  readonly message: string;
}

/**
 * A pool that writes back found that another process had written the session meanwhile, and there is no merge: the other value stands, for
 * it was durable first. Items that were appended are kept.
 */
export interface SessionWriteLostEvent extends TenureEventBase {
  readonly type: 'sessions.write_lost';
  readonly pool: string;
  /** Stands for the id. */
  readonly session: string;
  readonly expectedVersion: number;
  readonly actualVersion: number | null;
}

/** What is kept of a session cannot be decoded. */
export interface SessionDamagedEvent extends TenureEventBase {
  readonly type: 'sessions.damaged';
  readonly pool: string;
  /** Stands for the id. */
  readonly session: string;
  readonly message: string;
}

/** Expired sessions were removed from the disk, for good. */
export interface SessionsPurgedEvent extends TenureEventBase {
  readonly type: 'sessions.purged';
  readonly pool: string;
  readonly sessions: number;
}

/** Everything a session pool tells, told apart by `type`. */
export type SessionEvent =
  | SessionsSpilledEvent
  | SessionsWriteFailedEvent
  | SessionWriteLostEvent
  | SessionDamagedEvent
  | SessionsPurgedEvent;
