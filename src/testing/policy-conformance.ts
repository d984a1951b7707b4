/**
 * What every eviction policy must do, as a suite any of them can run: `describePolicy('mine', (options) => new Mine(options))`.
 *
 * Random operations are replayed against a policy and a plain map of what it should hold; its own structure is checked after each.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../base/random.ts';
import { NONE, type Policy, type PolicyFactory } from '../holders/cache/policy.ts';

const RUNS = 200;
const SLOTS = 64;

/** Runs the suite against policies of one kind. */
export function describePolicy(name: string, create: PolicyFactory): void {
  const make = (slotCount = SLOTS): Policy => {
    const policy = create({ random: seededRandom(1) });
    policy.reserve(slotCount);
    return policy;
  };

  describe(`policy ${name}`, () => {
    it('holds what was added and lets go what left, whatever the order', () => {
      const operation = fc.tuple(fc.nat(9), fc.nat(SLOTS - 1), fc.nat(40));
      fc.assert(
        fc.property(fc.array(operation, { minLength: 20, maxLength: 300 }), (operations) => {
          const policy = make();
          const weights = new Map<number, number>();
          for (const [kind, slot, value] of operations) {
            step(policy, { weights, kind, slot, value });
            policy.check(weights);
          }
        }),
        { numRuns: RUNS },
      );
    });

    it('evicts each entry once, then none', () => {
      const policy = make();
      for (let slot = 0; slot < SLOTS; slot++) policy.add(slot, slot * 7919, 1 + (slot % 5));
      const gone = new Set(Array.from({ length: SLOTS }, () => policy.evict()));
      expect(gone.size).toBe(SLOTS);
      expect(gone.has(NONE)).toBe(false);
      expect(policy.evict()).toBe(NONE);
      policy.check(new Map());
    });

    it('evicts the only entry, though it came last and was read', () => {
      const policy = make();
      policy.add(3, 42, 10);
      policy.hit(3);
      expect(policy.evict()).toBe(3);
    });

    it('keeps an entry that is read all the time through a scan', () => {
      const policy = make(16);
      let next = 0;
      const free: number[] = [];
      const take = () => free.pop() ?? next++;
      const favourite = take();
      policy.add(favourite, -1, 1);
      for (let index = 0; index < 500; index++) {
        policy.hit(favourite);
        policy.hit(favourite);
        policy.add(take(), index * 2654435761, 1);
        if (index >= 8) free.push(policy.evict());
        expect(free).not.toContain(favourite);
      }
    });

    it('survives growing, shrinking and moving', () => {
      const policy = make(4);
      const weights = new Map<number, number>();
      for (let slot = 0; slot < 4; slot++) addTo(policy, weights, { slot, weight: 1 });
      policy.reserve(512);
      for (let slot = 4; slot < 512; slot++) addTo(policy, weights, { slot, weight: slot });
      policy.check(weights);
      for (let slot = 0; slot < 500; slot++) {
        policy.remove(slot);
        weights.delete(slot);
      }
      for (let slot = 500; slot < 512; slot++) {
        policy.move(slot, slot - 500);
        weights.set(slot - 500, weights.get(slot)!);
        weights.delete(slot);
      }
      policy.reserve(16);
      policy.check(weights);
      const gone = Array.from({ length: 12 }, () => policy.evict());
      expect(gone.sort((one, other) => one - other)).toEqual(Array.from({ length: 12 }, (_, slot) => slot));
    });

    it('weighs entries of very different sizes', () => {
      const policy = make();
      const weights = new Map<number, number>();
      addTo(policy, weights, { slot: 0, weight: 2 ** 32 - 1 });
      addTo(policy, weights, { slot: 1, weight: 1 });
      policy.setWeight(0, 1);
      weights.set(0, 1);
      policy.setWeight(1, 2 ** 32 - 1);
      weights.set(1, 2 ** 32 - 1);
      policy.check(weights);
      policy.clear();
      policy.check(new Map());
      addTo(policy, new Map(), { slot: 1, weight: 5 });
      expect(policy.evict()).toBe(1);
    });
  });
}

function addTo(policy: Policy, weights: Map<number, number>, { slot, weight }: { slot: number; weight: number }): void {
  policy.add(slot, Math.imul(slot + 1, 0x9e3779b1), weight);
  weights.set(slot, weight);
}

function step(
  policy: Policy,
  operation: { weights: Map<number, number>; kind: number; slot: number; value: number },
): void {
  const { weights, kind, slot, value } = operation;
  const isHeld = weights.has(slot);
  if (kind === 0) {
    const victim = policy.evict();
    expect(weights.delete(victim)).toBe(victim !== NONE);
  } else if (!isHeld && kind === 1) {
    const from = [...weights.keys()][value % Math.max(1, weights.size)];
    if (from === undefined) return;
    policy.move(from, slot);
    weights.set(slot, weights.get(from)!);
    weights.delete(from);
  } else if (!isHeld) {
    addTo(policy, weights, { slot, weight: 1 + value });
  } else if (kind === 1) {
    policy.remove(slot);
    weights.delete(slot);
  } else if (kind === 2) {
    policy.setWeight(slot, 1 + value);
    weights.set(slot, 1 + value);
  } else {
    policy.hit(slot);
  }
}
