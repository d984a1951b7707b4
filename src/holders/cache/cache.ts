/**
 * A cache under the budget: bounded in bytes and entries, with a policy of choice, that gives memory back when asked.
 *
 *   Cache ─── Entries ─── SlotTable ─── Policy, ExpiryWheel, OwnerLists     who is where, who leaves
 *     │          └─────── HolderBytes ── Budget                            what may be held
 *     └────── SingleFlight                                                one computation for each key
 *
 * **Promises.** (1) The sum of what the entries are charged never exceeds `maxBytes`, nor what the budget grants, at any moment: room is
 * made first, then the bytes are taken, then the value is kept. (2) Every operation is O(1), amortised; a refusal by the budget is
 * answered by at most as many evictions as there are entries, never by waiting. (3) Asked to give, it gives what is expired, then what owners
 * hold above their quotas, then what the policy values least, and its arrays shrink with it; it grows back as fast as the budget
 * lets it. (4) Callbacks run after the operation that caused them, when all structures are whole: they may use the cache, close it, or
 * throw. (5) Expiry goes by monotonic time: no clock that is set revives or kills an entry.
 *
 * What it charges for a value is what it was told (`sizeOf`); a size that lies makes the bound a lie, but never the books.
 */
import { type Clock, systemClock } from '../../base/clock.ts';
import { ClosedError, InvalidArgumentError } from '../../base/errors.ts';
import {
  type CacheBounds,
  type CacheOptions,
  requireBounds,
  requireOptions,
  requireOwner,
  requireSize,
  requireTtl,
  type SetOptions,
} from './cache-options.ts';
import type { CacheStatistics } from './cache-statistics.ts';
import { Entries } from './entries.ts';
import { NONE } from './policy.ts';
import { type Compute, type FlightEnd, SingleFlight } from './single-flight.ts';

/** How `getOrCompute` waits and what it keeps. */
export interface ComputeOptions extends SetOptions {
  /** Ends the wait of this caller; the computation goes on as long as others wait for it. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A bounded map that forgets what is least worth keeping. Values are anything but `undefined`; keys as in `Map`.
 *
 * @example
 * ```ts
 * using answers = new Cache<string, string>({ name: 'answers', budget, ...RESPONSE_CACHE });
 * const answer = await answers.getOrCompute(question, (signal) => ask(question, signal));
 * ```
 */
export class Cache<K, V> implements Disposable, AsyncDisposable {
  readonly name: string;
  readonly #entries: Entries<K, V>;
  readonly #flights = new SingleFlight<K, V>();
  readonly #clock: Clock;
  readonly #isSliding: boolean;
  #ttlMs: number | undefined;
  #isClosed = false;

  /**
   * @throws InvalidArgumentError for an option outside its range; what `Budget.register` throws.
   */
  constructor(options: CacheOptions<K, V>) {
    requireOptions(options);
    this.name = options.name;
    this.#clock = options.clock ?? systemClock;
    this.#isSliding = options.ttl === 'sliding';
    this.#ttlMs = options.ttlMs;
    this.#entries = new Entries(options, this.#clock);
  }

  /** Entries held, expired ones that were not dropped yet among them. */
  get size(): number {
    return this.#entries.table.slots.size;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** What the entries are charged. */
  get bytes(): number {
    return this.#entries.usedBytes;
  }

  /**
   * The value of `key`, and a hit; `undefined`, and a miss, when it is not held or its time is over.
   *
   * @throws ClosedError
   */
  get(key: K): V | undefined {
    const entries = this.#entries;
    const { table, counters } = entries;
    const slot = table.slots.get(key);
    if (slot === undefined) {
      if (this.#isClosed) this.#requireOpen();
      counters.misses++;
      table.missed(key);
      return undefined;
    }
    const { expiry } = table;
    if (expiry !== null) {
      const nowMs = this.#clock.monotonicMs();
      if (expiry.deadlines[slot]! <= nowMs) {
        counters.misses++;
        entries.expire(slot);
        return undefined;
      }
      if (this.#isSliding) expiry.restart(slot, nowMs);
    }
    counters.hits++;
    table.policy.hit(slot);
    if (table.owners !== null) table.owners.touch(slot);
    if ((table.hashes[slot]! & entries.sampleMask) === 0) entries.sampleRead(slot);
    return table.values[slot];
  }

  /**
   * The value of `key` without a trace: no hit, no miss, no new time.
   *
   * @throws ClosedError
   */
  peek(key: K): V | undefined {
    const slot = this.#liveSlot(key);
    return slot === NONE ? undefined : this.#entries.table.values[slot];
  }

  /** Whether `key` is held and its time not over; counts as nothing. */
  has(key: K): boolean {
    return this.#liveSlot(key) !== NONE;
  }

  /**
   * Keeps `value` for `key`, in place of what was there; a computation of this key that is under way will not be kept.
   *
   * False when the value was not kept: larger than the bound, no room in the budget, over its owner's quota, its size unknown, or worth
   * less to the policy than what is there (`statistics().refusals` tells which). An older value is gone then as well: it is no longer true.
   *
   * @throws InvalidArgumentError for `undefined`, or a size or time outside its range; ClosedError.
   */
  set(key: K, value: V, options?: SetOptions): boolean {
    if (this.#isClosed) this.#requireOpen();
    let ttlMs = this.#ttlMs;
    if (options !== undefined) {
      ttlMs = this.#ttlOf(options);
      requireOwner(options.owner);
    }
    if (value === undefined)
      throw new InvalidArgumentError('value', 'must not be undefined; delete the key, or say null.');
    const bytes = this.#entries.sizes.charge(key, value, options?.sizeBytes);
    // The user's sizeOf may have closed the cache.
    if (this.#isClosed) this.#requireOpen();
    if (this.#flights.size > 0) this.#flights.disown(key);
    const isKept = this.#entries.put(key, value, { bytes, ttlMs, owner: options?.owner });
    this.#entries.settle();
    return isKept;
  }

  /**
   * Drops `key`; what is being computed for it will not be kept. False when it was not held.
   *
   * @throws ClosedError
   */
  delete(key: K): boolean {
    const slot = this.#liveSlot(key);
    if (this.#flights.size > 0) this.#flights.disown(key);
    if (slot === NONE) return false;
    this.#entries.drop(slot, 'deleted');
    this.#entries.settle();
    return true;
  }

  /**
   * Drops everything; what is being computed will not be kept.
   *
   * @throws ClosedError
   */
  clear(): void {
    this.#requireOpen();
    this.#flights.disownAll();
    this.#entries.clear();
    this.#entries.settle();
  }

  /**
   * The value of `key`, computed if it is not held: once, however many ask meanwhile. What `compute` throws reaches all who wait and is not kept;
   * nor is `undefined`. The computation's signal aborts when all who waited have left, or the cache closes.
   *
   * @throws The signal's reason; what `compute` throws; InvalidArgumentError; ClosedError, also while waiting.
   */
  async getOrCompute(key: K, compute: Compute<V>, options: ComputeOptions = {}): Promise<V> {
    this.#requireOpen();
    const { signal } = options;
    const ttlMs = this.#ttlOf(options);
    requireOwner(options.owner);
    requireSize(options.sizeBytes);
    if (typeof compute !== 'function') throw new InvalidArgumentError('compute', 'must be a function.');
    signal?.throwIfAborted();
    const held = this.get(key);
    if (held !== undefined) return held;
    return await this.#flights.join(key, { compute, signal, end: this.#endOf(options, ttlMs) });
  }

  /** Keys held, as long as they are, in order of arrival. What is set or deleted meanwhile may or may not be seen. */
  *keys(): IterableIterator<K> {
    this.#requireOpen();
    const { slots } = this.#entries.table;
    // A key that is set anew while it is looked at may come again at the end: without a bound that would go on for ever.
    let left = slots.size;
    for (const key of slots.keys()) {
      if (left-- === 0) return;
      if (this.#isLive(key)) yield key;
    }
  }

  /** Keys and values held, as long as they are, in order of arrival; reading them counts as nothing. */
  *entries(): IterableIterator<[K, V]> {
    const { table } = this.#entries;
    for (const key of this.keys()) yield [key, table.values[table.slots.get(key)!]!];
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries();
  }

  /**
   * Changes bounds; what is left out stays. Entries beyond the new bounds leave at once; a new time applies to what is set from now on.
   *
   * @throws InvalidArgumentError; ClosedError.
   */
  resize(bounds: CacheBounds): void {
    this.#requireOpen();
    requireBounds(bounds);
    this.#entries.resize(bounds);
    if ('ttlMs' in bounds) this.#ttlMs = bounds.ttlMs;
    this.#entries.settle();
  }

  /**
   * Drops up to `limit` entries whose time is over, and returns how many; all by default. Reads and inserts do it in passing.
   *
   * @throws InvalidArgumentError for anything but a number, 0 or more; ClosedError.
   */
  sweep(limit = Number.POSITIVE_INFINITY): number {
    this.#requireOpen();
    if (!(typeof limit === 'number' && limit >= 0)) {
      throw new InvalidArgumentError('limit', `must be a number, 0 or more; got ${String(limit)}.`);
    }
    const count = this.#entries.dropExpired({ mostEntries: limit, targetBytes: Number.POSITIVE_INFINITY });
    this.#entries.settle();
    return count;
  }

  /** Figures since the cache was made; also after close. */
  statistics(): CacheStatistics {
    return this.#entries.statistics({ name: this.name, computing: this.#flights.running });
  }

  /**
   * Drops everything, ends computations (who waits for one is rejected with `ClosedError`) and leaves the budget. Closing twice is
   * harmless; `onEvict` is told of every entry.
   */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#flights.abortAll(new ClosedError(`The cache ${this.name}`));
    this.#entries.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /**
   * Throws `InvariantError` unless every structure is whole and the books are their sum. For tests.
   *
   * @internal
   */
  validate(): void {
    this.#entries.check();
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new ClosedError(`The cache ${this.name}`);
  }

  #liveSlot(key: K): number {
    this.#requireOpen();
    const { table } = this.#entries;
    const slot = table.slots.get(key);
    if (slot === undefined) return NONE;
    if (table.expiry === null || table.expiry.deadlines[slot]! > this.#clock.monotonicMs()) return slot;
    this.#entries.expire(slot);
    return NONE;
  }

  #isLive(key: K): boolean {
    const { slots, expiry } = this.#entries.table;
    return expiry === null || expiry.deadlines[slots.get(key)!]! > this.#clock.monotonicMs();
  }

  #ttlOf({ ttlMs }: SetOptions): number | undefined {
    if (ttlMs === undefined) return this.#ttlMs;
    requireTtl(ttlMs);
    return ttlMs;
  }

  #endOf({ sizeBytes, owner }: ComputeOptions, ttlMs: number | undefined): FlightEnd<K, V> {
    const entries = this.#entries;
    return {
      started: () => void entries.counters.computations++,
      kept: (key, value) => {
        if (value === undefined) return;
        const bytes = entries.sizes.charge(key, value, sizeBytes);
        if (this.#isClosed || this.#flights.has(key)) return;
        entries.put(key, value, { bytes, ttlMs, owner });
        entries.settle();
      },
      late: () => void entries.counters.lateResults++,
      failed: () => void entries.counters.computationErrors++,
    };
  }
}
