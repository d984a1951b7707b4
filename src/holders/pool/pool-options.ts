/** What a pool is made of: the options with their defaults, and their check. */
import { type Clock, checkedDelay, systemClock } from '../../base/clock.ts';
import { InvalidArgumentError } from '../../base/errors.ts';
import { type EventSink, guardedSink } from '../../base/events.ts';
import type { Level } from '../../base/levels.ts';
import { type Random, seededRandom } from '../../base/random.ts';
import type { Budget } from '../../budget/budget.ts';
import type { Residence } from '../../budget/consumer.ts';
import type { PoolEvent } from './pool-events.ts';

/** What ready-made pools hand on: everything but how their object is made, checked and destroyed. */
export interface PoolSettings {
  /** Name of the pool and of its consumer in the budget. */
  readonly name: string;
  /** Objects kept even when idle; 0 by default. They are made in the background from the start. */
  readonly min?: number;
  /** Objects alive at once, at most; 10 by default. One that is being destroyed still counts. */
  readonly max?: number;
  /** How long an `acquire` waits, 0 to 2^31 - 1 ms; 30,000 by default. */
  readonly acquireTimeoutMs?: number;
  /** How many may wait; one more is refused at once. 1,000 by default. */
  readonly maxWaiting?: number;
  /** How long one attempt to create may take; 10,000 ms by default. An object that comes later is destroyed. */
  readonly createTimeoutMs?: number;
  /** Failed attempts in a row before waiters are told; 3 by default. */
  readonly createAttempts?: number;
  /** Pause after the first failed attempt; it doubles with each further one. 100 ms by default. */
  readonly backoffMs?: number;
  /** The longest pause between attempts; 5,000 ms by default. */
  readonly longestBackoffMs?: number;
  /** How long a check or a reset may take; 5,000 ms by default. */
  readonly checkTimeoutMs?: number;
  /** Checked when borrowed if not known to be good for so long: 0 always, `Infinity` never; 1,000 ms by default. */
  readonly checkAfterIdleMs?: number;
  /** Checked while idle so often; `Infinity` for never; 30,000 ms by default. */
  readonly checkIntervalMs?: number;
  /** How long destroying may take before the pool goes on without it; 5,000 ms by default. */
  readonly destroyTimeoutMs?: number;
  /** Idle objects above `min` are destroyed after this time; `Infinity` for never; 60,000 ms by default. */
  readonly idleTimeoutMs?: number;
  /** An object is replaced after this time; `Infinity`, so never, by default. */
  readonly maxLifetimeMs?: number;
  /** By up to this share of it a lifetime is shorter, by chance, so that not all end together; 0.1 by default. */
  readonly lifetimeJitter?: number;
  /** An object is replaced after so many leases; `Infinity`, so never, by default. */
  readonly maxUses?: number;
  /** A lease out for longer is reported, once; `Infinity` for never; 60,000 ms by default. */
  readonly heldTooLongMs?: number;
  /**
   * Whether the place of each borrow is noted, for reports of leases held too long. `sampled` (the default) notes one in 256, and every one
   * for a while after a report that had no place to tell; a note costs microseconds.
   */
  readonly trackBorrowers?: boolean | 'sampled';
  /** Whether a lease that was dropped without being returned is found and its object destroyed; true by default. */
  readonly watchAbandoned?: boolean;
  /** How long `close` waits for leases; 10,000 ms by default. */
  readonly closeTimeoutMs?: number;
  /** Where its bytes are counted; nowhere by default. */
  readonly budget?: Budget;
  /** Where the objects live; `native` by default. */
  readonly where?: Residence;
  /** 1 to 10: 10 gives first; 7 by default. */
  readonly priority?: number;
  /** Fair share against other consumers; positive, 1 by default. */
  readonly weight?: number;
  /**
   * How bad pressure is now. With it, at `critical` idle objects within `min` are given up as well; they are made again when it is
   * over.
   */
  readonly level?: () => Level;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly emit?: EventSink<PoolEvent>;
}

/** What an `ObjectPool` is made of. */
export interface PoolOptions<T> extends PoolSettings {
  /**
   * Makes a new object. The signal aborts when it takes too long, or the pool closes. What is returned after that is destroyed.
   */
  create(signal: AbortSignal): T | PromiseLike<T>;
  /** Destroys an object. What it throws is counted and told; the object is gone for the pool all the same. */
  destroy?(object: T, signal: AbortSignal): unknown;
  /** Whether the object still works; false, or a throw, has it destroyed. */
  check?(object: T, signal: AbortSignal): boolean | PromiseLike<boolean>;
  /** Makes a returned object ready for the next; a throw has it destroyed. The next waits for it. */
  reset?(object: T, signal: AbortSignal): unknown;
  /**
   * What one object takes, in bytes, as the budget is charged: a number, or a function of the object; 65,536 by default. With a function the last
   * size is charged before the next object is made, and put right when it is there.
   */
  readonly bytesPerObject?: number | ((object: T) => number);
}

/** The options with every default filled in. */
export type CheckedOptions<T> = Required<Omit<PoolOptions<T>, Unset>> & {
  readonly [Name in Unset]: PoolOptions<T>[Name] | undefined;
};
type Unset = 'destroy' | 'check' | 'reset' | 'budget' | 'level' | 'weight';

const MOST_OBJECTS = 1_000_000;

/** @throws InvalidArgumentError for whatever is outside its range. */
export function checkedOptions<T>(options: PoolOptions<T>): CheckedOptions<T> {
  if (typeof options?.name !== 'string' || options.name === '') {
    throw new InvalidArgumentError('name', 'must be a text that names the pool.');
  }
  requireCallback(options.create, 'create');
  for (const name of ['destroy', 'check', 'reset', 'level', 'emit', 'random'] as const) {
    if (options[name] !== undefined) requireCallback(options[name], name);
  }
  const { bytesPerObject = 65_536, trackBorrowers = 'sampled' } = options;
  if (typeof bytesPerObject !== 'function') requireCount(bytesPerObject, 'bytesPerObject', { least: 0 });
  if (typeof trackBorrowers !== 'boolean' && trackBorrowers !== 'sampled') {
    throw new InvalidArgumentError(
      'trackBorrowers',
      `must be true, false or 'sampled'; got ${String(trackBorrowers)}.`,
    );
  }
  return {
    ...checkedNumbers(options),
    ...checkedSize(options.min ?? 0, options.max ?? 10),
    name: options.name,
    create: options.create.bind(options),
    destroy: options.destroy?.bind(options),
    check: options.check?.bind(options),
    ...(options.check === undefined && { checkAfterIdleMs: Number.POSITIVE_INFINITY }),
    reset: options.reset?.bind(options),
    bytesPerObject,
    trackBorrowers,
    watchAbandoned: options.watchAbandoned ?? true,
    budget: options.budget,
    where: options.where ?? 'native',
    priority: options.priority ?? 7,
    weight: options.weight,
    level: options.level,
    clock: options.clock ?? systemClock,
    random: options.random ?? seededRandom(process.pid),
    emit: guardedSink(options.emit),
  };
}

/** Checks how many objects there may be. */
export function checkedSize(min: number, max: number): { min: number; max: number } {
  requireCount(max, 'max', { least: 1, most: MOST_OBJECTS });
  requireCount(min, 'min', { least: 0, most: max });
  return { min, max };
}

function checkedNumbers(options: PoolSettings) {
  return {
    maxWaiting: requireCount(options.maxWaiting ?? 1_000, 'maxWaiting', { least: 0 }),
    createAttempts: requireCount(options.createAttempts ?? 3, 'createAttempts', { least: 1 }),
    maxUses: requireCount(options.maxUses ?? Number.POSITIVE_INFINITY, 'maxUses', { least: 1, infinite: true }),
    lifetimeJitter: requireShare(options.lifetimeJitter ?? 0.1, 'lifetimeJitter'),
    acquireTimeoutMs: checkedDelay(options.acquireTimeoutMs ?? 30_000, 'acquireTimeoutMs'),
    createTimeoutMs: checkedDelay(options.createTimeoutMs ?? 10_000, 'createTimeoutMs'),
    backoffMs: checkedDelay(options.backoffMs ?? 100, 'backoffMs'),
    longestBackoffMs: checkedDelay(options.longestBackoffMs ?? 5_000, 'longestBackoffMs'),
    checkTimeoutMs: checkedDelay(options.checkTimeoutMs ?? 5_000, 'checkTimeoutMs'),
    destroyTimeoutMs: checkedDelay(options.destroyTimeoutMs ?? 5_000, 'destroyTimeoutMs'),
    closeTimeoutMs: checkedDelay(options.closeTimeoutMs ?? 10_000, 'closeTimeoutMs'),
    checkAfterIdleMs: requireTime(options.checkAfterIdleMs ?? 1_000, 'checkAfterIdleMs', { least: 0 }),
    checkIntervalMs: requireTime(options.checkIntervalMs ?? 30_000, 'checkIntervalMs'),
    idleTimeoutMs: requireTime(options.idleTimeoutMs ?? 60_000, 'idleTimeoutMs'),
    maxLifetimeMs: requireTime(options.maxLifetimeMs ?? Number.POSITIVE_INFINITY, 'maxLifetimeMs'),
    heldTooLongMs: requireTime(options.heldTooLongMs ?? 60_000, 'heldTooLongMs'),
  };
}

function requireCallback(value: unknown, argument: string): void {
  if (typeof value !== 'function') throw new InvalidArgumentError(argument, 'must be a function.');
}

function requireCount(
  value: number,
  argument: string,
  { least, most = Number.MAX_SAFE_INTEGER, infinite = false }: { least: number; most?: number; infinite?: boolean },
): number {
  if (infinite && value === Number.POSITIVE_INFINITY) return value;
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  const upTo = most === Number.MAX_SAFE_INTEGER ? 'or more' : `to ${most}`;
  throw new InvalidArgumentError(argument, `must be a whole number, ${least} ${upTo}; got ${String(value)}.`);
}

/** A time that may be `Infinity` for never. */
function requireTime(value: number, argument: string, { least = 1 }: { least?: number } = {}): number {
  if (typeof value === 'number' && value >= least) return value;
  throw new InvalidArgumentError(
    argument,
    `must be a number of milliseconds, ${least} or more, or Infinity for never; got ${String(value)}.`,
  );
}

function requireShare(value: number, argument: string): number {
  if (typeof value === 'number' && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError(argument, `must be a number from 0 to 1; got ${String(value)}.`);
}
