/**
 * A pool of objects that are dear to make: connections, clients, parsers, workers.
 *
 * It lends each object to one borrower at a time, makes up to `max`, keeps `min`, checks what has stood still, replaces what is old, and
 * takes part in the budget: an object is charged before it is made, and idle ones are given up first when memory is short. Leases are
 * returned by `await using`; one that is not is reported with the place it was taken. How it works is told in `pool-core.ts`.
 */
import { checkedDelay } from '../../base/clock.ts';
import { InvalidArgumentError } from '../../base/errors.ts';
import type { Lease } from './lease.ts';
import { PoolCore } from './pool-core.ts';
import { checkedOptions, checkedSize, type PoolOptions } from './pool-options.ts';
import type { PoolStatistics } from './pool-statistics.ts';

/** How an `acquire` waits. */
export interface AcquireOptions {
  /** How long, 0 to 2^31 - 1 ms; the pool's `acquireTimeoutMs` by default. */
  readonly timeoutMs?: number;
  /** Ends the wait; `acquire` then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** How a pool closes. */
export interface PoolCloseOptions {
  /** How long to wait for leases, 0 to 2^31 - 1 ms; the pool's `closeTimeoutMs` by default. */
  readonly timeoutMs?: number;
  /** Ends the wait at once. */
  readonly signal?: AbortSignal;
}

/** What was left when a pool closed. */
export interface PoolCloseReport {
  readonly name: string;
  /** Leases that were out to the end; their objects were taken away and destroyed. */
  readonly leases: number;
  /** Stacks of where they were borrowed, as far as that was noted. */
  readonly sites: readonly string[];
}

/**
 * A bounded pool of objects of one kind.
 *
 * @example
 * const parsers = new ObjectPool({ name: 'parsers', max: 4, create: () => new Parser(), destroy: (parser) => parser.free() });
 * {
 *   await using lease = await parsers.acquire();
 *   lease.object.parse(text);
 * }
 * await parsers.close();
 */
export class ObjectPool<T> implements AsyncDisposable {
  readonly #core: PoolCore<T>;
  #closed: Promise<PoolCloseReport> | undefined;

  /**
   * Makes the pool; objects are made when they are wanted, `min` of them in the background.
   *
   * @throws InvalidArgumentError for an option outside its range; what `Budget.register` throws.
   */
  constructor(options: PoolOptions<T>) {
    this.#core = new PoolCore<T>(checkedOptions(options));
  }

  get name(): string {
    return this.#core.name;
  }

  /** True from the moment `close` was called. */
  get isClosed(): boolean {
    return this.#core.isClosing;
  }

  /**
   * Borrows an object: at once if a good one is idle, else in line behind those who came before.
   *
   * @throws PoolTimeoutError when none came free in time; PoolQueueFullError when `maxWaiting` wait already; PoolCreateError when none can
   * be made; ClosedError after close, also while waiting; InvalidArgumentError for a bad time; the signal's reason.
   */
  acquire(options?: AcquireOptions): Promise<Lease<T>> {
    if (options !== undefined) {
      const { timeoutMs, signal } = options;
      if (signal?.aborted) return Promise.reject(signal.reason);
      if (timeoutMs !== undefined) {
        try {
          checkedDelay(timeoutMs, 'timeoutMs');
        } catch (error) {
          return Promise.reject(error);
        }
      }
    }
    const lease = this.#core.tryBorrow(this.acquire);
    return lease === null ? this.#core.wait(options ?? {}, this.acquire) : Promise.resolve(lease);
  }

  /** Borrows an object that is idle and needs no check; null if there is none. Never waits. */
  tryAcquire(): Lease<T> | null {
    return this.#core.tryBorrow(this.tryAcquire);
  }

  /**
   * Borrows an object for the length of `work`, and returns what that returns. The object goes back whatever happens; if it no longer
   * works, say so with `discard`.
   *
   * @throws What `acquire` and `work` throw.
   */
  async use<R>(work: (object: T, lease: Lease<T>) => R | PromiseLike<R>, options?: AcquireOptions): Promise<R> {
    if (typeof work !== 'function') throw new InvalidArgumentError('work', 'must be a function.');
    const lease = await this.acquire(options);
    try {
      return await work(lease.object, lease);
    } finally {
      lease[Symbol.dispose]();
    }
  }

  /**
   * Says that `object` no longer works, whoever has it: for a client that reports its own failure. Idle it is destroyed now; borrowed, as soon
   * as it comes back. False for an object that is not in the pool.
   */
  discard(object: T): boolean {
    return this.#core.discard(object);
  }

  /**
   * Changes how many objects there may be. Idle ones above `max` are destroyed now, borrowed ones when they come back.
   *
   * @throws InvalidArgumentError unless 0 ≤ min ≤ max and max ≥ 1; ClosedError after close.
   */
  resize(size: { readonly min?: number; readonly max?: number }): void {
    this.#core.resize(checkedSize(size.min ?? this.#core.min, size.max ?? this.#core.max));
  }

  /** How the pool is, and what has happened since it was made. Constant time. */
  statistics(): PoolStatistics {
    return this.#core.statistics();
  }

  /**
   * Closes the pool: those who wait are rejected with `ClosedError`, idle objects are destroyed, and leases are waited for. Those still out when
   * the time is over are taken away: their objects are destroyed, and reported as `pool.leases_left`. Resolves when all is destroyed. Never
   * rejects for what a callback does; closing twice is harmless and gives the same report.
   *
   * @throws InvalidArgumentError for a bad time.
   */
  async close(options: PoolCloseOptions = {}): Promise<PoolCloseReport> {
    const timeoutMs = checkedDelay(options.timeoutMs ?? this.#core.options.closeTimeoutMs, 'timeoutMs');
    this.#closed ??= this.#close(timeoutMs, options.signal);
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(timeoutMs: number, signal: AbortSignal | undefined): Promise<PoolCloseReport> {
    const { name, clock, emit } = this.#core.options;
    const left = await this.#core.close(signal, timeoutMs);
    const report = { name, leases: left.length, sites: left.filter((site) => site !== null) };
    if (left.length > 0) {
      emit({ type: 'pool.leases_left', atMs: clock.nowMs(), pool: name, leases: left.length, sites: report.sites });
    }
    return report;
  }
}
