import { describe, expect, it } from 'vitest';
import { type Random, seededRandom } from '../../../base/random.ts';
import type { Policy } from '../policy.ts';
import { HitDensity } from './hit-density.ts';
import { Lru } from './lru.ts';

interface Request {
  readonly key: number;
  readonly weight: number;
}

/** Share of `requests` that hit a cache of this weight. */
function hitRatio(policy: Policy, capacity: number, requests: readonly Request[]): number {
  const slots = new Map<number, number>();
  const held: Request[] = [];
  const free: number[] = [];
  let weight = 0;
  let hits = 0;
  policy.reserve(4096);
  for (const request of requests) {
    const known = slots.get(request.key);
    if (known !== undefined) {
      policy.hit(known);
      hits++;
      continue;
    }
    const slot = free.pop() ?? slots.size;
    slots.set(request.key, slot);
    held[slot] = request;
    weight += request.weight;
    policy.add(slot, Math.imul(request.key + 1, 0x9e3779b1), request.weight);
    while (weight > capacity) {
      const victim = policy.evict();
      slots.delete(held[victim]!.key);
      weight -= held[victim]!.weight;
      free.push(victim);
    }
  }
  return hits / requests.length;
}

const make = (seed = 1) => new HitDensity({ random: seededRandom(seed) });
const requestsOf = (count: number, keyOf: (index: number) => number): Request[] =>
  Array.from({ length: count }, (_, index) => ({ key: keyOf(index), weight: 1 }));
/** Popular keys are small; the skew is that of Zipf's law with exponent 1, nearly. */
const popular = (random: Random, keys: number) => Math.floor(keys ** random()) - 1;

describe('hit density', () => {
  it('keeps most of its room at work in a loop that does not fit, where LRU hits nothing', () => {
    const requests = requestsOf(40_000, (index) => index % 1000);
    expect(hitRatio(new Lru(), 500, requests)).toBe(0);
    expect(hitRatio(make(), 500, requests)).toBeGreaterThan(0.44);
  });

  it('keeps the popular through scans', () => {
    const random = seededRandom(2);
    let scanned = 1e6;
    const requests = requestsOf(60_000, (index) => (index % 3000 < 2000 ? popular(random, 3000) : scanned++));
    expect(hitRatio(make(), 300, requests)).toBeGreaterThan(hitRatio(new Lru(), 300, requests) + 0.05);
  });

  it('is as good as LRU where only recency counts and frequency misleads', () => {
    const random = seededRandom(3);
    const live: { key: number; left: number }[] = [];
    let next = 0;
    const requests = requestsOf(60_000, () => {
      while (live.length < 200) live.push({ key: next++, left: 5 + Math.floor(random() * 60) });
      const place = Math.floor(random() * live.length);
      const { key } = live[place]!;
      if (--live[place]!.left === 0) live[place] = live.pop()!;
      return key;
    });
    for (const capacity of [60, 150, 400]) {
      expect(hitRatio(make(), capacity, requests)).toBeGreaterThan(hitRatio(new Lru(), capacity, requests) - 0.01);
    }
  });

  it('follows a working set that moves at once', () => {
    const random = seededRandom(4);
    const requests = requestsOf(60_000, (index) => Math.floor(index / 10_000) * 1e5 + popular(random, 2000));
    expect(hitRatio(make(), 300, requests)).toBeGreaterThan(hitRatio(new Lru(), 300, requests) - 0.005);
  });

  it('prefers many small entries to a large one that is read as often', () => {
    const random = seededRandom(5);
    const requests = Array.from({ length: 60_000 }, () => {
      const key = Math.floor(random() * 2000);
      return { key, weight: key % 2 === 0 ? 1 : 100 };
    });
    // There is room for all of the small ones, or for a hundredth of the large.
    expect(hitRatio(make(), 2000, requests)).toBeGreaterThan(0.45);
    expect(hitRatio(new Lru(), 2000, requests)).toBeLessThan(0.1);
  });

  it('finds the one entry left in a table that is all but empty', () => {
    const policy = make();
    policy.reserve(100_000);
    for (let slot = 0; slot < 100_000; slot++) policy.add(slot, slot, 1);
    for (let slot = 0; slot < 100_000; slot++) if (slot !== 77_777) policy.remove(slot);
    policy.check(new Map([[77_777, 1]]));
    expect(policy.evict()).toBe(77_777);
  });

  it('does the same with the same chance', () => {
    const random = seededRandom(6);
    const requests = requestsOf(20_000, () => popular(random, 3000));
    expect(hitRatio(make(9), 200, requests)).toBe(hitRatio(make(9), 200, requests));
  });
});
