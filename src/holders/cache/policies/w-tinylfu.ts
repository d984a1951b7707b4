/**
 * W-TinyLFU with a window that finds its own size (Einziger, Friedman and Manes, 2017; Einziger, Eytan, Friedman and Manes,
 * Middleware 2018), after Caffeine.
 *
 *   newcomer ──▶ window ──▶ probation ◀──▶ protected        each least recently used
 *                              │
 *                 candidate ───┴─── victim: who comes more often, by the sketch, stays
 *
 * A newcomer lives in the window for a while. When that is over its share it contends with the one that would leave the main part. So
 * a scan passes through the window and pushes nobody out, while bursts of new keys live on recency. How large the window should be
 * differs by workload: after each ten reads and additions for an entry, its share is moved on in the direction that made hits more frequent.
 */
import { invariant } from '../../../base/assert.ts';
import type { Random } from '../../../base/random.ts';
import { NONE, type Policy, type PolicyOptions } from '../policy.ts';
import { FrequencySketch } from './frequency-sketch.ts';
import { resized, SlotLinks, SlotList } from './slot-list.ts';

const FIRST_WINDOW_SHARE = 0.01;
/** Of the main part. */
const PROTECTED_SHARE = 0.8;
const MOST_WINDOW_SHARE = 0.8;
/** A candidate that comes this often is let in once in a while all the same: keys crafted to collide with a favourite cannot shut it out. */
const WARM = 6;
const LUCK = 1 / 128;
const FIRST_STEP = 0.0625;
const STEP_DECAY = 0.98;
/** A change of the hit ratio from which the search starts anew. */
const RESTART_CHANGE = 0.05;
const SAMPLE_PER_ENTRY = 10;

const WINDOW = 0;
const PROBATION = 1;
const PROTECTED = 2;

export class WTinyLfu implements Policy {
  readonly #links = new SlotLinks();
  readonly #window = new SlotList(this.#links);
  readonly #probation = new SlotList(this.#links);
  readonly #protected = new SlotList(this.#links);
  readonly #sketch = new FrequencySketch();
  readonly #random: Random;
  #parts = new Uint8Array(0);
  #hashes = new Int32Array(0);
  #weights = new Uint32Array(0);
  #windowWeight = 0;
  #probationWeight = 0;
  #protectedWeight = 0;
  #newest = NONE;
  /** Came from the window last and has yet to contend. */
  #candidate = NONE;
  #windowShare = FIRST_WINDOW_SHARE;
  #step = FIRST_STEP;
  #hits = 0;
  #adds = 0;
  #lastRatio = 0;

  constructor({ random }: PolicyOptions) {
    this.#random = random;
  }

  reserve(slotCount: number): void {
    this.#links.reserve(slotCount);
    this.#sketch.reserve(slotCount);
    this.#parts = resized(this.#parts, slotCount);
    this.#hashes = resized(this.#hashes, slotCount);
    this.#weights = resized(this.#weights, slotCount);
  }

  add(slot: number, hash: number, weight: number): void {
    this.#hashes[slot] = hash;
    this.#weights[slot] = weight;
    this.#sketch.increment(hash);
    this.#parts[slot] = WINDOW;
    this.#window.unshift(slot);
    this.#windowWeight += weight;
    this.#newest = slot;
    this.#adds++;
  }

  hit(slot: number): void {
    this.#hits++;
    this.#sketch.increment(this.#hashes[slot]!);
    const part = this.#parts[slot];
    if (part === WINDOW) this.#window.toFront(slot);
    else if (part === PROTECTED) this.#protected.toFront(slot);
    else this.#protect(slot);
  }

  setWeight(slot: number, weight: number): void {
    const change = weight - this.#weights[slot]!;
    this.#weights[slot] = weight;
    this.#addWeight(this.#parts[slot]!, change);
  }

  remove(slot: number): void {
    const part = this.#parts[slot]!;
    if (slot === this.#newest) this.#newest = NONE;
    if (slot === this.#candidate) this.#candidate = NONE;
    this.#listOf(part).delete(slot);
    this.#addWeight(part, -this.#weights[slot]!);
  }

  evict(): number {
    this.#climb();
    this.#overflowWindow();
    const slot = this.#loser();
    if (slot !== NONE) this.remove(slot);
    return slot;
  }

  move(from: number, to: number): void {
    this.#listOf(this.#parts[from]!).move(from, to);
    this.#parts[to] = this.#parts[from]!;
    this.#hashes[to] = this.#hashes[from]!;
    this.#weights[to] = this.#weights[from]!;
    if (this.#newest === from) this.#newest = to;
    if (this.#candidate === from) this.#candidate = to;
  }

  clear(): void {
    this.#window.clear();
    this.#probation.clear();
    this.#protected.clear();
    this.#sketch.clear();
    this.#windowWeight = 0;
    this.#probationWeight = 0;
    this.#protectedWeight = 0;
    this.#newest = NONE;
    this.#candidate = NONE;
  }

  check(weights: ReadonlyMap<number, number>): void {
    const parts = [
      { part: WINDOW, list: this.#window, weight: this.#windowWeight },
      { part: PROBATION, list: this.#probation, weight: this.#probationWeight },
      { part: PROTECTED, list: this.#protected, weight: this.#protectedWeight },
    ];
    let count = 0;
    for (const { part, list, weight } of parts) {
      const slots = list.slots();
      count += slots.length;
      invariant(
        slots.every((slot) => this.#parts[slot] === part),
        'w-tinylfu: an entry is not where it says',
      );
      const sum = slots.reduce((total, slot) => total + (weights.get(slot) ?? Number.NaN), 0);
      invariant(sum === weight, 'w-tinylfu: weights are wrong');
    }
    invariant(count === weights.size, 'w-tinylfu: not the entries held');
    invariant(
      this.#candidate === NONE || this.#parts[this.#candidate] === PROBATION,
      'w-tinylfu: a candidate outside probation',
    );
  }

  get #held(): number {
    return this.#windowWeight + this.#probationWeight + this.#protectedWeight;
  }

  /** From probation to protected, which gives its least recently used back for it. */
  #protect(slot: number): void {
    if (slot === this.#candidate) this.#candidate = NONE;
    const weight = this.#weights[slot]!;
    this.#probation.delete(slot);
    this.#probationWeight -= weight;
    this.#parts[slot] = PROTECTED;
    this.#protected.unshift(slot);
    this.#protectedWeight += weight;
    const most = PROTECTED_SHARE * (this.#probationWeight + this.#protectedWeight);
    while (this.#protectedWeight > most && this.#protected.count > 1) {
      const last = this.#protected.last;
      this.#protected.delete(last);
      this.#protectedWeight -= this.#weights[last]!;
      this.#toProbation(last);
    }
  }

  #toProbation(slot: number): void {
    this.#parts[slot] = PROBATION;
    this.#probation.unshift(slot);
    this.#probationWeight += this.#weights[slot]!;
  }

  #overflowWindow(): void {
    const most = this.#windowShare * this.#held;
    while (this.#windowWeight > most) {
      const slot = this.#window.last;
      if (slot === this.#newest || slot === NONE) return;
      this.#window.delete(slot);
      this.#windowWeight -= this.#weights[slot]!;
      this.#toProbation(slot);
      this.#candidate = slot;
    }
  }

  #loser(): number {
    const candidate = this.#candidate;
    const victim = this.#probation.last;
    if (victim === NONE) {
      if (this.#protected.last !== NONE && this.#window.count <= 1) return this.#protected.last;
      return this.#window.last === NONE ? this.#protected.last : this.#window.last;
    }
    if (candidate === NONE) return victim;
    this.#candidate = NONE;
    if (candidate === victim) return victim;
    const candidateCount = this.#sketch.estimate(this.#hashes[candidate]!);
    const victimCount = this.#sketch.estimate(this.#hashes[victim]!);
    if (candidateCount > victimCount) return victim;
    return candidateCount >= WARM && this.#random() < LUCK ? victim : candidate;
  }

  /** Moves the window's share on when enough has been seen since the last time. */
  #climb(): void {
    const seen = this.#hits + this.#adds;
    if (seen < SAMPLE_PER_ENTRY * (this.#window.count + this.#probation.count + this.#protected.count)) return;
    const ratio = this.#hits / seen;
    const change = ratio - this.#lastRatio;
    const amount = change >= 0 ? this.#step : -this.#step;
    this.#windowShare = Math.min(MOST_WINDOW_SHARE, Math.max(FIRST_WINDOW_SHARE, this.#windowShare + amount));
    this.#step = Math.abs(change) >= RESTART_CHANGE ? FIRST_STEP * Math.sign(amount) : STEP_DECAY * amount;
    this.#lastRatio = ratio;
    this.#hits = 0;
    this.#adds = 0;
  }

  #listOf(part: number): SlotList {
    return part === WINDOW ? this.#window : part === PROBATION ? this.#probation : this.#protected;
  }

  #addWeight(part: number, change: number): void {
    if (part === WINDOW) this.#windowWeight += change;
    else if (part === PROBATION) this.#probationWeight += change;
    else this.#protectedWeight += change;
  }
}
