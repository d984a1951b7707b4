import { afterEach, describe, expect, it, vi } from 'vitest';
import { ClosedError, InvalidArgumentError } from '../../base/errors.ts';
import { CachesUnderTest } from '../../testing/caches-under-test.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { Cache } from './cache.ts';
import { GENERAL_CACHE, RAG_QUERY_CACHE, RESPONSE_CACHE } from './cache-options.ts';

const caches = new CachesUnderTest();
const make: CachesUnderTest['make'] = (options) => caches.make(options);

afterEach(() => caches.finish());

describe('reading and setting', () => {
  it('counts hits and misses; peek and has count nothing', () => {
    const { cache } = make<string, number>({ maxEntries: 2 });
    expect(cache.get('a')).toBeUndefined();
    expect(cache.set('a', 1)).toBe(true);
    expect(cache.get('a')).toBe(1);
    expect(cache.peek('a')).toBe(1);
    expect(cache.has('b')).toBe(false);
    expect(cache.statistics()).toMatchObject({ hits: 1, misses: 1, hitRatio: 0.5, sets: 1, entries: 1, bytes: 1 });
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

  it('iterates to an end though each key is set anew for an owner meanwhile', () => {
    const { cache } = make<number, number>({ maxEntries: 10 });
    for (let key = 0; key < 3; key++) cache.set(key, key, { owner: 'ada' });
    const seen: number[] = [];
    for (const [key] of cache) {
      seen.push(key);
      if (seen.length > 10) break;
      cache.set(key, key, { owner: 'ada' });
    }
    expect(seen).toEqual([0, 1, 2]);
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
    const { cache } = make<string, number>({
      maxBytes: 100,
      sizeOf: (value) => value,
      onEvict: (...args) => evicted.push(args),
    });
    expect(cache.set('a', 100)).toBe(true);
    expect(cache.set('a', 101)).toBe(false);
    expect(cache.has('a')).toBe(false);
    expect(evicted).toEqual([['a', 100, 'replaced']]);
    expect(cache.set('b', Number.POSITIVE_INFINITY)).toBe(false);
    expect(cache.statistics().refusals).toMatchObject({ too_large: 2 });
  });

  it.each([Number.NaN, -1, '12', null, undefined, {}])('refuses a size of %s and keeps its books', (size) => {
    const { cache } = make<string, number>({ maxBytes: 100, sizeOf: () => size as number });
    expect(cache.set('a', 1)).toBe(false);
    expect(cache.statistics()).toMatchObject({ entries: 0, bytes: 0, refusals: { size: 1 } });
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
    expect(cache.statistics()).toMatchObject({ callbackErrors: 1, refusals: { size: 1 } });
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
    expect(cache.size).toBe(0);
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

  it('stays as it was when a new bound is refused', async () => {
    const { cache, clock } = make<number, number>({ minBytes: 50, maxBytes: 1000, sizeOf: () => 100 });
    for (let key = 0; key < 5; key++) cache.set(key, key);
    expect(() => cache.resize({ maxBytes: 10, maxEntries: 1, ttlMs: 5 })).toThrow(InvalidArgumentError);
    expect(cache.statistics()).toMatchObject({ maxBytes: 1000, maxEntries: null, entries: 5 });
    cache.set(9, 9);
    await clock.advance(10);
    expect(cache.get(9)).toBe(9);
    expect(() => cache.sweep(Number.NaN)).toThrow(InvalidArgumentError);
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

  it.each([undefined, null, 'x'])('refuses %o as options', (options) => {
    expect(() => new Cache(options as never)).toThrow(InvalidArgumentError);
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
    expect(cache.statistics()).toMatchObject({ sets: 1, entries: 0, evictions: { deleted: 1 } });
  });
});
