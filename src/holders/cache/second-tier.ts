/**
 * A second, slower place for what a cache holds: the port, and the writing to it.
 *
 * A second tier is a help and never a duty. It is read in batches; one that fails or takes too long counts as empty. It is written behind:
 * what was computed goes into a queue, one batch is on its way at a time, and when the queue is full what comes is not written.
 * Every failure is counted, none reaches the caller.
 */
import { type Clock, wait } from '../../base/clock.ts';
import { TimeoutError } from '../../base/errors.ts';

/** Where values are kept beyond the memory; may forget anything at any time. */
export interface SecondTier<K, V> {
  /** Those of `keys` that it has. */
  get(keys: readonly K[]): Promise<ReadonlyMap<K, V>>;
  put(entries: readonly (readonly [K, V])[]): Promise<void>;
  delete(keys: readonly K[]): Promise<unknown>;
}

/** What became of reads and writes. */
export interface TierStats {
  readonly hits: number;
  readonly misses: number;
  readonly written: number;
  /** Not written because the queue was full. */
  readonly dropped: number;
  readonly errors: number;
  readonly queuedBytes: number;
}

/** How a tier is used. */
export interface TierOptions<K, V> {
  readonly tier: SecondTier<K, V>;
  readonly bytesOf: (value: V) => number;
  /** Most bytes waiting to be written. */
  readonly maxQueuedBytes: number;
  /** How long a read, or the last writes at close, may take. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** Reads from and writes to a tier, whatever it does. */
export class TierAccess<K, V> {
  readonly #options: TierOptions<K, V>;
  #queue = new Map<K, V>();
  #queuedBytes = 0;
  #writing: Promise<void> | null = null;
  #hits = 0;
  #misses = 0;
  #written = 0;
  #dropped = 0;
  #errors = 0;

  constructor(options: TierOptions<K, V>) {
    this.#options = options;
  }

  get stats(): TierStats {
    const [hits, misses, written, dropped] = [this.#hits, this.#misses, this.#written, this.#dropped];
    return { hits, misses, written, dropped, errors: this.#errors, queuedBytes: this.#queuedBytes };
  }

  /** What the tier has of `keys`, and what waits to be written to it. Never rejects. */
  async read(keys: readonly K[]): Promise<ReadonlyMap<K, V>> {
    const found = new Map<K, V>();
    const asked = keys.filter((key) => {
      const queued = this.#queue.get(key);
      if (queued !== undefined) found.set(key, queued);
      return queued === undefined;
    });
    if (asked.length > 0) {
      try {
        const answer = await this.#inTime('Reading from the second tier', this.#options.tier.get(asked));
        for (const key of asked) {
          const value = answer.get(key);
          if (value !== undefined) found.set(key, value);
        }
      } catch {
        this.#errors++;
      }
    }
    this.#hits += found.size;
    this.#misses += keys.length - found.size;
    return found;
  }

  /** Will be written, unless too much waits already. */
  write(key: K, value: V): void {
    const bytes = this.#options.bytesOf(value);
    const before = this.#queue.get(key);
    const addedBytes = bytes - (before === undefined ? 0 : this.#options.bytesOf(before));
    if (this.#queuedBytes + addedBytes > this.#options.maxQueuedBytes) {
      this.#dropped++;
      return;
    }
    this.#queue.set(key, value);
    this.#queuedBytes += addedBytes;
    this.#writing ??= this.#writeAll();
  }

  /** Takes `keys` out of the queue and the tier. Rejects as the tier does, or when a write before it takes too long: who deletes wants to know. */
  async delete(keys: readonly K[]): Promise<void> {
    this.#unqueue(keys);
    // What is being written just now must not come after the deletion.
    if (this.#writing !== null) await this.#inTime('Writing to the second tier', this.#writing);
    this.#unqueue(keys);
    await this.#options.tier.delete(keys);
  }

  /** Waits until what was queued is written, for so long and no longer. */
  async flush(): Promise<void> {
    if (this.#writing === null) return;
    try {
      await this.#inTime('Writing to the second tier', this.#writing);
    } catch {
      this.#errors++;
    }
  }

  async #writeAll(): Promise<void> {
    // A turn for what comes together to be written together.
    await Promise.resolve();
    while (this.#queue.size > 0) {
      const batch = [...this.#queue];
      const batchBytes = this.#queuedBytes;
      this.#queue = new Map();
      try {
        await this.#options.tier.put(batch);
        this.#written += batch.length;
      } catch {
        this.#errors++;
      }
      this.#queuedBytes -= batchBytes;
    }
    this.#writing = null;
  }

  #unqueue(keys: readonly K[]): void {
    for (const key of keys) {
      const value = this.#queue.get(key);
      if (value === undefined) continue;
      this.#queue.delete(key);
      this.#queuedBytes -= this.#options.bytesOf(value);
    }
  }

  async #inTime<T>(what: string, work: Promise<T>): Promise<T> {
    const { clock, timeoutMs } = this.#options;
    const ending = new AbortController();
    const late = wait(clock, timeoutMs, ending.signal).then(() => {
      throw new TimeoutError(what, timeoutMs);
    });
    late.catch(() => {});
    try {
      return await Promise.race([work, late]);
    } finally {
      ending.abort();
    }
  }
}
