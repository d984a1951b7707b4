/**
 * Whose each entry is, and the entries of each owner from the most to the least recently used: what quotas need of a cache.
 *
 * Made when the first entry with an owner comes; a cache without owners pays nothing.
 */
import { invariant } from '../../base/assert.ts';
import { resized, SlotLinks, SlotList } from './policies/slot-list.ts';
import { NONE } from './policy.ts';

export class OwnerLists {
  readonly #links = new SlotLinks();
  readonly #numbers = new Map<string, number>();
  readonly #names: string[] = [];
  readonly #lists: SlotList[] = [];
  readonly #free: number[] = [];
  /** The number of each slot's owner; `NONE` for none. */
  #ownerOf = new Int32Array(0);

  reserve(slotCount: number): void {
    const before = this.#ownerOf.length;
    this.#links.reserve(slotCount);
    this.#ownerOf = resized(this.#ownerOf, slotCount);
    if (slotCount > before) this.#ownerOf.fill(NONE, before);
  }

  add(slot: number, owner: string): void {
    let number = this.#numbers.get(owner);
    if (number === undefined) {
      number = this.#free.pop() ?? this.#names.length;
      this.#names[number] = owner;
      this.#lists[number] ??= new SlotList(this.#links);
      this.#numbers.set(owner, number);
    }
    this.#ownerOf[slot] = number;
    this.#lists[number]!.unshift(slot);
  }

  /** The entry was used. */
  touch(slot: number): void {
    const number = this.#ownerOf[slot]!;
    if (number !== NONE) this.#lists[number]!.toFront(slot);
  }

  remove(slot: number): void {
    const number = this.#ownerOf[slot]!;
    if (number === NONE) return;
    const list = this.#lists[number]!;
    list.delete(slot);
    this.#ownerOf[slot] = NONE;
    if (list.count > 0) return;
    this.#numbers.delete(this.#names[number]!);
    this.#free.push(number);
  }

  ownerOf(slot: number): string | undefined {
    const number = this.#ownerOf[slot]!;
    return number === NONE ? undefined : this.#names[number];
  }

  /** The entry of `owner` that was used least recently; `NONE` when it has none. */
  oldestOf(owner: string): number {
    const number = this.#numbers.get(owner);
    return number === undefined ? NONE : this.#lists[number]!.last;
  }

  /** The entries of `owner`, least recently used first; they must not change meanwhile. */
  *oldestFirst(owner: string): Generator<number, void> {
    const number = this.#numbers.get(owner);
    if (number === undefined) return;
    const list = this.#lists[number]!;
    for (let slot = list.last; slot !== NONE; slot = list.before(slot)) yield slot;
  }

  move(from: number, to: number): void {
    const number = this.#ownerOf[from]!;
    this.#ownerOf[to] = number;
    this.#ownerOf[from] = NONE;
    if (number !== NONE) this.#lists[number]!.move(from, to);
  }

  /** @internal Throws `InvariantError` unless every list is whole and holds entries that are held. */
  check(held: ReadonlySet<number>): void {
    let listed = 0;
    for (const [owner, number] of this.#numbers) {
      const slots = this.#lists[number]!.slots();
      listed += slots.length;
      invariant(slots.length > 0 && this.#names[number] === owner, `owners: ${owner} has a list and no entries`);
      for (const slot of slots) {
        invariant(held.has(slot) && this.#ownerOf[slot] === number, 'owners: an entry in a list of somebody else');
      }
    }
    const owned = [...held].filter((slot) => this.#ownerOf[slot] !== NONE).length;
    invariant(owned === listed, 'owners: an entry that is in no list');
  }
}
