/** Replays a trace against a policy as `Cache` drives it: the newcomer is added, then room is made. */
import { seededRandom } from '../../src/base/random.ts';
import { NONE, type PolicyFactory } from '../../src/holders/cache/policy.ts';
import type { Trace } from './traces.ts';

const FIRST_SLOTS = 1024;

export interface Outcome {
  readonly misses: number;
  readonly hitPercent: number;
  /** Bytes (or entries) that had to be brought in. */
  readonly missedWeight: number;
}

/**
 * Get, and set what was missed, in a cache bounded by `capacity`: bytes where the trace has sizes, entries elsewhere. Sizes stay as first
 * set while an entry is held. What is larger than the cache is not kept.
 */
export function simulate(trace: Trace, capacity: number, create: PolicyFactory): Outcome {
  const { keys, sizes, keyCount } = trace;
  const policy = create({ random: seededRandom(1) });
  const slots = new Int32Array(keyCount).fill(NONE);
  const held: number[] = [];
  const weights: number[] = [];
  const free: number[] = [];
  let slotCount = 0;
  let used = 0;
  let misses = 0;
  let missedWeight = 0;
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index]!;
    if (slots[key]! !== NONE) {
      policy.hit(slots[key]!);
      continue;
    }
    const weight = sizes === null ? 1 : sizes[index]!;
    misses++;
    missedWeight += weight;
    if (weight > capacity) continue;
    const slot = free.pop() ?? held.length;
    if (slot >= slotCount) {
      slotCount = Math.max(FIRST_SLOTS, 2 * slotCount);
      policy.reserve(slotCount);
    }
    slots[key] = slot;
    held[slot] = key;
    weights[slot] = weight;
    used += weight;
    policy.add(slot, hashOf(key), weight);
    while (used > capacity) {
      const victim = policy.evict();
      slots[held[victim]!] = NONE;
      used -= weights[victim]!;
      free.push(victim);
    }
  }
  return { misses, hitPercent: 100 * (1 - misses / keys.length), missedWeight };
}

function hashOf(key: number): number {
  const mixed = Math.imul(key ^ (key >>> 16), 0x85ebca6b);
  return mixed ^ (mixed >>> 13);
}
