/**
 * Doubly linked lists of slots whose links are numbers in two arrays, so that moving an entry allocates nothing and leaves no garbage.
 *
 * Several lists may share one pair of arrays, as long as a slot is in one of them at a time. `first` is where slots are put by
 * `unshift`; `last` is where a queue is served.
 */
import { invariant } from '../../../base/assert.ts';
import { NONE } from '../policy.ts';

/** A copy of `array` with `length` places, filled with what it had. */
export function resized<A extends Int32Array | Uint32Array | Float32Array | Float64Array | Uint8Array>(
  array: A,
  length: number,
): A {
  const copy = new (array.constructor as new (length: number) => A)(length);
  copy.set(array.length <= length ? array : (array.subarray(0, length) as A));
  return copy;
}

/** The links of all lists of one structure. */
export class SlotLinks {
  /** Towards `last`. */
  next = new Int32Array(0);
  /** Towards `first`. */
  previous = new Int32Array(0);

  reserve(slotCount: number): void {
    this.next = resized(this.next, slotCount);
    this.previous = resized(this.previous, slotCount);
  }
}

/** One list. */
export class SlotList {
  first = NONE;
  last = NONE;
  count = 0;
  readonly #links: SlotLinks;

  constructor(links: SlotLinks) {
    this.#links = links;
  }

  /** Puts a slot that is in no list before all others. */
  unshift(slot: number): void {
    const { next, previous } = this.#links;
    const { first } = this;
    next[slot] = first;
    previous[slot] = NONE;
    if (first === NONE) this.last = slot;
    else previous[first] = slot;
    this.first = slot;
    this.count++;
  }

  /** Takes a slot out that is in this list. */
  delete(slot: number): void {
    const { next, previous } = this.#links;
    const after = next[slot]!;
    const before = previous[slot]!;
    if (before === NONE) this.first = after;
    else next[before] = after;
    if (after === NONE) this.last = before;
    else previous[after] = before;
    this.count--;
  }

  /** Puts a slot of this list before all others. */
  toFront(slot: number): void {
    const { first } = this;
    if (first === slot) return;
    const { next, previous } = this.#links;
    const after = next[slot]!;
    const before = previous[slot]!;
    next[before] = after;
    if (after === NONE) this.last = before;
    else previous[after] = before;
    next[slot] = first;
    previous[slot] = NONE;
    previous[first] = slot;
    this.first = slot;
  }

  /** The slot after this one, towards `last`. */
  after(slot: number): number {
    return this.#links.next[slot]!;
  }

  /** The slot before this one, towards `first`. */
  before(slot: number): number {
    return this.#links.previous[slot]!;
  }

  /** `to` takes the place of `from` in this list. */
  move(from: number, to: number): void {
    const { next, previous } = this.#links;
    const after = next[from]!;
    const before = previous[from]!;
    next[to] = after;
    previous[to] = before;
    if (before === NONE) this.first = to;
    else next[before] = to;
    if (after === NONE) this.last = to;
    else previous[after] = to;
  }

  clear(): void {
    this.first = NONE;
    this.last = NONE;
    this.count = 0;
  }

  /** The slots from `first` to `last`; throws `InvariantError` where the links contradict each other. */
  slots(): number[] {
    const slots: number[] = [];
    let before = NONE;
    for (let slot = this.first; slot !== NONE; slot = this.after(slot)) {
      invariant(this.before(slot) === before, `slot ${slot} does not know the one before it`);
      invariant(slots.length < this.count, 'a list is longer than it says');
      slots.push(slot);
      before = slot;
    }
    invariant(this.last === before && slots.length === this.count, 'a list does not end where it says');
    return slots;
  }
}
