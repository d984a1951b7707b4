/**
 * S3-FIFO (Yang et al., SOSP 2023): a small queue through which newcomers pass, a main one, and the ghosts of those that did not pass.
 *
 * Most keys of a skewed workload come once. They leave from the small queue, a tenth of the weight, before they push anybody out of the
 * main one. Who was read twice there, or comes again while its ghost is remembered, goes to the main queue, where each read (up to three)
 * buys one more round.
 */
import { invariant } from '../../../base/assert.ts';
import { NONE, type Policy } from '../policy.ts';
import { Ghosts } from './ghosts.ts';
import { resized, SlotLinks, SlotList } from './slot-list.ts';

const MAIN_SHARE = 0.9;
/** Reads in the small queue that make an entry one of the main queue. */
const PROMOTING_READS = 2;
const MOST_READS = 3;

export class S3Fifo implements Policy {
  readonly #links = new SlotLinks();
  readonly #small = new SlotList(this.#links);
  readonly #main = new SlotList(this.#links);
  readonly #ghosts = new Ghosts();
  #reads = new Uint8Array(0);
  #isMain = new Uint8Array(0);
  #hashes = new Int32Array(0);
  #weights = new Uint32Array(0);
  #smallWeight = 0;
  #mainWeight = 0;
  #newest = NONE;

  reserve(slotCount: number): void {
    this.#links.reserve(slotCount);
    this.#ghosts.reserve(slotCount);
    this.#reads = resized(this.#reads, slotCount);
    this.#isMain = resized(this.#isMain, slotCount);
    this.#hashes = resized(this.#hashes, slotCount);
    this.#weights = resized(this.#weights, slotCount);
  }

  add(slot: number, hash: number, weight: number): void {
    this.#hashes[slot] = hash;
    this.#weights[slot] = weight;
    this.#reads[slot] = 0;
    this.#newest = slot;
    const held = this.#smallWeight + this.#mainWeight;
    if (this.#ghosts.take(hash, held * MAIN_SHARE)) this.#putInMain(slot);
    else {
      this.#isMain[slot] = 0;
      this.#small.unshift(slot);
      this.#smallWeight += weight;
    }
  }

  hit(slot: number): void {
    if (this.#reads[slot]! < MOST_READS) this.#reads[slot]!++;
  }

  setWeight(slot: number, weight: number): void {
    const change = weight - this.#weights[slot]!;
    this.#weights[slot] = weight;
    if (this.#isMain[slot]) this.#mainWeight += change;
    else this.#smallWeight += change;
  }

  remove(slot: number): void {
    const weight = this.#weights[slot]!;
    if (this.#newest === slot) this.#newest = NONE;
    if (this.#isMain[slot]) {
      this.#main.delete(slot);
      this.#mainWeight -= weight;
    } else {
      this.#small.delete(slot);
      this.#smallWeight -= weight;
    }
  }

  evict(): number {
    for (;;) {
      const isMainFull = this.#mainWeight > MAIN_SHARE * (this.#smallWeight + this.#mainWeight);
      const fromMain = this.#others(this.#main) > 0 && (isMainFull || this.#others(this.#small) === 0);
      const slot = fromMain ? this.#fromMain() : this.#fromSmall();
      if (slot !== NONE) return slot;
      if (this.#small.count + this.#main.count === 0) return NONE;
    }
  }

  move(from: number, to: number): void {
    (this.#isMain[from] ? this.#main : this.#small).move(from, to);
    this.#reads[to] = this.#reads[from]!;
    this.#isMain[to] = this.#isMain[from]!;
    this.#hashes[to] = this.#hashes[from]!;
    this.#weights[to] = this.#weights[from]!;
    if (this.#newest === from) this.#newest = to;
  }

  clear(): void {
    this.#small.clear();
    this.#main.clear();
    this.#ghosts.clear();
    this.#smallWeight = 0;
    this.#mainWeight = 0;
    this.#newest = NONE;
  }

  check(weights: ReadonlyMap<number, number>): void {
    const small = this.#small.slots();
    const main = this.#main.slots();
    const sum = (slots: number[]) => slots.reduce((total, slot) => total + (weights.get(slot) ?? Number.NaN), 0);
    invariant(small.length + main.length === weights.size, 's3-fifo: not the entries held');
    invariant(sum(small) === this.#smallWeight && sum(main) === this.#mainWeight, 's3-fifo: weights are wrong');
    invariant(small.every((slot) => !this.#isMain[slot]) && main.every((slot) => this.#isMain[slot]), 's3-fifo: marks');
  }

  #putInMain(slot: number): void {
    this.#isMain[slot] = 1;
    this.#reads[slot] = 0;
    this.#main.unshift(slot);
    this.#mainWeight += this.#weights[slot]!;
  }

  /** Those of a queue that are not the newcomer. */
  #others(queue: SlotList): number {
    const isMain = queue === this.#main ? 1 : 0;
    return queue.count - (this.#newest !== NONE && this.#isMain[this.#newest] === isMain ? 1 : 0);
  }

  /** The oldest of the small queue leaves, or goes to the main one: then `NONE`. */
  #fromSmall(): number {
    const slot = this.#small.last;
    if (slot === NONE) {
      // Only the newcomer is left, and it is in the main queue.
      const newest = this.#main.last;
      if (newest !== NONE) this.remove(newest);
      return newest;
    }
    const isNewest = slot === this.#newest;
    const reads = this.#reads[slot]!;
    this.remove(slot);
    if (reads >= PROMOTING_READS && !isNewest) {
      this.#putInMain(slot);
      return NONE;
    }
    this.#ghosts.remember(this.#hashes[slot]!, this.#weights[slot]!);
    return slot;
  }

  #fromMain(): number {
    for (;;) {
      const slot = this.#main.last;
      if (this.#reads[slot] === 0 && slot !== this.#newest) {
        this.remove(slot);
        return slot;
      }
      if (this.#reads[slot]! > 0) this.#reads[slot]!--;
      this.#main.toFront(slot);
    }
  }
}
