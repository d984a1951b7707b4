/**
 * Evicts the entry that is expected to bring the fewest hits for the bytes and the time it takes: learnt, not assumed.
 *
 * Every policy bets on the shape of the traffic: LRU on recency, LFU on popularity, the LIRS and 2Q family against scans. Each loses
 * where its bet is wrong. This one measures the shape while it runs (`reuse-odds.ts`: how soon do entries of such a past, unused for such
 * a time, come again?) and ranks each entry by value = hits to be expected per moment, divided by its weight.
 *
 *   hit(slot) ── now, past ──▶ record         one record of 8 bytes, one counter: no list, no lock-step order
 *   evict() ── the hand moves on to one below the bar; the newest are asked as well ──▶ who leaves stays as a ghost
 *   every 512 to 65,536 calls or more ── a sample of those that wait ──▶ the values are drawn up anew
 *
 * - **Any order at no cost.** Values change with time, so no list could be kept in their order. A hand goes round the slots, as in CLOCK,
 *   and stops at the first whose value is below the *bar*: who leaves is one of the least valuable few percent. The bar finds its level by
 *   itself: it rises a little with each entry passed over and falls with each found, so that of `BELOW_BAR` one is below. Slots beside each
 *   other share lines of memory, which makes the walk cheap; a newcomer takes the slot just left and so waits a whole round. The newest are
 *   always asked too, because a newcomer is often the right one to refuse; the one it leaves instead of is asked first next time.
 * - **Sizes.** A value is per byte, so one large entry must be worth as much as all the small ones in its room (GreedyDual-Size, Cao and
 *   Irani 1997). Where entries cost their owner differently to make, a factor on `worth` is all it takes.
 * - **Ghosts** give back an entry its past when it returns, and show the odds what happens after eviction. At most two for each entry held.
 * - **Cost**: 40 bytes an entry with its ghosts, and 52 KB for the tables. A hit writes one record and one counter.
 *
 * Measured against LRU, ARC, LIRS, SIEVE, S3-FIFO, W-TinyLFU and the optimum in `bench/cache-traces`.
 */
import { invariant } from '../../../base/assert.ts';
import type { Random } from '../../../base/random.ts';
import { NONE, type Policy, type PolicyOptions } from '../policy.ts';
import { HistoryGhosts } from './history-ghosts.ts';
import { cellOf, SEEN_ONCE, seenAgain } from './reuse-history.ts';
import { ReuseOdds } from './reuse-odds.ts';
import { resized } from './slot-list.ts';

/** A power of two. */
const NEWEST = 2;
/** So many are passed over, about, for one that is below the bar. */
const BELOW_BAR = 16;
const BAR_GAIN = 1 / 256;
/** After so many in vain the bar rises by this factor. */
const MOST_ASKED = 32;
const BAR_RISE = 1.25;
/** Entries, and as many ghosts, that are looked at when values are drawn up. */
const WAITING_SAMPLE = 1024;

/** A record: when last used, past (0 for an empty slot). What a hit does not touch is elsewhere, so more records share a line of memory. */
const STRIDE = 2;
const HISTORY = 1;

export class HitDensity implements Policy {
  readonly #odds = new ReuseOdds();
  readonly #ghosts = new HistoryGhosts(this.#odds);
  #records = new Int32Array(0);
  /** 1 / weight, by slot. */
  #worths = new Float32Array(0);
  #hashes = new Int32Array(0);
  #count = 0;
  /** All entries are in slots below. */
  #top = 0;
  /** Calls so far: the only clock. It may pass 2^31; only differences are used. */
  #now = 0;
  #callsToDraw = 0;
  #drawAfter = 0;
  /** The slots added last. */
  readonly #newest = new Int32Array(NEWEST).fill(NONE);
  #newestAt = 0;
  #hand = 0;
  /** The value below which those are that the hand stops at. */
  #bar = 0;
  /** Below the bar at the last eviction, when a newcomer left instead. */
  #runnerUp = NONE;
  readonly #random: Random;

  constructor({ random }: PolicyOptions) {
    this.#random = random;
  }

  reserve(slotCount: number): void {
    this.#records = resized(this.#records, slotCount * STRIDE);
    this.#worths = resized(this.#worths, slotCount);
    this.#hashes = resized(this.#hashes, slotCount);
    this.#top = Math.min(this.#top, slotCount);
    if (this.#runnerUp >= slotCount) this.#runnerUp = NONE;
    for (let index = 0; index < NEWEST; index++) if (this.#newest[index]! >= slotCount) this.#newest[index] = NONE;
  }

  add(slot: number, hash: number, weight: number): void {
    const now = this.#tick();
    const known = this.#ghosts.take(hash | 0);
    let history = SEEN_ONCE;
    if (known !== 0) {
      const age = (now - this.#ghosts.lastUse) | 0;
      this.#odds.countUse(known, age);
      history = seenAgain(known, age);
    }
    const at = slot * STRIDE;
    this.#records[at] = now;
    this.#records[at + HISTORY] = history;
    this.#worths[slot] = 1 / weight;
    this.#hashes[slot] = hash;
    this.#count++;
    if (slot >= this.#top) this.#top = slot + 1;
    this.#newest[this.#newestAt] = slot;
    this.#newestAt = (this.#newestAt + 1) & (NEWEST - 1);
  }

  hit(slot: number): void {
    const now = this.#tick();
    const records = this.#records;
    const at = slot * STRIDE;
    const history = records[at + HISTORY]!;
    const age = (now - records[at]!) | 0;
    this.#odds.countUse(history, age);
    records[at] = now;
    records[at + HISTORY] = seenAgain(history, age);
  }

  setWeight(slot: number, weight: number): void {
    this.#worths[slot] = 1 / weight;
  }

  remove(slot: number): void {
    const at = slot * STRIDE;
    this.#odds.countLoss(this.#records[at + HISTORY]!, (this.#now - this.#records[at]!) | 0);
    this.#empty(at);
  }

  evict(): number {
    if (this.#count === 0) return NONE;
    const slot = this.#leastValuable();
    const records = this.#records;
    const at = slot * STRIDE;
    const history = records[at + HISTORY]!;
    this.#empty(at);
    const heldCount = this.#count;
    this.#ghosts.put(this.#hashes[slot]!, { lastUse: records[at]!, history, now: this.#now, heldCount });
    return slot;
  }

  move(from: number, to: number): void {
    const records = this.#records;
    records.copyWithin(to * STRIDE, from * STRIDE, (from + 1) * STRIDE);
    records[from * STRIDE + HISTORY] = 0;
    this.#worths[to] = this.#worths[from]!;
    this.#hashes[to] = this.#hashes[from]!;
    if (to >= this.#top) this.#top = to + 1;
    const place = this.#newest.indexOf(from);
    if (place >= 0) this.#newest[place] = to;
    if (this.#runnerUp === from) this.#runnerUp = to;
  }

  clear(): void {
    this.#records.fill(0);
    this.#count = 0;
    this.#top = 0;
    this.#newest.fill(NONE);
    this.#hand = 0;
    this.#bar = 0;
    this.#runnerUp = NONE;
    this.#ghosts.clear();
    this.#odds.clear();
    this.#callsToDraw = 0;
    this.#drawAfter = 0;
  }

  check(weights: ReadonlyMap<number, number>): void {
    let held = 0;
    for (let slot = 0; slot * STRIDE < this.#records.length; slot++) {
      if (this.#records[slot * STRIDE + HISTORY] === 0) continue;
      held++;
      const weight = weights.get(slot);
      invariant(weight !== undefined && slot < this.#top, `hit-density: slot ${slot} is not held`);
      const worth = Math.fround(1 / weight);
      invariant(this.#worths[slot] === worth, `hit-density: slot ${slot} has another weight`);
    }
    invariant(held === weights.size && held === this.#count, 'hit-density: not the entries held');
    this.#ghosts.check();
  }

  #tick(): number {
    if (--this.#callsToDraw <= 0) this.#draw();
    this.#now = (this.#now + 1) | 0;
    return this.#now;
  }

  #empty(at: number): void {
    this.#records[at + HISTORY] = 0;
    this.#count--;
  }

  /** The least valuable of the newest and of one below the bar. */
  #leastValuable(): number {
    let least = this.#runnerUp;
    let leastValue =
      least === NONE || this.#records[least * STRIDE + HISTORY] === 0 ? Number.POSITIVE_INFINITY : this.#valueOf(least);
    if (!(leastValue <= this.#bar)) {
      least = this.#sweep();
      leastValue = this.#valueOf(least);
    }
    this.#runnerUp = NONE;
    const newest = this.#newest;
    for (let index = 0; index < NEWEST; index++) {
      const slot = newest[index]!;
      if (slot === NONE || slot === least || this.#records[slot * STRIDE + HISTORY] === 0) continue;
      const value = this.#valueOf(slot);
      if (value >= leastValue) continue;
      this.#runnerUp = least;
      least = slot;
      leastValue = value;
    }
    return least;
  }

  #valueOf(slot: number): number {
    const records = this.#records;
    const at = slot * STRIDE;
    return this.#odds.values[cellOf(records[at + HISTORY]!, (this.#now - records[at]!) | 0)]! * this.#worths[slot]!;
  }

  /** Moves the hand to one below the bar. There must be one held; an empty stretch is amortised by the removals that emptied it. */
  #sweep(): number {
    const records = this.#records;
    const worths = this.#worths;
    const { values } = this.#odds;
    const now = this.#now;
    const top = this.#top;
    let bar = this.#bar;
    let slot = this.#hand;
    let asked = 0;
    for (;;) {
      if (++slot >= top) slot = 0;
      const at = slot * STRIDE;
      const history = records[at + HISTORY]!;
      if (history === 0) continue;
      asked++;
      const value = values[cellOf(history, (now - records[at]!) | 0)]! * worths[slot]!;
      if (value <= bar) break;
      if (asked % MOST_ASKED === 0) bar = bar === 0 ? value : bar * BAR_RISE;
    }
    this.#hand = slot;
    this.#bar = bar * (1 + BAR_GAIN * (Math.min(asked, MOST_ASKED) - BELOW_BAR));
    return slot;
  }

  #draw(): void {
    const records = this.#records;
    const odds = this.#odds;
    const now = this.#now;
    const phase = this.#random();
    const weight = Math.max(1, this.#top / WAITING_SAMPLE);
    for (let slot = phase * weight; slot < this.#top; slot += weight) {
      const at = Math.floor(slot) * STRIDE;
      const history = records[at + HISTORY]!;
      if (history !== 0) odds.countWaiting(history, { age: (now - records[at]!) | 0, weight });
    }
    this.#ghosts.countWaiting(now, { sampleCount: WAITING_SAMPLE, phase });
    this.#drawAfter = odds.draw({ heldCount: this.#count, calls: this.#drawAfter });
    this.#callsToDraw = this.#drawAfter;
  }
}
