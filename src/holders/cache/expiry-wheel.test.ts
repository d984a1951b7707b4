import { afterEach, describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../base/errors.ts';
import { seededRandom } from '../../base/random.ts';
import { CachesUnderTest } from '../../testing/caches-under-test.ts';

const caches = new CachesUnderTest();
const make: CachesUnderTest['make'] = (options) => caches.make(options);

afterEach(() => caches.finish());

describe('time', () => {
  it('lets an entry live as long as it says, exactly', async () => {
    const { cache, clock } = make<string, number>({ maxEntries: 10, ttlMs: 1000 });
    cache.set('a', 1);
    cache.set('b', 2, { ttlMs: 5 });
    cache.set('c', 3, { ttlMs: Number.POSITIVE_INFINITY });
    await clock.advance(4);
    expect(cache.get('b')).toBe(2);
    await clock.advance(1);
    expect(cache.get('b')).toBeUndefined();
    await clock.advance(994);
    expect(cache.get('a')).toBe(1);
    await clock.advance(1);
    expect(cache.has('a')).toBe(false);
    await clock.advance(1e9);
    expect(cache.get('c')).toBe(3);
    expect(cache.stats().evictions.expired).toBe(2);
  });

  it('starts the time anew with each read when it slides, and not otherwise', async () => {
    for (const ttl of ['fixed', 'sliding'] as const) {
      const { cache, clock } = make<string, number>({ maxEntries: 10, ttlMs: 1000, ttl });
      cache.set('a', 1);
      for (let index = 0; index < 5; index++) {
        await clock.advance(400);
        cache.get('a');
        cache.sweep();
      }
      expect(cache.has('a')).toBe(ttl === 'sliding');
      await clock.advance(1000);
      expect(cache.has('a')).toBe(false);
    }
  });

  it.each([Number.NaN, -1, 0, Number.NEGATIVE_INFINITY, '5'])('refuses a time of %s', (ttlMs) => {
    const { cache } = make<string, number>({ maxEntries: 10 });
    expect(() => cache.set('a', 1, { ttlMs: ttlMs as number })).toThrow(InvalidArgumentError);
    expect(() => cache.resize({ ttlMs: ttlMs as number })).toThrow(InvalidArgumentError);
    expect(() => make({ maxEntries: 1, ttlMs: ttlMs as number })).toThrow(InvalidArgumentError);
    expect(cache.size).toBe(0);
  });

  it('does not care how the wall clock is set', async () => {
    const { cache, clock } = make<string, number>({ maxEntries: 10, ttlMs: 1000 });
    cache.set('a', 1);
    clock.jumpWallClock(1e10);
    expect(cache.get('a')).toBe(1);
    clock.jumpWallClock(-2e10);
    await clock.advance(1000);
    expect(cache.get('a')).toBeUndefined();
  });

  it('knows the bytes that are expired without being read, and gives them first', async () => {
    const { cache, budget, clock } = make<number, number>({ ttlMs: 10_000, sizeOf: () => 1000 });
    for (let key = 0; key < 20; key++) cache.set(key, key, { ttlMs: key % 2 === 0 ? 500 : 50_000 });
    expect(cache.stats().expiredBytes).toBe(0);
    await clock.advance(600);
    expect(cache.stats().expiredBytes).toBe(10_000);
    // The slack comes before the rest: ask for a little more than it.
    await budget.reclaim({ targetBytes: 9000 });
    expect(cache.stats().evictions).toMatchObject({ expired: expect.any(Number), pressure: 0 });
    expect([...cache.keys()].filter((key) => key % 2 === 1)).toHaveLength(10);
  });

  it('drops what is expired in passing, a few at a time', async () => {
    const { cache, clock } = make<number, number>({ maxEntries: 1000, ttlMs: 100 });
    for (let key = 0; key < 100; key++) cache.set(key, key);
    await clock.advance(500);
    expect(cache.size).toBe(100);
    for (let key = 1000; key < 1025; key++) cache.set(key, key);
    expect(cache.size).toBe(25);
    await clock.advance(500);
    expect(cache.sweep(10)).toBe(10);
    expect(cache.sweep()).toBe(15);
  });

  it('finds deadlines of every length', async () => {
    const { cache, clock } = make<number, number>({ maxEntries: 5000 });
    const random = seededRandom(5);
    const ends = new Map<number, number>();
    for (let key = 0; key < 2000; key++) {
      const ttlMs = 10 ** (random() * 9.5);
      cache.set(key, key, { ttlMs });
      ends.set(key, clock.monotonicMs() + ttlMs);
      if (key % 100 === 0) await clock.advance(random() * 1000);
    }
    for (let exponent = 2; exponent < 9.7; exponent += 0.1) {
      await clock.advance(10 ** exponent - 10 ** (exponent - 0.1));
      cache.sweep();
      cache.validate();
      const nowMs = clock.monotonicMs();
      // A bucket may be a tick late.
      const due = [...ends.values()].filter((endMs) => endMs <= nowMs).length;
      const longDue = [...ends.values()].filter((endMs) => endMs + 64 <= nowMs).length;
      expect(cache.size).toBeGreaterThanOrEqual(ends.size - due);
      expect(cache.size).toBeLessThanOrEqual(ends.size - longDue);
    }
  }, 30_000);
});
