/**
 * The clairvoyant cache (Belady, 1966): whoever is needed last leaves first, a newcomer among them. The best that is possible with
 * entries of one size; with several sizes nearly so (the true optimum is NP-hard), and what others publish as the optimum.
 */
import type { Trace } from './traces.ts';

const NEVER = 2 ** 31 - 1;

/** How often the clairvoyant cache misses. */
export function optimalMisses(trace: Trace, capacity: number): number {
  const { keys, sizes, keyCount } = trace;
  const nextUse = nextUses(trace);
  const heldUntil = new Int32Array(keyCount).fill(-1);
  const heldWeight = new Int32Array(keyCount);
  const heap = new FarthestFirst(keys.length);
  let used = 0;
  let misses = 0;
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index]!;
    const weight = sizes === null ? 1 : sizes[index]!;
    const isHit = heldUntil[key]! !== -1;
    if (!isHit) {
      misses++;
      if (weight > capacity) continue;
      heldWeight[key] = weight;
      used += weight;
    }
    heldUntil[key] = nextUse[index]!;
    heap.add(nextUse[index]!, key);
    while (used > capacity) {
      const farthest = heap.take();
      // An entry that was read since stands again further down.
      if (heldUntil[farthest.key] !== farthest.use) continue;
      heldUntil[farthest.key] = -1;
      used -= heldWeight[farthest.key]!;
    }
  }
  return misses;
}

function nextUses({ keys, keyCount }: Trace): Int32Array {
  const seenAt = new Int32Array(keyCount).fill(NEVER);
  const uses = new Int32Array(keys.length);
  for (let index = keys.length - 1; index >= 0; index--) {
    uses[index] = seenAt[keys[index]!]!;
    seenAt[keys[index]!] = index;
  }
  return uses;
}

/** A binary heap of pairs of numbers. */
class FarthestFirst {
  readonly #uses: Int32Array;
  readonly #keys: Int32Array;
  #count = 0;

  constructor(most: number) {
    this.#uses = new Int32Array(most);
    this.#keys = new Int32Array(most);
  }

  add(use: number, key: number): void {
    let place = this.#count++;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (this.#uses[parent]! >= use) break;
      this.#put(place, this.#uses[parent]!, this.#keys[parent]!);
      place = parent;
    }
    this.#put(place, use, key);
  }

  take(): { use: number; key: number } {
    const farthest = { use: this.#uses[0]!, key: this.#keys[0]! };
    const last = --this.#count;
    const use = this.#uses[last]!;
    const key = this.#keys[last]!;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= last) break;
      if (child + 1 < last && this.#uses[child + 1]! > this.#uses[child]!) child++;
      if (this.#uses[child]! <= use) break;
      this.#put(place, this.#uses[child]!, this.#keys[child]!);
      place = child;
    }
    this.#put(place, use, key);
    return farthest;
  }

  #put(place: number, use: number, key: number): void {
    this.#uses[place] = use;
    this.#keys[place] = key;
  }
}
