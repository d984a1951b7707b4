/**
 * The cache against a plain map, for every policy: random operations, time and pressure, everything checked after each.
 *
 * Which entry leaves is the policy's business, so the model learns it from `onEvict`; that what left is gone, that what did not is
 * there with its value, that books and bounds hold, and every structure is whole, is checked. Under `lru` without time the model
 * knows the victims as well. On failure fast-check prints the seed and the path that repeat the case.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextTurn } from '../../src/base/clock.ts';
import { seededRandom } from '../../src/base/random.ts';
import { Budget } from '../../src/budget/budget.ts';
import { Quotas } from '../../src/budget/quota.ts';
import { Cache } from '../../src/holders/cache/cache.ts';
import { POLICY_NAMES, type PolicyName } from '../../src/holders/cache/policies.ts';
import { ManualClock } from '../../src/testing/manual-clock.ts';

const KEYS = 40;
const OWNERS = [undefined, 'ada', 'bob', 'cyd'];

interface Held {
  readonly value: object;
  readonly bytes: number;
  readonly owner: string | undefined;
  endMs: number;
  readonly ttlMs: number;
}

type Operation = [kind: number, key: number, size: number, more: number];

class World {
  readonly clock = new ManualClock();
  readonly budget = new Budget({ limitBytes: 6000, clock: this.clock, regrowthBytesPerSecond: 1000 });
  readonly other = this.budget.register({
    name: 'other',
    where: 'heap',
    priority: 1,
    reclaimableBytes: () => 0,
    reclaim: () => 0,
  });
  readonly otherBytes = this.other.reserve();
  readonly quotas = new Quotas({ limitBytes: 1500 });
  readonly model = new Map<number, Held>();
  readonly cache: Cache<number, object>;
  readonly isSliding: boolean;
  maxBytes = 3000;
  maxEntries = 25;

  constructor(options: { policy: PolicyName; isSliding: boolean; hasOwners: boolean }) {
    this.isSliding = options.isSliding;
    this.cache = new Cache<number, object>({
      name: 'cache',
      budget: this.budget,
      policy: options.policy,
      maxBytes: this.maxBytes,
      maxEntries: this.maxEntries,
      ttl: options.isSliding ? 'sliding' : 'fixed',
      overheadBytes: 10,
      clock: this.clock,
      random: seededRandom(7),
      ...(options.hasOwners && { quotas: this.quotas }),
      onEvict: (key, value, cause) => {
        if (cause === 'replaced' && this.model.get(key)?.value !== value) return;
        expect(this.model.get(key)?.value).toBe(value);
        this.model.delete(key);
      },
    });
  }

  async apply([kind, key, size, more]: Operation, hasOwners: boolean): Promise<void> {
    const { cache, model, clock } = this;
    if (kind < 40) {
      const held = this.live(key);
      expect(cache.get(key)).toBe(held?.value);
      if (held && this.isSliding) held.endMs = clock.monotonicMs() + held.ttlMs;
    } else if (kind < 70) {
      const value = { key, size };
      const owner = hasOwners ? OWNERS[more % OWNERS.length] : undefined;
      const ttlMs = more % 3 === 0 ? 1 + more * 7 : Number.POSITIVE_INFINITY;
      const isKept = cache.set(key, value, { sizeBytes: size, ttlMs, owner });
      if (isKept) model.set(key, { value, bytes: size + 10, owner, ttlMs, endMs: clock.monotonicMs() + ttlMs });
      expect(cache.peek(key)).toBe(isKept ? value : undefined);
    } else if (kind < 78) {
      const isHeld = this.live(key) !== undefined;
      expect(cache.delete(key)).toBe(isHeld);
    } else if (kind < 80) cache.clear();
    else if (kind < 84) {
      this.maxBytes = 500 + more * 30;
      this.maxEntries = 1 + (size % 40);
      cache.resize({ maxBytes: this.maxBytes, maxEntries: this.maxEntries });
    } else if (kind < 88) {
      const level = more % 2 === 0 ? 'low' : 'high';
      await this.budget.reclaim({ targetBytes: size * 3, level });
      // Who left for the budget is told a turn later.
      await nextTurn();
    } else if (kind < 90) this.quotas.setLimit('ada', 100 + size);
    else if (kind < 92) this.otherBytes.tryGrow(size * 2);
    else if (kind < 94) this.otherBytes.shrink(Math.min(size * 2, this.otherBytes.bytes));
    else await clock.advance(more * 11);
  }

  live(key: number): Held | undefined {
    const held = this.model.get(key);
    return held && held.endMs > this.clock.monotonicMs() ? held : undefined;
  }

  check(): void {
    const { cache, model } = this;
    cache.validate();
    expect(cache.size).toBe(model.size);
    let bytes = 0;
    for (const [key, held] of model) {
      bytes += held.bytes;
      expect(cache.peek(key)).toBe(this.live(key)?.value);
    }
    // Peeking drops what is over, and tells: compare afterwards.
    expect(cache.bytes).toBeLessThanOrEqual(Math.min(bytes, this.maxBytes));
    expect(cache.size).toBeLessThanOrEqual(this.maxEntries);
    expect(this.budget.reservedBytes).toBeLessThanOrEqual(6000);
    const live = [...model].filter(([key]) => this.live(key));
    expect(cache.size).toBe(live.length);
    expect(cache.bytes).toBe(live.reduce((sum, [, held]) => sum + held.bytes, 0));
    for (const owner of ['ada', 'bob', 'cyd']) {
      const owned = live.reduce((sum, [, held]) => sum + (held.owner === owner ? held.bytes : 0), 0);
      if (this.quotas.usedBytes(owner) > 0) expect(this.quotas.usedBytes(owner)).toBe(owned);
    }
    expect(new Map(cache.entries())).toEqual(new Map(live.map(([key, held]) => [key, held.value])));
    cache.validate();
  }

  close(): void {
    this.cache.close();
    expect(this.model.size).toBe(0);
    expect(this.quotas.largest(9)).toEqual([]);
    this.other.close();
    expect(this.budget.reservedBytes).toBe(0);
    expect(this.budget.close().leakedBytes).toBe(0);
    expect(this.clock.pendingTimers).toBe(0);
  }
}

const operation = fc.tuple(fc.nat(99), fc.nat(KEYS - 1), fc.nat(400), fc.nat(99));

describe.each(POLICY_NAMES)('a cache with %s', (policy) => {
  it('keeps every promise', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.boolean(),
        fc.array(operation, { minLength: 30, maxLength: 150 }),
        async (isSliding, hasOwners, operations) => {
          const world = new World({ policy, isSliding, hasOwners });
          for (const each of operations) {
            await world.apply(each, hasOwners);
            world.check();
          }
          world.close();
        },
      ),
      { numRuns: 60 },
    );
  });
});

it('with lru lets go exactly whoever was not used for longest', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.boolean(), fc.nat(30), fc.integer({ min: 1, max: 50 })), { maxLength: 400 }),
      (requests) => {
        using cache = new Cache<number, number>({
          name: 'lru',
          policy: 'lru',
          maxBytes: 300,
          overheadBytes: 0,
          sizeOf: (value) => value,
        });
        const model = new Map<number, number>();
        for (const [isRead, key, size] of requests) {
          if (isRead) {
            const value = model.get(key);
            expect(cache.get(key)).toBe(value);
            if (value === undefined) continue;
            model.delete(key);
            model.set(key, value);
          } else {
            cache.set(key, size);
            model.delete(key);
            model.set(key, size);
            let used = [...model.values()].reduce((sum, bytes) => sum + bytes, 0);
            for (const [oldest, bytes] of model) {
              if (used <= 300) break;
              model.delete(oldest);
              used -= bytes;
            }
          }
          expect(cache.bytes).toBe([...model.values()].reduce((sum, bytes) => sum + bytes, 0));
        }
        expect(new Set(cache.keys())).toEqual(new Set(model.keys()));
      },
    ),
    { numRuns: 300 },
  );
});
