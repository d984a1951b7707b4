/**
 * Pools by name: one place to find them, to look at them, and to close them.
 *
 * What all share (budget, clock, events) is given once. A ready-made pool that wraps an `ObjectPool`, or is none at all, joins by `add`: the
 * registry asks of it only what `NamedPool` says.
 */
import { ClosedError } from '../../base/errors.ts';
import { ObjectPool } from './object-pool.ts';
import { PoolNameTakenError, PoolUnknownError } from './pool-errors.ts';
import type { PoolOptions, PoolSettings } from './pool-options.ts';
import type { PoolStatistics } from './pool-statistics.ts';

/** What the registry asks of a pool. */
export interface NamedPool {
  readonly name: string;
  statistics(): PoolStatistics;
  close(): Promise<unknown>;
}

/** What every pool of the registry gets, unless it says otherwise itself. */
export type SharedPoolOptions = Pick<PoolSettings, 'budget' | 'clock' | 'random' | 'emit' | 'level'>;

/** Pools of one node. */
export class PoolRegistry implements AsyncDisposable {
  readonly #shared: SharedPoolOptions;
  readonly #pools = new Map<string, NamedPool>();
  #closing: Promise<void> | undefined;

  constructor(shared: SharedPoolOptions = {}) {
    this.#shared = shared;
  }

  /** Names of all pools, in the order they were defined. */
  get names(): string[] {
    return [...this.#pools.keys()];
  }

  /** What every pool of this registry gets: for ready-made ones made outside. */
  get shared(): SharedPoolOptions {
    return this.#shared;
  }

  /**
   * Makes a pool under `name`.
   *
   * @throws PoolNameTakenError; ClosedError after close; what `new ObjectPool` throws.
   */
  define<T>(name: string, options: Omit<PoolOptions<T>, 'name'>): ObjectPool<T> {
    this.#requireFree(name);
    const pool = new ObjectPool<T>({ ...this.#shared, ...options, name });
    this.#pools.set(name, pool);
    return pool;
  }

  /**
   * Takes in a pool made elsewhere; it is closed with the others.
   *
   * @throws PoolNameTakenError; ClosedError after close.
   */
  add<P extends NamedPool>(pool: P): P {
    this.#requireFree(pool.name);
    this.#pools.set(pool.name, pool);
    return pool;
  }

  /**
   * The pool named `name`; with `options` it is made when there is none.
   *
   * @throws PoolUnknownError when there is none and no options; ClosedError after close; what `define` throws.
   */
  pool<T>(name: string, options?: Omit<PoolOptions<T>, 'name'>): ObjectPool<T> {
    const found = this.#pools.get(name);
    if (found instanceof ObjectPool) return found as ObjectPool<T>;
    if (found === undefined && options !== undefined) return this.define(name, options);
    throw new PoolUnknownError({ pool: name, known: this.names });
  }

  /** Whatever was defined or added under that name. */
  get(name: string): NamedPool | undefined {
    return this.#pools.get(name);
  }

  /** True when there is a pool of that name. */
  has(name: string): boolean {
    return this.#pools.has(name);
  }

  /** How every pool is. */
  statistics(): PoolStatistics[] {
    return [...this.#pools.values()].map((pool) => pool.statistics());
  }

  /** Closes all pools at once. Rejects with what they reject with, after all have closed. Closing twice is harmless. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const ended = await Promise.allSettled([...this.#pools.values()].map((pool) => pool.close()));
    const errors = ended.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []));
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateError(errors, `${errors.length} pools failed to close.`);
  }

  #requireFree(name: string): void {
    if (this.#closing) throw new ClosedError('The registry of pools');
    if (this.#pools.has(name)) throw new PoolNameTakenError(name);
  }
}
