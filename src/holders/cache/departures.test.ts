import { afterEach, describe, expect, it } from 'vitest';
import { ClosedError } from '../../base/errors.ts';
import { CachesUnderTest } from '../../testing/caches-under-test.ts';
import { POLICY_NAMES } from './policies.ts';

const caches = new CachesUnderTest();
const make: CachesUnderTest['make'] = (options) => caches.make(options);

afterEach(() => caches.finish());

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
