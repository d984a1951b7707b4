/**
 * The entries of a cache: how they come in, and how they leave.
 *
 * Everything that changes them goes through `put` and `drop`, so the books (budget, quotas, counters) and the structures (table, policy, expiry,
 * owners) change together. Between the two calls into user code that an operation makes, `sizeOf` before and `onEvict` after, nothing
 * foreign runs.
 */
import { invariant } from '../../base/assert.ts';
import { type Clock, nextTurn } from '../../base/clock.ts';
import { seededRandom } from '../../base/random.ts';
import { Budget } from '../../budget/budget.ts';
import type { ReclaimRequest } from '../../budget/consumer.ts';
import { HolderBytes } from '../../budget/holder-bytes.ts';
import {
  type CacheBounds,
  type CacheOptions,
  type EvictionCause,
  MOST_ENTRIES,
  MOST_ENTRY_BYTES,
  type RefusalCause,
} from './cache-options.ts';
import { CacheCounters, type CacheStatistics } from './cache-statistics.ts';
import { Departures } from './departures.ts';
import { EntrySizes } from './entry-sizes.ts';
import { KeyHasher } from './key-hash.ts';
import { DEFAULT_POLICY, policyNamed } from './policies.ts';
import { NONE } from './policy.ts';
import { SlotTable } from './slot-table.ts';
import { ValueCurve } from './value-curve.ts';

const DEFAULT_PRIORITY = 7;
/** Expired entries dropped in passing by one insert. */
const EXPIRED_PER_PUT = 4;
const NO_BOUND_BYTES = Number.MAX_SAFE_INTEGER;

interface Arrival {
  /** With overhead; NaN when it could not be told. */
  readonly bytes: number;
  readonly ttlMs: number | undefined;
  readonly owner: string | undefined;
}

export class Entries<K, V> {
  readonly table: SlotTable<K, V>;
  readonly counters = new CacheCounters();
  readonly sizes: EntrySizes<K, V>;
  readonly curve: ValueCurve;
  /** Keys with none of these bits in their hash are told to the curve. */
  sampleMask = 0;
  readonly #options: CacheOptions<K, V>;
  readonly #clock: Clock;
  readonly #hasher: KeyHasher;
  readonly #departures: Departures<K, V>;
  readonly #ownBudget: Budget | null;
  readonly #books: HolderBytes;
  readonly #policyName: string;
  #maxBytes: number;
  #maxEntries: number;
  #isLighter = false;

  constructor(options: CacheOptions<K, V>, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    const random = options.random ?? seededRandom(Math.floor(clock.nowMs() + clock.monotonicMs() * 1000));
    this.#hasher = new KeyHasher(Math.floor(random() * 2 ** 32));
    const { policy = DEFAULT_POLICY } = options;
    this.#policyName = typeof policy === 'function' ? 'custom' : policy;
    this.table = new SlotTable((typeof policy === 'function' ? policy : policyNamed(policy))({ random }));
    this.curve = new ValueCurve(clock);
    this.#departures = new Departures(options, this.counters);
    this.sizes = new EntrySizes(options, (error) => this.#departures.report(error, 'sizeOf'));
    this.#maxBytes = options.maxBytes ?? NO_BOUND_BYTES;
    this.#maxEntries = options.maxEntries ?? MOST_ENTRIES;
    const budget = options.budget ?? new Budget({ name: 'unshared', limitBytes: NO_BOUND_BYTES, clock });
    this.#ownBudget = options.budget === undefined ? budget : null;
    this.#books = this.#register(budget);
  }

  get usedBytes(): number {
    return this.#books.usedBytes;
  }

  /** Keeps a value, in place of what was there, or refuses it and drops that as well. */
  put(key: K, value: V, arrival: Arrival): boolean {
    const { table } = this;
    if (table.expiry !== null) {
      this.dropExpired({ mostEntries: EXPIRED_PER_PUT, targetBytes: Number.POSITIVE_INFINITY });
    }
    const { bytes } = arrival;
    const slot = table.slotOf(key);
    if (!(bytes <= this.#maxBytes && bytes <= MOST_ENTRY_BYTES)) {
      if (slot !== undefined) this.drop(slot, 'replaced');
      return this.#refuse(Number.isNaN(bytes) ? 'size' : 'too_large');
    }
    if (slot !== undefined) {
      // Whose it is may have changed, and with it whose quota it counts towards.
      if (table.owners === null && arrival.owner === undefined) return this.#replace(slot, value, arrival);
      this.drop(slot, 'replaced');
    }
    return this.#add(key, value, arrival);
  }

  /** Lets an entry go; `isOut` when the policy has done so already. */
  drop(slot: number, cause: EvictionCause, isOut = false): void {
    const { table } = this;
    const bytes = table.bytes[slot]!;
    if (!isOut) table.policy.remove(slot);
    if (table.expiry !== null) table.expiry.cancel(slot);
    if (table.owners !== null) this.#disownSlot(slot, bytes);
    this.#departures.add(table.keys[slot] as K, table.values[slot] as V, cause);
    table.free(slot);
    this.#books.release(bytes);
    this.counters.evictions[cause]++;
    this.#isLighter = true;
  }

  /** Drops an entry whose time is over. */
  expire(slot: number): void {
    this.drop(slot, 'expired');
    this.settle();
  }

  /** Drops what is known to be expired, up to so many entries or until so many bytes are free; returns how many. */
  dropExpired({ mostEntries, targetBytes }: { mostEntries: number; targetBytes: number }): number {
    const { expiry } = this.table;
    if (expiry === null) return 0;
    expiry.advance(this.#clock.monotonicMs());
    const leastBytes = this.usedBytes - targetBytes;
    let count = 0;
    for (let slot = expiry.firstExpired(); slot !== NONE; slot = expiry.firstExpired()) {
      if (count >= mostEntries || this.usedBytes <= leastBytes) break;
      this.drop(slot, 'expired');
      count++;
    }
    return count;
  }

  /** Drops everything at once. */
  clear(): void {
    const { table } = this;
    for (const slot of table.slots.values()) {
      this.#departures.add(table.keys[slot] as K, table.values[slot] as V, 'deleted');
      if (table.owners !== null) this.#disownSlot(slot, table.bytes[slot]!);
    }
    this.counters.evictions.deleted += table.slots.size;
    this.#books.release(this.usedBytes);
    table.clear();
    this.curve.clear();
    this.sampleMask = 0;
    this.#isLighter = true;
  }

  /** The end of an operation: gives slack back, and tells who left. */
  settle(): void {
    if (this.#isLighter) {
      this.#isLighter = false;
      this.table.shrink();
      this.#books.settle();
    }
    if (!this.#departures.isEmpty) this.#departures.tell();
  }

  resize({ maxBytes, maxEntries }: CacheBounds): void {
    // First, for it may refuse.
    if (maxBytes !== undefined) this.#books.setMaxBytes(maxBytes);
    this.#maxBytes = maxBytes ?? this.#maxBytes;
    this.#maxEntries = maxEntries ?? this.#maxEntries;
    while (this.table.size > this.#maxEntries || this.usedBytes > this.#maxBytes) this.#evict('capacity');
  }

  close(): void {
    this.clear();
    this.#books.close();
    this.#ownBudget?.close();
    this.#departures.tell();
  }

  sampleRead(slot: number): void {
    const { hashes, bytes } = this.table;
    const { hits: countedHits } = this.counters;
    this.curve.read({ hash: hashes[slot]!, bytes: bytes[slot]!, heldBytes: this.usedBytes, countedHits });
    this.sampleMask = this.curve.mask;
  }

  statistics({ name, computing }: { name: string; computing: number }): CacheStatistics {
    const { counters, table } = this;
    const { hits, misses, sets, computations, computationErrors, lateResults, callbackErrors } = counters;
    return {
      name,
      policy: this.#policyName,
      entries: table.size,
      bytes: this.usedBytes,
      expiredBytes: this.#expiredBytes(),
      reservedBytes: this.#books.reservedBytes,
      peakBytes: this.#books.peakBytes,
      maxBytes: this.#maxBytes === NO_BOUND_BYTES ? null : this.#maxBytes,
      maxEntries: this.#maxEntries === MOST_ENTRIES ? null : this.#maxEntries,
      ...{ hits, misses, sets, computations, computationErrors, lateResults, callbackErrors, computing },
      hitRatio: hits + misses === 0 ? 0 : hits / (hits + misses),
      refusals: { ...counters.refusals },
      evictions: { ...counters.evictions },
    };
  }

  /** @internal */
  check(): void {
    const { table } = this;
    table.check((slot) => this.sizes.weightOf(table.bytes[slot]!));
    let bytes = 0;
    for (const slot of table.slots.values()) bytes += table.bytes[slot]!;
    invariant(bytes === this.usedBytes, `the entries take ${bytes} bytes, the books say ${this.usedBytes}`);
    invariant(bytes <= this.#maxBytes && table.size <= this.#maxEntries, 'a bound is exceeded');
    invariant(this.#books.reservedBytes >= bytes, 'more is held than reserved');
  }

  #register(budget: Budget): HolderBytes {
    const {
      name,
      where = 'heap',
      priority = DEFAULT_PRIORITY,
      weight,
      minBytes,
      maxBytes,
      missCost = 1,
    } = this.#options;
    return new HolderBytes({
      ...{ budget, name, where, priority },
      ...(weight !== undefined && { weight }),
      ...(minBytes !== undefined && { minBytes }),
      ...(maxBytes !== undefined && { maxBytes }),
      idleBytes: () => this.#expiredBytes(),
      valueOfLast: (bytes) => {
        const { hits: countedHits } = this.counters;
        return missCost * this.curve.valueOfLast(bytes, { heldBytes: this.usedBytes, countedHits });
      },
      drop: (request) => this.#give(request),
    });
  }

  #add(key: K, value: V, { bytes, ttlMs, owner }: Arrival): boolean {
    const { table } = this;
    if (owner !== undefined && !this.#chargeOwner(owner, bytes)) return this.#refuse('quota');
    const hash = this.#hasher.hash(key);
    const slot = table.take(key, hash);
    table.policy.add(slot, hash, this.sizes.weightOf(bytes));
    const refusal = this.#makeRoom(slot, bytes);
    if (refusal !== null) {
      table.free(slot);
      if (owner !== undefined) this.#options.quotas?.refund(owner, bytes);
      return this.#refuse(refusal);
    }
    table.bytes[slot] = bytes;
    table.values[slot] = value;
    if (owner !== undefined) table.watchOwners().add(slot, owner);
    this.#startTime(slot, ttlMs);
    if ((hash & this.sampleMask) === 0) this.sampleRead(slot);
    this.counters.sets++;
    return true;
  }

  #replace(slot: number, value: V, { bytes, ttlMs }: Arrival): boolean {
    const { table } = this;
    const moreBytes = bytes - table.bytes[slot]!;
    if (table.expiry !== null) table.expiry.cancel(slot);
    table.policy.hit(slot);
    table.policy.setWeight(slot, this.sizes.weightOf(bytes));
    const refusal = moreBytes > 0 ? this.#makeRoom(slot, moreBytes) : null;
    if (refusal !== null) {
      this.drop(slot, 'replaced', true);
      return this.#refuse(refusal);
    }
    if (moreBytes < 0) {
      this.#books.release(-moreBytes);
      this.#isLighter = true;
    }
    this.#departures.add(table.keys[slot] as K, table.values[slot] as V, 'replaced');
    this.counters.evictions.replaced++;
    table.bytes[slot] = bytes;
    table.values[slot] = value;
    this.#startTime(slot, ttlMs);
    this.counters.sets++;
    return true;
  }

  /**
   * Takes `bytes` for the entry in `slot`, whom the policy knows already, evicting others for it; why it cannot when the policy lets go
   * of the entry itself, as it does at the latest when no other is left.
   */
  #makeRoom(slot: number, bytes: number): RefusalCause | null {
    const { table } = this;
    while (table.slots.size > this.#maxEntries || this.usedBytes + bytes > this.#maxBytes) {
      const victim = table.policy.evict();
      if (victim === slot) return table.slots.size === 1 ? 'too_large' : 'policy';
      this.drop(victim, 'capacity', true);
    }
    while (!this.#books.tryTake(bytes)) {
      const victim = table.policy.evict();
      if (victim === slot) return table.slots.size === 1 ? 'budget' : 'policy';
      this.drop(victim, 'capacity', true);
    }
    return null;
  }

  #refuse(cause: RefusalCause): false {
    this.counters.refusals[cause]++;
    return false;
  }

  /** Charges `owner`, letting its own oldest entries go for it if that will do, and none if it will not. */
  #chargeOwner(owner: string, bytes: number): boolean {
    const { quotas } = this.#options;
    if (quotas === undefined || quotas.tryCharge(owner, bytes)) return true;
    const { owners } = this.table;
    if (owners === null) return false;
    let lackBytes = bytes - quotas.roomBytes(owner);
    const slots: number[] = [];
    for (const slot of owners.oldestFirst(owner)) {
      slots.push(slot);
      lackBytes -= this.table.bytes[slot]!;
      if (lackBytes <= 0) break;
    }
    if (lackBytes > 0) return false;
    for (const slot of slots) this.drop(slot, 'quota');
    return quotas.tryCharge(owner, bytes);
  }

  #disownSlot(slot: number, bytes: number): void {
    const owner = this.table.owners!.ownerOf(slot);
    if (owner === undefined) return;
    this.table.owners!.remove(slot);
    this.#options.quotas?.refund(owner, bytes);
  }

  #startTime(slot: number, ttlMs: number | undefined): void {
    if (ttlMs === undefined || ttlMs === Number.POSITIVE_INFINITY) return;
    const nowMs = this.#clock.monotonicMs();
    this.table.watchExpiry(nowMs).start(slot, { nowMs, ttlMs });
  }

  #evict(cause: EvictionCause): boolean {
    const victim = this.table.policy.evict();
    if (victim === NONE) return false;
    this.drop(victim, cause, true);
    return true;
  }

  /** The budget asks: what is expired, then what owners hold above their quotas, then what is least worth. */
  #give({ targetBytes, kind }: ReclaimRequest): void {
    const leastBytes = this.usedBytes - targetBytes;
    this.dropExpired({ mostEntries: Number.POSITIVE_INFINITY, targetBytes });
    if (kind !== 'idle') {
      this.#giveExcess(leastBytes);
      while (this.usedBytes > leastBytes && this.#evict('pressure'));
    }
    this.table.shrink();
    // Whoever is told may use the cache, and must not take what was just released before the books are closed on it.
    if (!this.#departures.isEmpty) void nextTurn().then(() => this.#departures.tell());
  }

  #giveExcess(leastBytes: number): void {
    const { quotas } = this.#options;
    const { owners } = this.table;
    if (quotas === undefined || owners === null) return;
    for (const owner of quotas.overLimit) {
      while (this.usedBytes > leastBytes && quotas.excessBytes(owner) > 0) {
        const slot = owners.oldestOf(owner);
        if (slot === NONE) break;
        this.drop(slot, 'quota');
      }
    }
  }

  #expiredBytes(): number {
    const { expiry } = this.table;
    if (expiry === null) return 0;
    expiry.advance(this.#clock.monotonicMs());
    return expiry.expiredBytes;
  }
}
