import { afterEach, describe, expect, it, vi } from 'vitest';
import { ClosedError, InvalidArgumentError } from '../../base/errors.ts';
import { seededRandom } from '../../base/random.ts';
import { Budget } from '../../budget/budget.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { Cache } from './cache.ts';
import { type CacheOptions, GENERAL_CACHE, RAG_QUERY_CACHE, RESPONSE_CACHE } from './cache-options.ts';
import { POLICY_NAMES } from './policies.ts';

const open: { cache: Cache<never, never>; budget: Budget; clock: ManualClock }[] = [];

/** A cache under a budget of its own; whole, closed and without a leak after the test. */
function make<K, V>(options: Partial<CacheOptions<K, V>> & { limitBytes?: number } = {}) {
  const { limitBytes = 1_000_000, ...rest } = options;
  const clock = new ManualClock();
  const budget = new Budget({ limitBytes, clock, regrowthBytesPerSecond: Number.POSITIVE_INFINITY });
  const cache = new Cache<K, V>({
    ...{ name: 'cache', budget, clock, overheadBytes: 0, sizeOf: () => 1 },
    random: seededRandom(3),
    ...rest,
  });
  open.push({ cache: cache as unknown as Cache<never, never>, budget, clock });
  return { cache, budget, clock };
}

afterEach(() => {
  for (const { cache, budget, clock } of open.splice(0)) {
    if (!isClosed(cache)) cache.validate();
    cache.close();
    cache.close();
    expect(budget.reservedBytes).toBe(0);
    expect(budget.close().leakedBytes).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  }
});

function isClosed(cache: Cache<never, never>): boolean {
  try {
    cache.has(0 as never);
    return false;
  } catch {
    return true;
  }
}

describe('reading and setting', () => {
  it('counts hits and misses; peek and has count nothing', () => {
    const { cache } = make<string, number>({ maxEntries: 2 });
    expect(cache.get('a')).toBeUndefined();
    expect(cache.set('a', 1)).toBe(true);
    expect(cache.get('a')).toBe(1);
    expect(cache.peek('a')).toBe(1);
    expect(cache.has('b')).toBe(false);
    expect(cache.stats()).toMatchObject({ hits: 1, misses: 1, hitRatio: 0.5, sets: 1, entries: 1, bytes: 1 });
  });

  it('takes any key a Map takes: NaN, both zeros, objects, symbols, undefined', () => {
    const { cache } = make<unknown, string>({ maxEntries: 20 });
    const object = {};
    const symbol = Symbol('s');
    const keys = [Number.NaN, 0, '', '0', object, symbol, 1n, 1.5, null, undefined, true, 'x'.repeat(5000), () => {}];
    for (const [index, key] of keys.entries()) cache.set(key, `value ${index}`);
    for (const [index, key] of keys.entries()) expect(cache.get(key)).toBe(`value ${index}`);
    expect(cache.get(-0)).toBe('value 1');
    expect(cache.get({})).toBeUndefined();
    cache.validate();
    for (const key of keys) expect(cache.delete(key)).toBe(true);
    expect(cache.size).toBe(0);
  });

  it('refuses undefined as a value, for a read could not tell it from nothing', () => {
    const { cache } = make<string, undefined>({ maxEntries: 2 });
    expect(() => cache.set('a', undefined)).toThrow(InvalidArgumentError);
  });

  it('iterates lazily, and survives being changed meanwhile', () => {
    const { cache } = make<number, number>({ maxEntries: 1000 });
    for (let key = 0; key < 100; key++) cache.set(key, key);
    const seen: number[] = [];
    for (const [key] of cache) {
      seen.push(key);
      cache.delete(key);
      cache.delete(key + 1);
      if (key < 10) cache.set(key + 1000, 0);
      if (seen.length > 500) break;
    }
    expect(seen.filter((key) => key < 100)).toEqual(Array.from({ length: 50 }, (_, index) => 2 * index));
    const keys = cache.keys();
    keys.next();
    cache.clear();
    expect([...keys]).toEqual([]);
  });

  it('counts what its own structures take, and the key, unless told otherwise', () => {
    const clock = new ManualClock();
    using cache = new Cache<string, string>({ name: 'own', maxEntries: 10, clock });
    cache.set('key', 'v'.repeat(1000));
    expect(cache.bytes).toBeGreaterThan(1080);
    expect(cache.bytes).toBeLessThan(1300);
  });

  it('has presets that bound it as documented', () => {
    expect(GENERAL_CACHE).toEqual({ maxEntries: 1000, maxBytes: 50 * 2 ** 20, ttlMs: 300_000 });
    expect(RESPONSE_CACHE).toEqual({ maxEntries: 50, ttlMs: 300_000 });
    expect(RAG_QUERY_CACHE).toEqual({ maxEntries: 100, ttlMs: 180_000 });
    const { cache, clock } = make<number, number>(RESPONSE_CACHE);
    for (let key = 0; key < 80; key++) cache.set(key, key);
    expect(cache.size).toBe(50);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('sizes', () => {
  it('refuses what is larger than the bound, and drops the older value with it', () => {
    const evicted: unknown[] = [];
    const { cache } = make<string, number>({ maxBytes: 100, sizeOf: (value) => value, onEvict: (...args) => evicted.push(args) });
    expect(cache.set('a', 100)).toBe(true);
    expect(cache.set('a', 101)).toBe(false);
    expect(cache.has('a')).toBe(false);
    expect(evicted).toEqual([['a', 100, 'replaced']]);
    expect(cache.set('b', Number.POSITIVE_INFINITY)).toBe(false);
    expect(cache.stats().refusals).toMatchObject({ too_large: 2 });
  });

  it.each([Number.NaN, -1, '12', null, undefined, {}])('refuses a size of %s and keeps its books', (size) => {
    const { cache } = make<string, number>({ maxBytes: 100, sizeOf: () => size as number });
    expect(cache.set('a', 1)).toBe(false);
    expect(cache.stats()).toMatchObject({ entries: 0, bytes: 0, refusals: { size: 1 } });
  });

  it('takes a size of 0 and rounds a broken one up', () => {
    const { cache } = make<string, number>({ maxBytes: 100, sizeOf: (value) => value });
    expect(cache.set('a', 0)).toBe(true);
    expect(cache.set('b', 0.1)).toBe(true);
    expect(cache.bytes).toBe(1);
  });

  it('survives a sizeOf that throws: the value is refused, the error told and counted', () => {
    const onError = vi.fn(() => {
      throw new Error('and this one as well');
    });
    const { cache } = make<string, number>({
      maxBytes: 100,
      onError,
      sizeOf: (value) => {
        if (value === 13) throw new Error('no');
        return 1;
      },
    });
    cache.set('a', 1);
    expect(cache.set('a', 13)).toBe(false);
    expect(cache.has('a')).toBe(false);
    expect(onError).toHaveBeenCalledWith(expect.objectContaining({ message: 'no' }), 'sizeOf');
    expect(cache.stats()).toMatchObject({ callbackErrors: 1, refusals: { size: 1 } });
  });

  it('keeps its books when sizeOf tells another size each time', () => {
    let calls = 0;
    const { cache } = make<number, number>({ maxBytes: 500, sizeOf: () => (calls++ * 37) % 101 });
    for (let index = 0; index < 1000; index++) {
      cache.set(index % 50, index);
      if (index % 7 === 0) cache.delete(index % 50);
      cache.validate();
    }
  });

  it('survives a sizeOf that uses or closes the cache', () => {
    const { cache } = make<string, number>({
      maxEntries: 10,
      sizeOf: (value, key): number => {
        if (value === 1) cache.delete(key);
        if (value === 2) cache.set('other', 3);
        if (value === 4) cache.clear();
        if (value === 5) cache.close();
        return 1;
      },
    });
    cache.set('a', 3);
    expect(cache.set('a', 1)).toBe(true);
    expect(cache.set('a', 2)).toBe(true);
    expect(cache.set('a', 4)).toBe(true);
    expect([...cache]).toEqual([['a', 4]]);
    cache.validate();
    expect(() => cache.set('a', 5)).toThrow(ClosedError);
  });

  it('refuses a size given with the call that is none', () => {
    const { cache } = make<string, number>({ maxBytes: 100 });
    for (const sizeBytes of [Number.NaN, -1, '3' as unknown as number]) {
      expect(() => cache.set('a', 1, { sizeBytes })).toThrow(InvalidArgumentError);
    }
    expect(cache.set('a', 1, { sizeBytes: 7 })).toBe(true);
    expect(cache.bytes).toBe(7);
  });
});

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

describe('leaving', () => {
  it('tells each entry that leaves, and why, when all is whole', () => {
    const told: unknown[] = [];
    const { cache } = make<string, number>({
      maxEntries: 2,
      policy: 'lru',
      onEvict: (key, value, cause) => {
        cache.validate();
        told.push([key, value, cause]);
      },
    });
    cache.set('a', 1);
    cache.set('a', 2);
    cache.set('b', 3);
    cache.set('c', 4);
    cache.delete('b');
    cache.clear();
    expect(told).toEqual([
      ['a', 1, 'replaced'],
      ['a', 2, 'capacity'],
      ['b', 3, 'deleted'],
      ['c', 4, 'deleted'],
    ]);
    expect(cache.stats().evictions).toMatchObject({ replaced: 1, capacity: 1, deleted: 2 });
  });

  it('survives an onEvict that throws', () => {
    const { cache } = make<number, number>({
      maxEntries: 2,
      onEvict: () => {
        throw new Error('no');
      },
    });
    for (let key = 0; key < 10; key++) expect(cache.set(key, key)).toBe(true);
    expect(cache.stats().callbackErrors).toBe(8);
  });

  it.each(POLICY_NAMES)('survives an onEvict that sets, deletes and clears (%s)', (policy) => {
    const { cache } = make<number, number>({
      maxEntries: 5,
      policy,
      onEvict: (key, value, cause) => {
        cache.validate();
        if (cause !== 'capacity') return;
        if (key % 3 === 0) cache.delete(key + 1);
        if (key % 3 === 1) cache.set(key + 1000, value);
        if (key % 17 === 2) cache.clear();
      },
    });
    for (let key = 0; key < 200; key++) cache.set(key, key);
    expect(cache.size).toBeLessThanOrEqual(5);
  });

  it('does not loop for ever when each departure causes another', () => {
    let told = 0;
    const { cache } = make<number, number>({
      maxEntries: 3,
      policy: 'lru',
      onEvict: (key, value, cause) => {
        told++;
        if (cause === 'capacity') cache.set(key, value);
      },
    });
    for (let key = 0; key < 4; key++) cache.set(key, key);
    expect(told).toBeLessThan(2000);
    cache.validate();
  });

  it('closes although an onEvict closes it, or uses it when closed', () => {
    const errors: unknown[] = [];
    const { cache } = make<number, number>({
      maxEntries: 3,
      onEvict: () => cache.close(),
      onError: (error) => errors.push(error),
    });
    for (let key = 0; key < 3; key++) cache.set(key, key);
    cache.delete(1);
    expect(() => cache.set(9, 9)).toThrow(ClosedError);
    const { cache: other } = make<number, number>({
      maxEntries: 3,
      onEvict: () => void other.set(5, 5),
      onError: (error) => errors.push(error),
    });
    other.set(1, 1);
    other.close();
    expect(errors).toEqual([expect.any(ClosedError)]);
    expect(other.stats()).toMatchObject({ entries: 0, bytes: 0 });
  });

  it('keeps nothing alive that has left', () => {
    const { cache } = make<number, object>({ maxEntries: 100 });
    for (let key = 0; key < 5000; key++) {
      cache.set(key, {});
      if (key % 3 === 0) cache.delete(key);
    }
    // The table's own check looks that free slots are empty.
    cache.validate();
  });
});

describe('bounds', () => {
  it('changes while it runs: what is beyond leaves at once', () => {
    const { cache } = make<number, number>({ maxBytes: 1000, maxEntries: 100, sizeOf: () => 10 });
    for (let key = 0; key < 100; key++) cache.set(key, key);
    cache.resize({ maxEntries: 50 });
    expect(cache.size).toBe(50);
    cache.resize({ maxBytes: 105 });
    expect(cache.size).toBe(10);
    cache.resize({ maxBytes: 2000, maxEntries: 1000 });
    for (let key = 0; key < 300; key++) cache.set(key, key);
    expect(cache.bytes).toBe(2000);
    cache.resize({ maxEntries: 0 });
    expect(cache.size).toBe(0);
    expect(cache.set(1, 1)).toBe(false);
  });

  it('moves its entries together when most have left', () => {
    const { cache } = make<number, number>({ maxEntries: 10_000 });
    for (let key = 0; key < 10_000; key++) cache.set(key, key, { ttlMs: 1e6 });
    cache.resize({ maxEntries: 100 });
    cache.validate();
    const kept = [...cache.keys()];
    expect(kept).toHaveLength(100);
    for (const key of kept) expect(cache.get(key)).toBe(key);
    cache.resize({ maxEntries: 10_000 });
    for (let key = 20_000; key < 21_000; key++) cache.set(key, key);
    cache.validate();
    expect(cache.size).toBe(1100);
  });

  it('wants a bound', () => {
    expect(() => new Cache({ name: 'x' })).toThrow(InvalidArgumentError);
  });

  it.each([
    { maxBytes: -1 },
    { maxBytes: Number.NaN },
    { maxEntries: 1.5 },
    { maxEntries: -1 },
    { maxEntries: Number.NaN },
    { policy: 'fifo' as 'lru' },
    { ttl: 'never' as 'fixed' },
    { missCost: -1 },
    { missCost: Number.NaN },
    { overheadBytes: -1 },
    { priority: 11 },
    { name: '' },
    { sizeOf: 5 as unknown as () => number },
    { onEvict: 'x' as unknown as () => void },
  ])('refuses %o', (options) => {
    expect(() => new Cache({ name: 'x', maxEntries: 5, ...options })).toThrow(InvalidArgumentError);
  });

  it('refuses use after close, and tells its figures all the same', async () => {
    const { cache } = make<string, number>({ maxEntries: 5 });
    cache.set('a', 1);
    await cache[Symbol.asyncDispose]();
    for (const use of [
      () => cache.get('a'),
      () => cache.peek('a'),
      () => cache.has('a'),
      () => cache.set('a', 1),
      () => cache.delete('a'),
      () => cache.clear(),
      () => cache.resize({}),
      () => cache.sweep(),
      () => [...cache.keys()],
      () => [...cache.entries()],
    ]) {
      expect(use).toThrow(ClosedError);
    }
    await expect(cache.getOrCompute('a', () => 1)).rejects.toThrow(ClosedError);
    expect(cache.stats()).toMatchObject({ sets: 1, entries: 0, evictions: { deleted: 1 } });
  });
});
