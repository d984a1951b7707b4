/**
 * Pools by name: one place to find them, to look at them, and to close them.
 *
 * What all share (budget, clock, events) is given once. A ready-made pool that wraps an `ObjectPool`, or is none at all, joins by `add`: the
 * registry asks of it only what `NamedPool` says.
 */
import { ClosedError, InvalidArgumentError } from '../../base/errors.ts';
import { closeAll } from '../../base/resource-scope.ts';
import { ObjectPool } from './object-pool.ts';
import { PoolNameTakenError, PoolUnknownError } from './pool-errors.ts';
import type { PoolOptions, PoolSettings } from './pool-options.ts';
import type { PoolStatistics } from './pool-statistics.ts';

/** What the registry asks of a pool. */
export interface NamedPool {
  readonly name: string;
  /** One that its user has closed leaves the registry, and its name is free again. */
  readonly isClosed: boolean;
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
    return [...this.#open()].map(({ name }) => name);
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
   * @throws PoolUnknownError when there is none and no options; InvalidArgumentError for one that is no `ObjectPool` (take it with `get`);
   * ClosedError after close; what `define` throws.
   */
  pool<T>(name: string, options?: Omit<PoolOptions<T>, 'name'>): ObjectPool<T> {
    const found = this.get(name);
    if (found instanceof ObjectPool) return found as ObjectPool<T>;
    if (found !== undefined)
      throw new InvalidArgumentError('name', `${name} is a ready-made pool; take it with get().`);
    if (options !== undefined) return this.define(name, options);
    throw new PoolUnknownError({ pool: name, known: this.names });
  }

  /** Whatever was defined or added under that name. */
  get(name: string): NamedPool | undefined {
    const pool = this.#pools.get(name);
    return pool?.isClosed && !this.#closing ? undefined : pool;
  }

  /** True when there is a pool of that name. */
  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  /** How every pool is. */
  statistics(): PoolStatistics[] {
    return [...this.#open()].map((pool) => pool.statistics());
  }

  /** Closes all pools at once. Rejects with what they reject with, after all have closed. Closing twice is harmless. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #close(): Promise<void> {
    return closeAll(this.#pools.values());
  }

  /** Those that are open, and while the registry closes, all; the others are forgotten. */
  *#open(): Generator<NamedPool, void> {
    for (const [name, pool] of this.#pools) {
      if (!pool.isClosed || this.#closing) yield pool;
      else this.#pools.delete(name);
    }
  }

  #requireFree(name: string): void {
    if (this.#closing) throw new ClosedError('The registry of pools');
    if (this.has(name)) throw new PoolNameTakenError(name);
  }
}
