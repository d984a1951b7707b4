/** How a pool says no. Each message names the pool and what can be done. */
import { messageOf, TenureError } from '../../base/errors.ts';

/** How full a pool was when it refused. */
export interface PoolLoad {
  readonly pool: string;
  readonly max: number;
  readonly size: number;
  readonly borrowed: number;
  readonly waiting: number;
}

/** No object came free in time. Where the budget had no room for another one, `cause` is its refusal. Code `POOL_TIMEOUT`. */
export class PoolTimeoutError extends TenureError {
  override readonly name = 'PoolTimeoutError';
  readonly waitedMs: number;

  constructor(load: PoolLoad, options: { waitedMs: number; cause?: unknown }) {
    const waitedMs = Math.round(options.waitedMs);
    const { pool, max, size, borrowed, waiting } = load;
    super(
      'POOL_TIMEOUT',
      `${pool}: no object came free in ${waitedMs} ms; ${borrowed} of ${size} are borrowed (at most ${max}), ${waiting} more wait. ` +
        'Return leases sooner, raise max, or look for leases held too long.',
      { details: { ...load, waitedMs }, cause: options.cause },
    );
    this.waitedMs = waitedMs;
  }
}

/** So many wait that another one is refused at once. Code `POOL_QUEUE_FULL`. */
export class PoolQueueFullError extends TenureError {
  override readonly name = 'PoolQueueFullError';

  constructor(load: PoolLoad) {
    const { pool, max, borrowed, waiting } = load;
    super(
      'POOL_QUEUE_FULL',
      `${pool}: ${waiting} wait already and ${borrowed} of at most ${max} are borrowed; try again later, or raise maxWaiting.`,
      { details: { ...load } },
    );
  }
}

/** The factory failed, as often as it may; `cause` is what it failed with last. Code `POOL_CREATE_FAILED`. */
export class PoolCreateError extends TenureError {
  override readonly name = 'PoolCreateError';
  readonly attempts: number;

  constructor(options: { pool: string; attempts: number; cause: unknown }) {
    const { pool, attempts, cause } = options;
    super(
      'POOL_CREATE_FAILED',
      `${pool}: no object could be made in ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}: ${messageOf(cause)}`,
      { details: { pool, attempts }, cause },
    );
    this.attempts = attempts;
  }
}

/** The factory returned what cannot be pooled: nothing, or an object it had returned before. Code `POOL_BAD_OBJECT`. */
export class PoolBadObjectError extends TenureError {
  override readonly name = 'PoolBadObjectError';

  constructor(options: { pool: string; problem: string }) {
    const { pool, problem } = options;
    super('POOL_BAD_OBJECT', `${pool}: create() returned ${problem}; it must return a new object each time.`, {
      details: { pool, problem },
    });
  }
}

/** A lease was used or returned after it was returned. Code `POOL_LEASE_RETURNED`. */
export class PoolLeaseReturnedError extends TenureError {
  override readonly name = 'PoolLeaseReturnedError';

  constructor(pool: string) {
    super(
      'POOL_LEASE_RETURNED',
      `A lease of ${pool} was returned already; its object may be somebody else's by now. Acquire a new one, and return each lease once.`,
      { details: { pool } },
    );
  }
}

/** Two pools of one name in one registry. Code `POOL_NAME_TAKEN`. */
export class PoolNameTakenError extends TenureError {
  override readonly name = 'PoolNameTakenError';

  constructor(pool: string) {
    super('POOL_NAME_TAKEN', `There is a pool named ${pool} already; get it by name, or choose another.`, {
      details: { pool },
    });
  }
}

/** No pool of that name. Code `POOL_UNKNOWN`. */
export class PoolUnknownError extends TenureError {
  override readonly name = 'PoolUnknownError';

  constructor(options: { pool: string; known: readonly string[] }) {
    const { pool, known } = options;
    super(
      'POOL_UNKNOWN',
      `There is no pool named ${pool}; there are: ${known.join(', ') || 'none'}. Define it first.`,
      {
        details: { pool, known },
      },
    );
  }
}
