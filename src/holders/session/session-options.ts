/** What a session pool is made of, and whether that makes sense. */
import { MIB, requireBytes } from '../../base/bytes.ts';
import { type Clock, checkedDelay, systemClock } from '../../base/clock.ts';
import { InvalidArgumentError } from '../../base/errors.ts';
import { type EventSink, guardedSink } from '../../base/events.ts';
import type { Budget } from '../../budget/budget.ts';
import type { QuotaBook } from '../../budget/quota.ts';
import type { SessionStore } from '../../storage/session-store.ts';
import type { SessionCodec } from './codec.ts';
import type { SessionEvent } from './session-events.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** A hundred years: longer is a mistake, and further out the arithmetic of dates ends. */
const LONGEST_TTL_MS = 36_525 * DAY_MS;
const LONGEST_ID = 256;

/** What a pool is made of. Only `store` and `budget` have no default. */
export interface SessionPoolOptions<V = unknown> {
  /** Where sessions are durable. The pool does not close it. */
  readonly store: SessionStore;
  /** Where the bytes of live sessions are counted. */
  readonly budget: Budget;
  /** Name of the consumer, and in events; `sessions` by default. */
  readonly name?: string;
  /** Most sessions in memory; 500 by default. The least recently used one leaves for the disk. */
  readonly max?: number;
  /** A session unused for so long leaves memory, in milliseconds; 30 minutes by default. */
  readonly idleMs?: number;
  /** How long after its last use a session is kept on the disk, in milliseconds, 1 to 100 years; 30 days by default. */
  readonly ttlMs?: number;
  /** Every use begins `ttlMs` anew, which is the default; else only `touch` does. */
  readonly isRolling?: boolean;
  /** Largest session, value and items together, encoded; 4 MB by default. */
  readonly maxSessionBytes?: number;
  /**
   * `write-through`, the default: what was acknowledged is on the disk. `write-back`: changes of a live session are acknowledged in memory and
   * written within `flushMs`, when it leaves memory, and on close; a crash loses what was not written.
   */
  readonly durability?: 'write-through' | 'write-back';
  /** Changes not yet written, and expiry, go to the disk so often, in milliseconds; 1,000 by default. */
  readonly flushMs?: number;
  /** Other processes may change the same sessions, which is the default. Without them a live session is answered without a question to the store. */
  readonly isShared?: boolean;
  /**
   * Makes one value of two: `mine` was made from a version that is not the newest, `theirs` is. Must return a new value. Without it a
   * stale write is refused.
   */
  merge?(sides: { readonly theirs: V; readonly mine: V }): V;
  /** JSON by default. */
  readonly codec?: SessionCodec;
  /** Sessions larger than this, encoded, are deflated when they leave memory for being idle; never by default. */
  readonly compressAboveBytes?: number;
  /** Changes that may wait for one session; 1,000 by default. */
  readonly maxWaiting?: number;
  /** How long a function handed to `update` may take, in milliseconds; 30,000 by default. */
  readonly updateTimeoutMs?: number;
  /** How long reading a session waits for room in the budget before it is served without being kept, in milliseconds; 0 by default. */
  readonly roomTimeoutMs?: number;
  /** Expired sessions are removed from the disk so often, in milliseconds; 10 minutes by default. */
  readonly purgeMs?: number;
  /** When the budget asks this one; 3 by default: after caches, for a session costs a read of the disk. */
  readonly priority?: number;
  readonly weight?: number;
  readonly minBytes?: number;
  readonly maxBytes?: number;
  /** What each owner may hold in memory. */
  readonly quotas?: QuotaBook;
  readonly clock?: Clock;
  readonly emit?: EventSink<SessionEvent>;
}

type Defaulted =
  | 'name'
  | 'max'
  | 'idleMs'
  | 'ttlMs'
  | 'isRolling'
  | 'maxSessionBytes'
  | 'durability'
  | 'flushMs'
  | 'isShared'
  | 'maxWaiting'
  | 'updateTimeoutMs'
  | 'roomTimeoutMs'
  | 'purgeMs'
  | 'priority'
  | 'clock'
  | 'emit';

export type FilledOptions<V> = SessionPoolOptions<V> & Required<Pick<SessionPoolOptions<V>, Defaulted>>;

/** @throws InvalidArgumentError for anything outside its range. */
export function filledOptions<V>(given: SessionPoolOptions<V>): FilledOptions<V> {
  const options: FilledOptions<V> = {
    name: 'sessions',
    max: 500,
    idleMs: 30 * MINUTE_MS,
    ttlMs: 30 * DAY_MS,
    isRolling: true,
    maxSessionBytes: 4 * MIB,
    durability: 'write-through',
    flushMs: 1_000,
    isShared: true,
    maxWaiting: 1_000,
    updateTimeoutMs: 30_000,
    roomTimeoutMs: 0,
    purgeMs: 10 * MINUTE_MS,
    priority: 3,
    clock: systemClock,
    ...(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as typeof given),
    emit: guardedSink(given.emit),
  };
  requireCount(options.max, 'max', 1);
  requireCount(options.maxWaiting, 'maxWaiting', 0);
  for (const name of ['idleMs', 'flushMs', 'purgeMs', 'updateTimeoutMs'] as const) requireDelay(options[name], name, 1);
  requireDelay(options.roomTimeoutMs, 'roomTimeoutMs', 0);
  requireTtl(options.ttlMs);
  requireBytes(options.maxSessionBytes, 'maxSessionBytes');
  if (options.compressAboveBytes !== undefined) requireBytes(options.compressAboveBytes, 'compressAboveBytes');
  if (options.durability !== 'write-through' && options.durability !== 'write-back') {
    throw new InvalidArgumentError(
      'durability',
      `must be write-through or write-back; got ${String(options.durability)}.`,
    );
  }
  for (const name of ['merge', 'emit'] as const) {
    if (given[name] !== undefined && typeof given[name] !== 'function') {
      throw new InvalidArgumentError(name, 'must be a function.');
    }
  }
  const { codec } = options;
  if (codec !== undefined && (typeof codec?.encode !== 'function' || typeof codec.decode !== 'function')) {
    throw new InvalidArgumentError('codec', 'must have the methods encode() and decode().');
  }
  return options;
}

/** @throws InvalidArgumentError */
export function requireTtl(ttlMs: number): number {
  if (!(typeof ttlMs === 'number' && ttlMs >= 1 && ttlMs <= LONGEST_TTL_MS)) {
    throw new InvalidArgumentError(
      'ttlMs',
      `must be a number of milliseconds from 1 to 100 years; got ${String(ttlMs)}.`,
    );
  }
  return Math.ceil(ttlMs);
}

/** @throws InvalidArgumentError */
export function requireSessionId(id: string, argument = 'id'): string {
  const isId =
    typeof id === 'string' && id !== '' && id.length <= LONGEST_ID && id.isWellFormed() && !id.includes('\0');
  if (!isId) throw new InvalidArgumentError(argument, `must be a string of 1 to ${LONGEST_ID} characters without NUL.`);
  return id;
}

/** @throws InvalidArgumentError */
export function requireOwner(owner: string | null | undefined): string | null {
  if (owner === undefined || owner === null) return null;
  return requireSessionId(owner, 'owner');
}

/** @throws InvalidArgumentError */
export function requireCount(value: number, argument: string, least: number): number {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new InvalidArgumentError(argument, `must be a whole number, ${least} or more; got ${String(value)}.`);
  }
  return value;
}

/** @throws InvalidArgumentError */
export function requireItems(items: readonly unknown[]): void {
  if (!Array.isArray(items)) throw new InvalidArgumentError('items', 'must be a list.');
}

function requireDelay(value: number, argument: string, leastMs: number): void {
  let isDelay = true;
  try {
    checkedDelay(value);
  } catch {
    isDelay = false;
  }
  if (!isDelay || value < leastMs) {
    throw new InvalidArgumentError(
      argument,
      `must be a number of milliseconds from ${leastMs} to 2^31 - 1; got ${String(value)}.`,
    );
  }
}
