/**
 * SIEVE (Zhang et al., NSDI 2024): one queue in order of arrival and a hand that moves from its old end to its new one.
 *
 * A hit sets a flag and moves nothing, which makes it the cheapest of all. The hand lets go whoever it finds without the flag, and
 * takes the flag from the others, where they stand: so old entries that are used stay, and newcomers are sieved out early.
 */
import { invariant } from '../../../base/assert.ts';
import { NONE, type Policy } from '../policy.ts';
import { resized, SlotLinks, SlotList } from './slot-list.ts';

export class Sieve implements Policy {
  readonly #links = new SlotLinks();
  /** The newest first. */
  readonly #queue = new SlotList(this.#links);
  #wasHit = new Uint8Array(0);
  /** Looked at next; `NONE` for the oldest. */
  #hand = NONE;
  #newest = NONE;

  reserve(slotCount: number): void {
    this.#links.reserve(slotCount);
    this.#wasHit = resized(this.#wasHit, slotCount);
  }

  add(slot: number): void {
    this.#queue.unshift(slot);
    this.#wasHit[slot] = 0;
    this.#newest = slot;
  }

  hit(slot: number): void {
    this.#wasHit[slot] = 1;
  }

  setWeight(): void {}

  remove(slot: number): void {
    if (this.#hand === slot) this.#hand = this.#queue.before(slot);
    if (this.#newest === slot) this.#newest = NONE;
    this.#queue.delete(slot);
  }

  evict(): number {
    const queue = this.#queue;
    let slot = this.#hand === NONE ? queue.last : this.#hand;
    if (slot === NONE) return NONE;
    const spared = queue.count > 1 ? this.#newest : NONE;
    while (slot === spared || this.#wasHit[slot] === 1) {
      this.#wasHit[slot] = 0;
      slot = queue.before(slot);
      if (slot === NONE) slot = queue.last;
    }
    this.#hand = slot;
    this.remove(slot);
    return slot;
  }

  move(from: number, to: number): void {
    this.#queue.move(from, to);
    this.#wasHit[to] = this.#wasHit[from]!;
    if (this.#hand === from) this.#hand = to;
    if (this.#newest === from) this.#newest = to;
  }

  clear(): void {
    this.#queue.clear();
    this.#hand = NONE;
    this.#newest = NONE;
  }

  check(weights: ReadonlyMap<number, number>): void {
    const slots = this.#queue.slots();
    invariant(slots.length === weights.size && slots.every((slot) => weights.has(slot)), 'sieve: not the entries held');
    invariant(this.#hand === NONE || weights.has(this.#hand), 'sieve: the hand points at nothing');
    invariant(this.#newest === NONE || weights.has(this.#newest), 'sieve: the newest is gone');
  }
}
