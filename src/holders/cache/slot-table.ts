/**
 * Where a cache keeps its entries: a map from key to slot, and arrays by slot.
 *
 * One object for each entry would cost an allocation for each insert and work for the collector; arrays of numbers cost neither. Room
 * doubles when it is used up, so growth is amortised; when most of it has fallen empty (after a reclaim) the entries move together and
 * the arrays shrink, so that what was given back is really free. What else goes by slot (policy, expiry, owners) grows, shrinks and
 * moves with it.
 */
import { invariant } from '../../base/assert.ts';
import { ExpiryWheel } from './expiry-wheel.ts';
import { OwnerLists } from './owner-lists.ts';
import { resized } from './policies/slot-list.ts';
import type { Policy } from './policy.ts';

const LEAST_SLOTS = 16;
/** With fewer than one slot in so many in use the arrays shrink. */
const SHRINK_BELOW = 1 / 8;

/** Equal to no key. */
const NOTHING = Symbol('no key');

export class SlotTable<K, V> {
  readonly slots = new Map<K, number>();
  readonly policy: Policy;
  keys: (K | undefined)[] = [];
  values: (V | undefined)[] = [];
  /** Charged for each entry. */
  bytes = new Uint32Array(0);
  hashes = new Int32Array(0);
  /** Null until an entry has a deadline, or an owner. */
  expiry: ExpiryWheel | null = null;
  owners: OwnerLists | null = null;
  /** The key that was looked for last and is not held: who gets and then sets it need not be looked for twice. */
  #missed: K | typeof NOTHING = NOTHING;
  #room = 0;
  /** Slots below `values.length` that are free. */
  #free: number[] = [];

  constructor(policy: Policy) {
    this.policy = policy;
  }

  get size(): number {
    return this.slots.size;
  }

  /** Slots there is room for now. */
  get room(): number {
    return this.#room;
  }

  /** `key` was looked for and is not held. */
  missed(key: K): void {
    this.#missed = key;
  }

  /** The slot of `key`; undefined when it is not held. */
  slotOf(key: K): number | undefined {
    return key === this.#missed ? undefined : this.slots.get(key);
  }

  /** A slot for `key`, which has none. */
  take(key: K, hash: number): number {
    let slot = this.#free.pop();
    if (slot === undefined) {
      slot = this.values.length;
      if (slot === this.#room) this.#resize(Math.max(LEAST_SLOTS, 2 * this.#room));
      this.keys.push(key);
      this.values.push(undefined);
    } else {
      this.keys[slot] = key;
    }
    this.hashes[slot] = hash;
    this.bytes[slot] = 0;
    this.slots.set(key, slot);
    this.#missed = NOTHING;
    return slot;
  }

  /** Frees a slot that policy, expiry and owners have let go. */
  free(slot: number): void {
    this.slots.delete(this.keys[slot] as K);
    this.keys[slot] = undefined;
    this.values[slot] = undefined;
    this.#free.push(slot);
  }

  /** The wheel of deadlines, made when first needed. */
  watchExpiry(nowMs: number): ExpiryWheel {
    if (this.expiry === null) {
      this.expiry = new ExpiryWheel({ nowMs, bytesOf: (slot) => this.bytes[slot]! });
      this.expiry.reserve(this.#room);
    }
    return this.expiry;
  }

  /** The lists of owners, made when first needed. */
  watchOwners(): OwnerLists {
    if (this.owners === null) {
      this.owners = new OwnerLists();
      this.owners.reserve(this.#room);
    }
    return this.owners;
  }

  /** Gives room back when most of it is empty. */
  shrink(): void {
    const count = this.slots.size;
    if (this.#room <= LEAST_SLOTS || count >= this.#room * SHRINK_BELOW) return;
    const room = Math.max(LEAST_SLOTS, 2 ** Math.ceil(Math.log2(2 * Math.max(1, count))));
    let to = 0;
    for (let from = room; from < this.values.length; from++) {
      // A free slot has no key in the map that leads to it.
      if (this.slots.get(this.keys[from] as K) !== from) continue;
      while (this.slots.get(this.keys[to] as K) === to) to++;
      this.#move(from, to);
    }
    this.keys = this.keys.slice(0, room);
    this.values = this.values.slice(0, room);
    this.#free = [];
    for (let slot = this.values.length - 1; slot >= 0; slot--) {
      if (this.slots.get(this.keys[slot] as K) !== slot) this.#free.push(slot);
    }
    this.#resize(room);
  }

  /** Empties everything at once. */
  clear(): void {
    this.slots.clear();
    this.#missed = NOTHING;
    this.keys = [];
    this.values = [];
    this.#free = [];
    this.policy.clear();
    this.expiry = null;
    this.owners = null;
    this.#resize(LEAST_SLOTS);
  }

  /** @internal Throws `InvariantError` unless map, arrays, free slots, policy, expiry and owners agree. */
  check(weightOf: (slot: number) => number): void {
    const held = new Map<number, number>();
    for (const [key, slot] of this.slots) {
      invariant(slot < this.values.length && !held.has(slot), `slot ${slot} does not exist, or has two keys`);
      invariant(Object.is(this.keys[slot], key) || this.keys[slot] === key, `slot ${slot} has another key`);
      invariant(this.values[slot] !== undefined, `slot ${slot} has no value`);
      held.set(slot, weightOf(slot));
    }
    const free = new Set(this.#free);
    invariant(free.size === this.#free.length, 'a slot is free twice');
    invariant(free.size + held.size === this.values.length, 'a slot is neither used nor free');
    for (const slot of free) {
      invariant(!held.has(slot) && slot < this.values.length, `slot ${slot} is free and used`);
      invariant(
        this.keys[slot] === undefined && this.values[slot] === undefined,
        `free slot ${slot} keeps something alive`,
      );
    }
    const used = new Set(held.keys());
    this.policy.check(held);
    this.expiry?.check(used);
    this.owners?.check(used);
  }

  #move(from: number, to: number): void {
    const key = this.keys[from] as K;
    this.keys[to] = key;
    this.values[to] = this.values[from];
    this.bytes[to] = this.bytes[from]!;
    this.hashes[to] = this.hashes[from]!;
    this.slots.set(key, to);
    this.policy.move(from, to);
    this.expiry?.move(from, to);
    this.owners?.move(from, to);
  }

  #resize(room: number): void {
    this.#room = room;
    this.bytes = resized(this.bytes, room);
    this.hashes = resized(this.hashes, room);
    this.policy.reserve(room);
    this.expiry?.reserve(room);
    this.owners?.reserve(room);
  }
}
