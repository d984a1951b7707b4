/**
 * When entries expire: a hierarchical timing wheel (Varghese and Lauck, SOSP 1987) without a timer.
 *
 *   level 0: 64 buckets of 64 ms │ level 1: 64 of 4 s │ level 2: 64 of 4.4 min │ level 3: 64 of 4.7 h and beyond
 *
 * Scheduling and cancelling touch one list. Time moves on when somebody asks (`advance`): the buckets it passed are emptied, an entry
 * moves at most once for each level, and what is due stands in the list of the *expired* until its holder drops it. So the bytes that
 * are worth nothing are known without looking through the entries. A deadline may move on at any time at no cost: the wheel notices when it
 * gets to the old one.
 *
 * A bucket is up to 64 ms late. Who reads an entry compares its deadline and is never late.
 */
import { invariant } from '../../base/assert.ts';
import { resized } from './policies/slot-list.ts';
import { NONE } from './policy.ts';

const TICK_MS = 64;
const LEVELS = 4;
const BUCKET_BITS = 6;
const BUCKETS = 2 ** BUCKET_BITS;
const EXPIRED = LEVELS * BUCKETS;

export class ExpiryWheel {
  /** Milliseconds of the monotonic clock, by slot; `Infinity` for never. */
  deadlines = new Float64Array(0);
  #ttls = new Float64Array(0);
  #next = new Int32Array(0);
  #previous = new Int32Array(0);
  /** The list each slot is in; `NONE` for none. */
  #listOf = new Int32Array(0);
  readonly #firsts = new Int32Array(EXPIRED + 1).fill(NONE);
  /** Slots in each level, so that empty ones are passed over. */
  readonly #counts = new Int32Array(LEVELS + 1);
  #tick: number;
  #expiredBytes = 0;
  readonly #bytesOf: (slot: number) => number;

  constructor(options: { nowMs: number; bytesOf: (slot: number) => number }) {
    this.#tick = Math.floor(options.nowMs / TICK_MS);
    this.#bytesOf = options.bytesOf;
  }

  /** Bytes of entries known to be expired and still held. */
  get expiredBytes(): number {
    return this.#expiredBytes;
  }

  reserve(slotCount: number): void {
    const before = this.deadlines.length;
    this.deadlines = resized(this.deadlines, slotCount);
    this.#ttls = resized(this.#ttls, slotCount);
    this.#next = resized(this.#next, slotCount);
    this.#previous = resized(this.#previous, slotCount);
    this.#listOf = resized(this.#listOf, slotCount);
    if (slotCount > before) {
      this.deadlines.fill(Number.POSITIVE_INFINITY, before);
      this.#listOf.fill(NONE, before);
    }
  }

  /** The entry in `slot` lives `ttlMs` from `nowMs` on; for ever with `Infinity`. */
  start(slot: number, { nowMs, ttlMs }: { nowMs: number; ttlMs: number }): void {
    this.cancel(slot);
    const deadlineMs = nowMs + ttlMs;
    this.deadlines[slot] = deadlineMs;
    this.#ttls[slot] = ttlMs;
    if (deadlineMs !== Number.POSITIVE_INFINITY) this.#place(slot, Math.max(tickOf(deadlineMs), this.#tick + 1));
  }

  /** The time of the entry, which is not over, starts anew. The wheel notices when it gets to the old end. */
  restart(slot: number, nowMs: number): void {
    if (this.#listOf[slot] !== NONE) this.deadlines[slot] = nowMs + this.#ttls[slot]!;
  }

  /** The entry never expires, or is gone. Before its bytes change. */
  cancel(slot: number): void {
    const list = this.#listOf[slot]!;
    this.deadlines[slot] = Number.POSITIVE_INFINITY;
    if (list === NONE) return;
    const after = this.#next[slot]!;
    const before = this.#previous[slot]!;
    if (before === NONE) this.#firsts[list] = after;
    else this.#next[before] = after;
    if (after !== NONE) this.#previous[after] = before;
    this.#listOf[slot] = NONE;
    this.#counts[list >> BUCKET_BITS]!--;
    if (list === EXPIRED) this.#expiredBytes -= this.#bytesOf(slot);
  }

  /** Moves what is due by `nowMs` to the expired. Amortised O(1) for each entry and level. */
  advance(nowMs: number): void {
    const target = Math.floor(nowMs / TICK_MS);
    while (this.#tick < target) {
      const level = this.#lowestLevel();
      if (level === LEVELS) {
        this.#tick = target;
        return;
      }
      // Nothing can happen before the next bucket of the lowest level that has any.
      const span = 2 ** (level * BUCKET_BITS);
      const tick = (Math.floor(this.#tick / span) + 1) * span;
      if (tick > target) {
        this.#tick = target;
        return;
      }
      this.#tick = tick;
      for (let above = LEVELS - 1; above > 0; above--) {
        if (tick % 2 ** (above * BUCKET_BITS) === 0) this.#empty(above);
      }
      this.#empty(0);
    }
  }

  /** An entry known to be expired; `NONE` when there is none. */
  firstExpired(): number {
    return this.#firsts[EXPIRED]!;
  }

  move(from: number, to: number): void {
    const list = this.#listOf[from]!;
    const deadlineMs = this.deadlines[from]!;
    this.deadlines[to] = deadlineMs;
    this.#ttls[to] = this.#ttls[from]!;
    this.deadlines[from] = Number.POSITIVE_INFINITY;
    this.#listOf[to] = list;
    this.#listOf[from] = NONE;
    if (list === NONE) return;
    const after = this.#next[from]!;
    const before = this.#previous[from]!;
    this.#next[to] = after;
    this.#previous[to] = before;
    if (before === NONE) this.#firsts[list] = to;
    else this.#next[before] = to;
    if (after !== NONE) this.#previous[after] = to;
  }

  /** @internal Throws `InvariantError` unless every slot with a deadline, and no other, is in one list. */
  check(held: ReadonlySet<number>): void {
    const seen = new Set<number>();
    let expiredBytes = 0;
    for (let list = 0; list <= EXPIRED; list++) {
      let before = NONE;
      for (let slot = this.#firsts[list]!; slot !== NONE; slot = this.#next[slot]!) {
        invariant(!seen.has(slot) && held.has(slot), `expiry: slot ${slot} is in two lists, or not held`);
        invariant(
          this.#previous[slot] === before && this.#listOf[slot] === list,
          'expiry: links contradict each other',
        );
        seen.add(slot);
        if (list === EXPIRED) expiredBytes += this.#bytesOf(slot);
        before = slot;
      }
    }
    for (const slot of held) {
      invariant(seen.has(slot) === Number.isFinite(this.deadlines[slot]), 'expiry: a deadline that nobody watches');
    }
    invariant(expiredBytes === this.#expiredBytes, 'expiry: expired bytes are wrong');
    invariant(
      this.#counts.reduce((sum, count) => sum + count, 0) === seen.size,
      'expiry: the levels hold more or less than they say',
    );
  }

  #lowestLevel(): number {
    let level = 0;
    while (level < LEVELS && this.#counts[level] === 0) level++;
    return level;
  }

  /** Passes on the entries of the bucket that is due in `level`. */
  #empty(level: number): void {
    const list = level * BUCKETS + (Math.floor(this.#tick / 2 ** (level * BUCKET_BITS)) % BUCKETS);
    let slot = this.#firsts[list]!;
    this.#firsts[list] = NONE;
    while (slot !== NONE) {
      const after = this.#next[slot]!;
      this.#counts[level]!--;
      this.#place(slot, tickOf(this.deadlines[slot]!));
      slot = after;
    }
  }

  #place(slot: number, tick: number): void {
    const delta = tick - this.#tick;
    if (delta <= 0) {
      this.#link(slot, EXPIRED);
      this.#expiredBytes += this.#bytesOf(slot);
      return;
    }
    let level = 0;
    while (level < LEVELS - 1 && delta >= 2 ** ((level + 1) * BUCKET_BITS)) level++;
    const span = 2 ** (level * BUCKET_BITS);
    // Beyond the last level it waits in the bucket that comes last, and is placed again from there.
    const bucket = Math.min(Math.floor(tick / span), Math.floor(this.#tick / span) + BUCKETS - 1) % BUCKETS;
    this.#link(slot, level * BUCKETS + bucket);
  }

  #link(slot: number, list: number): void {
    const first = this.#firsts[list]!;
    this.#next[slot] = first;
    this.#previous[slot] = NONE;
    if (first !== NONE) this.#previous[first] = slot;
    this.#firsts[list] = slot;
    this.#listOf[slot] = list;
    this.#counts[list >> BUCKET_BITS]!++;
  }
}

/** The first tick at which the deadline has passed. */
function tickOf(deadlineMs: number): number {
  return Math.ceil(deadlineMs / TICK_MS);
}
