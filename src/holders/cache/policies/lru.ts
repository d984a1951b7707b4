/** Least recently used: whoever was not read for longest leaves. The reference all others are measured by; a scan empties it. */
import { invariant } from '../../../base/assert.ts';
import { NONE, type Policy } from '../policy.ts';
import { SlotLinks, SlotList } from './slot-list.ts';

export class Lru implements Policy {
  readonly #links = new SlotLinks();
  /** The most recently used first. */
  readonly #list = new SlotList(this.#links);

  reserve(slotCount: number): void {
    this.#links.reserve(slotCount);
  }

  add(slot: number): void {
    this.#list.unshift(slot);
  }

  hit(slot: number): void {
    this.#list.toFront(slot);
  }

  setWeight(): void {}

  remove(slot: number): void {
    this.#list.delete(slot);
  }

  evict(): number {
    const slot = this.#list.last;
    if (slot !== NONE) this.#list.delete(slot);
    return slot;
  }

  move(from: number, to: number): void {
    this.#list.move(from, to);
  }

  clear(): void {
    this.#list.clear();
  }

  check(weights: ReadonlyMap<number, number>): void {
    const slots = this.#list.slots();
    invariant(slots.length === weights.size && slots.every((slot) => weights.has(slot)), 'lru: not the entries held');
  }
}
