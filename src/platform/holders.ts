/**
 * The holders of a node: what its user makes by name, under its budget, its clock, its quotas and its events.
 *
 * Each is made once and found again by its name, shows in the node's status, and is closed with the node: what lends before what is
 * lent. What is closed earlier by its user leaves the list, and its name is free again.
 */

import type { Clock } from '../base/clock.ts';
import { ClosedError } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import type { Level } from '../base/levels.ts';
import type { Random } from '../base/random.ts';
import { closeAll } from '../base/resource-scope.ts';
import type { Budget } from '../budget/budget.ts';
import { Quotas, type QuotaUse } from '../budget/quota.ts';
import { Cache } from '../holders/cache/cache.ts';
import type { CacheOptions } from '../holders/cache/cache-options.ts';
import type { CacheStatistics } from '../holders/cache/cache-statistics.ts';
import { EmbeddingCache, type EmbeddingCacheOptions } from '../holders/cache/embedding-cache.ts';
import type { ObjectPool } from '../holders/pool/object-pool.ts';
import type { PoolOptions } from '../holders/pool/pool-options.ts';
import { PoolRegistry } from '../holders/pool/pool-registry.ts';
import type { PoolStatistics } from '../holders/pool/pool-statistics.ts';
import type { SessionPoolOptions } from '../holders/session/session-options.ts';
import { SessionPool } from '../holders/session/session-pool.ts';
import type { SessionStatistics } from '../holders/session/session-statistics.ts';
import { EMBEDDING_CACHE } from '../pressure/reading.ts';
import type { EmbeddingStore } from '../storage/embedding-store.ts';
import type { SessionStore } from '../storage/session-store.ts';
import type { Configuration } from './configuration/keys.ts';
import type { TenureEvent } from './tenure-event.ts';

/** What a node gives its caches itself. */
export type NodeCacheOptions<K, V> = Omit<CacheOptions<K, V>, 'name' | 'budget' | 'clock' | 'quotas'>;
/** What a node gives its embedding caches itself. */
export type NodeEmbeddingOptions = Omit<EmbeddingCacheOptions, 'budget' | 'clock' | 'store' | 'name'> & {
  /** `embedding-cache` by default. */
  readonly name?: string;
};
/** What a node gives its pools itself. */
export type NodePoolOptions<T> = Omit<PoolOptions<T>, 'name'>;
/** What a node gives its session pools itself. */
export type NodeSessionOptions<V> = Omit<SessionPoolOptions<V>, 'store' | 'budget' | 'clock' | 'quotas' | 'emit'>;

/** What the holders of a node tell of themselves. */
export interface HoldersReport {
  readonly caches: readonly CacheStatistics[];
  readonly pools: readonly PoolStatistics[];
  readonly sessions: readonly (SessionStatistics & { readonly name: string })[];
  /** Owners that hold most, largest first. */
  readonly quotas: readonly QuotaUse[];
}

/** What they are made under. */
export interface HoldersOptions {
  readonly budget: Budget;
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: EventSink<TenureEvent>;
  /** How bad pressure is now. */
  readonly level: () => Level;
  /** The configuration in force. */
  readonly configuration: () => Configuration;
  /** Where sessions of the pool `name` are durable. */
  readonly sessionStore: (name: string) => SessionStore;
  /** Where embeddings are kept between runs. */
  readonly embeddingStore: EmbeddingStore;
}

const OWNERS_TOLD = 20;

export class Holders implements AsyncDisposable {
  readonly quotas = new Quotas();
  readonly pools: PoolRegistry;
  readonly #options: HoldersOptions;
  readonly #caches = new Map<string, Cache<never, never>>();
  readonly #embeddings = new Map<string, EmbeddingCache>();
  readonly #sessions = new Map<string, SessionPool<never, never>>();
  /** Pools whose size is the configured one. */
  readonly #sizedPools = new Map<string, ObjectPool<never>>();
  #closing: Promise<void> | undefined;

  constructor(options: HoldersOptions) {
    this.#options = options;
    const { budget, clock, random, emit, level } = options;
    this.pools = new PoolRegistry({ budget, clock, random, emit, level });
  }

  /** The cache named `name`: the one there is, or a new one of these options. */
  cache<K, V>(name: string, options: NodeCacheOptions<K, V>): Cache<K, V> {
    const { budget, clock, random } = this.#options;
    return this.#named(this.#caches, name, () => {
      return new Cache<K, V>({ random, ...options, name, budget, clock, quotas: this.quotas }) as never;
    }) as never;
  }

  /** The embedding cache of that name: the one there is, or a new one of these options. */
  embeddings({ name = EMBEDDING_CACHE, ...options }: NodeEmbeddingOptions): EmbeddingCache {
    const { budget, clock, random, embeddingStore: store } = this.#options;
    return this.#named(this.#embeddings, name, () => {
      return new EmbeddingCache({ random, ...options, name, budget, clock, store });
    });
  }

  /** The pool named `name`: the one there is, or a new one of these options. `database`, `llm` and `http` are as large as configured. */
  pool<T>(name: string, options?: NodePoolOptions<T>): ObjectPool<T> {
    this.#requireOpen();
    const max = configuredSize(name, this.#options.configuration());
    if (options === undefined || options.max !== undefined || max === undefined || this.pools.has(name))
      return this.pools.pool<T>(name, options);
    const pool = this.pools.define<T>(name, { ...options, max });
    this.#sizedPools.set(name, pool as never);
    return pool;
  }

  /** The session pool named `name`: the one there is, or a new one of these options; as large as configured. */
  sessions<V, I>(name: string, options: NodeSessionOptions<V>): SessionPool<V, I> {
    const { budget, clock, emit, configuration, sessionStore } = this.#options;
    const { max, idleMs } = configuration().sessions;
    return this.#named(this.#sessions, name, () => {
      const given = { max, idleMs, ...options, name, budget, clock, emit };
      return new SessionPool<V, I>({ ...given, store: sessionStore(name), quotas: this.quotas }) as never;
    }) as never;
  }

  report(): HoldersReport {
    return {
      caches: [...open(this.#caches), ...open(this.#embeddings)].map((cache) => cache.statistics()),
      pools: this.pools.statistics(),
      sessions: [...open(this.#sessions)].map((pool) => ({ name: pool.name, ...pool.statistics() })),
      quotas: this.quotas.largest(OWNERS_TOLD),
    };
  }

  /** Puts a new configuration in force: pools that have their size from it take the new one. */
  reconfigure(): void {
    for (const [name, pool] of this.#sizedPools) {
      const max = configuredSize(name, this.#options.configuration());
      if (max !== undefined && !pool.isClosed) pool.resize({ max });
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // All are waited for, also when one fails: the store they write to is closed next.
    await closeAll([...open(this.#caches), ...open(this.#embeddings), ...open(this.#sessions), this.pools]);
  }

  #named<H extends { readonly isClosed: boolean }>(made: Map<string, H>, name: string, make: () => H): H {
    this.#requireOpen();
    const found = made.get(name);
    if (found && !found.isClosed) return found;
    const holder = make();
    made.set(name, holder);
    return holder;
  }

  #requireOpen(): void {
    if (this.#closing) throw new ClosedError('Tenure');
  }
}

/** Those that are open; the others are forgotten. */
function* open<H extends { readonly isClosed: boolean }>(made: Map<string, H>): Generator<H> {
  for (const [name, holder] of made) {
    if (holder.isClosed) made.delete(name);
    else yield holder;
  }
}

function configuredSize(name: string, { pools }: Configuration): number | undefined {
  if (!pools.enabled) return undefined;
  return { database: pools.databaseMax, llm: pools.llmMax, http: pools.httpMax }[name];
}
