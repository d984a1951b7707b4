/**
 * Embeddings by text, in memory under the budget and in the store behind it.
 *
 *   texts ──▶ memory ──▶ store (one batch) ──▶ embedder (one batch) ──▶ memory, and the store by and by
 *
 * An embedding is known by its model and a hash of its text, so another model never gets another's vectors, and no text is kept. Texts
 * asked for at the same time are embedded once. The store is a help: without it, or when it fails, all is as before but slower.
 */
import { createHash } from 'node:crypto';
import { MIB, requireBytes } from '../../base/bytes.ts';
import { checkedDelay, systemClock } from '../../base/clock.ts';
import { ClosedError, InvalidArgumentError } from '../../base/errors.ts';
import type { Residence } from '../../budget/consumer.ts';
import type { EmbeddingStore } from '../../storage/embedding-store.ts';
import { BatchFlight } from './batch-flight.ts';
import { Cache } from './cache.ts';
import type { CacheOptions } from './cache-options.ts';
import type { CacheStatistics } from './cache-statistics.ts';
import { type SecondTier, TierAccess, type TierStatistics } from './second-tier.ts';

/** A typed array and its buffer, without its numbers. */
const VECTOR_BYTES = 190;
/** A hash as a key. */
const KEY_BYTES = 64;
const DEFAULT_MOST_QUEUED_BYTES = 4 * MIB;
const DEFAULT_STORE_TIMEOUT_MS = 2000;

/** Embeds texts: one vector for each, in order. */
export type Embed = (texts: readonly string[], signal: AbortSignal) => Promise<readonly Float32Array[]>;

/** What an embedding cache is made of: a cache's options, a model, and where to keep what was computed. */
export interface EmbeddingCacheOptions
  extends Omit<
    CacheOptions<string, Float32Array>,
    'sizeOf' | 'onEvict' | 'onError' | 'ttl' | 'ttlMs' | 'quotas' | 'where'
  > {
  /** Name of the model, with its version. */
  readonly model: string;
  /** Where the vectors live; `native` by default, for the numbers of an array are not on the heap. */
  readonly where?: Residence;
  /** Where embeddings are kept between runs; only in memory by default. */
  readonly store?: EmbeddingStore;
  /** Most bytes of vectors waiting to be stored; what comes beyond is not. 4 MB by default. */
  readonly maxQueuedBytes?: number;
  /** How long the store may take to answer, and to take the last vectors at close, in milliseconds; 2,000 by default. */
  readonly storeTimeoutMs?: number;
}

/** Figures of an embedding cache. */
export interface EmbeddingCacheStatistics extends CacheStatistics {
  /** Texts that had to be embedded. */
  readonly embedded: number;
  /** Null without a store. */
  readonly store: TierStatistics | null;
}

/**
 * A cache of embeddings.
 *
 * @example
 * ```ts
 * await using embeddings = new EmbeddingCache({ name: 'embeddings', budget, store, model: 'all-MiniLM-L6-v2' });
 * const vectors = await embeddings.embed(texts, (missing, signal) => embedder.embed(missing, signal));
 * ```
 */
export class EmbeddingCache implements AsyncDisposable {
  readonly model: string;
  readonly #cache: Cache<string, Float32Array>;
  readonly #tier: TierAccess<string, Float32Array> | null;
  readonly #flights = new BatchFlight<string, Float32Array>();
  #embedded = 0;
  #closing: Promise<void> | undefined;

  /** @throws InvalidArgumentError for an option outside its range; what `Cache` throws. */
  constructor(options: EmbeddingCacheOptions) {
    const {
      model,
      store,
      maxQueuedBytes = DEFAULT_MOST_QUEUED_BYTES,
      storeTimeoutMs = DEFAULT_STORE_TIMEOUT_MS,
    } = options;
    if (typeof model !== 'string' || model === '' || model.length > 128) {
      throw new InvalidArgumentError('model', 'must be a text of 1 to 128 characters.');
    }
    requireBytes(maxQueuedBytes, 'maxQueuedBytes');
    checkedDelay(storeTimeoutMs, 'storeTimeoutMs');
    this.model = model;
    this.#cache = new Cache({ ...options, where: options.where ?? 'native', sizeOf: bytesOf });
    const { clock = systemClock } = options;
    this.#tier =
      store === undefined
        ? null
        : new TierAccess({ tier: tierOf(store, model), bytesOf, maxQueuedBytes, timeoutMs: storeTimeoutMs, clock });
  }

  get name(): string {
    return this.#cache.name;
  }

  /** True from the moment `close` was called. */
  get isClosed(): boolean {
    return this.#closing !== undefined;
  }

  /**
   * The vectors of `texts`, in order; those that neither memory nor store has are made by `embed`, once for each text however many ask.
   * Vectors are shared: do not change them.
   *
   * @throws What `embed` throws; InvalidArgumentError for texts that are none, or when `embed` returns something else than one vector of
   * numbers for each text; the signal's reason; ClosedError.
   */
  async embed(texts: readonly string[], embed: Embed, options: { signal?: AbortSignal } = {}): Promise<Float32Array[]> {
    this.#requireOpen();
    if (!Array.isArray(texts) || texts.some((text) => typeof text !== 'string')) {
      throw new InvalidArgumentError('texts', 'must be an array of strings.');
    }
    if (typeof embed !== 'function') throw new InvalidArgumentError('embed', 'must be a function.');
    const { signal } = options;
    signal?.throwIfAborted();
    const keys = texts.map(hashOf);
    const vectors = new Map<string, Float32Array>();
    const missing = new Map<string, string>();
    for (const [index, key] of keys.entries()) {
      if (vectors.has(key) || missing.has(key)) continue;
      const vector = this.#cache.get(key);
      if (vector === undefined) missing.set(key, texts[index]!);
      else vectors.set(key, vector);
    }
    if (missing.size > 0) {
      const compute = (wanted: readonly string[], batch: AbortSignal) => this.#fetch(wanted, { missing, embed, batch });
      for (const [key, vector] of await this.#flights.join([...missing.keys()], { compute, signal })) {
        vectors.set(key, vector);
      }
    }
    return keys.map((key) => vectors.get(key)!);
  }

  /**
   * Forgets `texts` here and in the store, what is being computed for them included.
   *
   * @throws ClosedError; what the store throws.
   */
  async delete(texts: readonly string[]): Promise<void> {
    this.#requireOpen();
    const keys = texts.map(hashOf);
    this.#flights.disown(keys);
    for (const key of keys) this.#cache.delete(key);
    await this.#tier?.delete(keys);
  }

  /** Empties the memory; the store stays. */
  clear(): void {
    this.#cache.clear();
  }

  /** Waits until what was embedded is stored, within the time the store has. */
  async flush(): Promise<void> {
    await this.#tier?.flush();
  }

  /** Figures since it was made; also after close. */
  statistics(): EmbeddingCacheStatistics {
    const computing = this.#flights.running;
    return { ...this.#cache.statistics(), computing, embedded: this.#embedded, store: this.#tier?.statistics ?? null };
  }

  /** Rejects who waits with `ClosedError`, stores what is queued, and leaves the budget. Closing twice is harmless. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#flights.abortAll(new ClosedError(`The cache ${this.#cache.name}`));
    this.#cache.close();
    await this.#tier?.flush();
  }

  async #fetch(
    keys: readonly string[],
    options: { missing: ReadonlyMap<string, string>; embed: Embed; batch: AbortSignal },
  ): Promise<ReadonlyMap<string, Float32Array>> {
    const { missing, embed, batch } = options;
    const found = new Map(await this.#tier?.read(keys));
    batch.throwIfAborted();
    for (const [key, vector] of found) this.#keep(key, vector, batch);
    const unknown = keys.filter((key) => !found.has(key));
    if (unknown.length === 0) return found;
    const made = await embed(
      unknown.map((key) => missing.get(key)!),
      batch,
    );
    requireVectors(made, unknown.length);
    this.#embedded += unknown.length;
    for (const [index, key] of unknown.entries()) {
      const vector = alone(made[index]!);
      found.set(key, vector);
      if (this.#keep(key, vector, batch)) this.#tier?.write(key, vector);
    }
    return found;
  }

  /** False when the key was deleted, or the cache closed, since the batch began. */
  #keep(key: string, vector: Float32Array, batch: AbortSignal): boolean {
    if (batch.aborted || !this.#flights.owns(key, batch)) return false;
    this.#cache.set(key, vector);
    return true;
  }

  #requireOpen(): void {
    if (this.#closing) throw new ClosedError(`The cache ${this.#cache.name}`);
  }
}

function tierOf(store: EmbeddingStore, model: string): SecondTier<string, Float32Array> {
  return {
    get: (hashes) => store.get(model, hashes),
    put: (entries) =>
      store.put(
        model,
        entries.map(([textHash, vector]) => ({ textHash, vector })),
      ),
    delete: (hashes) => store.delete(model, hashes),
  };
}

function requireVectors(made: readonly Float32Array[], count: number): void {
  const areVectors = Array.isArray(made) && made.every((vector) => vector instanceof Float32Array && vector.length > 0);
  if (areVectors && made.length === count) return;
  throw new InvalidArgumentError('embed', `must return ${count} vectors (Float32Array), one for each text.`);
}

/** A vector with a buffer of its own: one that is cut out of the model's answer would keep all of it alive, or change with the next answer. */
function alone(vector: Float32Array): Float32Array {
  return vector.byteLength === vector.buffer.byteLength ? vector : vector.slice();
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

function bytesOf(vector: Float32Array): number {
  return vector.byteLength + VECTOR_BYTES + KEY_BYTES;
}
