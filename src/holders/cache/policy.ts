/**
 * The port behind which a cache decides who leaves.
 *
 * A policy sees neither keys nor values: the cache gives each entry a *slot*, a small whole number that is free again once the entry
 * is gone, and a policy keeps whatever it needs in typed arrays indexed by slot. So the same code runs in `Cache` and in the trace
 * simulator of `bench/`, and a hit costs no allocation.
 *
 *   add(slot) ──▶ hit(slot)* ──▶ evict() → slot        chosen to make room: the policy may remember it as a ghost
 *                            └─▶ remove(slot)          deleted, expired or taken by quota: to be forgotten
 *
 * **A policy is not told a capacity.** What a cache may hold under a budget changes from one call to the next, so a policy that divides
 * its room (a window, a small queue) takes shares of the weight it holds when `evict` is called, which is just when the cache is full.
 *
 * **The newcomer is added first**, then room is made, then its value is kept. So a policy can refuse it by returning its slot from
 * `evict`. One that wants the classic order (room first) passes over the slot added last; as long as it holds another it should, unless
 * it has reason to believe that the newcomer is worth less than all it would replace.
 */
import type { Random } from '../../base/random.ts';

/** No slot. */
export const NONE = -1;

/** What a policy is made of. */
export interface PolicyOptions {
  /** Chance for those who need it; seeded in tests and benches. */
  readonly random: Random;
}

/** Who leaves next. Slots are from 0 to 2^30; no method is called from within another. */
export interface Policy {
  /**
   * From now on slots 0 to `slotCount` - 1 are used. May shrink: the cache has moved every entry below `slotCount` by then. Called
   * before the first `add`.
   */
  reserve(slotCount: number): void;
  /**
   * An entry was added.
   *
   * @param hash 32 bits of the key, the same whenever the key comes: ghosts and sketches know it by that.
   * @param weight What it takes of the bound, 1 or more: bytes, or 1 where only entries are counted.
   */
  add(slot: number, hash: number, weight: number): void;
  /** The entry was read or its value replaced. */
  hit(slot: number): void;
  /** The entry weighs `weight` from now on. */
  setWeight(slot: number, weight: number): void;
  /** The entry is gone, not by this policy's choice. */
  remove(slot: number): void;
  /** Chooses the entry that leaves and lets it go; `NONE` when there is none. O(1), amortised. */
  evict(): number;
  /** What was in slot `from` is in slot `to` now, which was free. */
  move(from: number, to: number): void;
  /** All entries are gone, and with them all that was remembered. */
  clear(): void;
  /**
   * Throws `InvariantError` unless its structure is whole and holds exactly `weights`, by slot. For tests: may take long.
   *
   * @internal
   */
  check(weights: ReadonlyMap<number, number>): void;
}

/** Makes a policy; one for each cache. */
export type PolicyFactory = (options: PolicyOptions) => Policy;
