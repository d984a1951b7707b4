/**
 * The accounting of the cache, byte for byte: least recently used on the reference trace misses exactly as often as published, in the
 * policy alone and in the whole class under a budget. And the floors of HOLD-2.
 */
import { describe, expect, it } from 'vitest';
import { CLOUD_PHYSICS_SIZES, REFERENCES } from '../../bench/cache/references.ts';
import { simulate } from '../../bench/cache/simulate.ts';
import { loadTrace } from '../../bench/cache/traces.ts';
import { Budget } from '../../src/budget/budget.ts';
import { Cache } from '../../src/holders/cache/cache.ts';
import { DEFAULT_POLICY, policyNamed } from '../../src/holders/cache/policies.ts';

const published = (capacity: number) =>
  REFERENCES.find((reference) => reference.trace === 'cloudPhysicsIO' && reference.capacity === capacity)!.published;

describe.each(CLOUD_PHYSICS_SIZES)('cloudPhysicsIO at %i bytes', (capacity) => {
  it('misses exactly as published with lru and sieve', { timeout: 60_000 }, async () => {
    const trace = await loadTrace('cloudPhysicsIO');
    expect(simulate(trace, capacity, policyNamed('lru')).misses).toBe(published(capacity)['lru']);
    expect(simulate(trace, capacity, policyNamed('sieve')).misses).toBe(published(capacity)['sieve']);
  });

  it('does so as a cache under a budget', { timeout: 60_000 }, async () => {
    const { keys, sizes } = await loadTrace('cloudPhysicsIO');
    using budget = new Budget({ limitBytes: 2 * capacity });
    using cache = new Cache<number, true>({
      name: 'cache',
      budget,
      policy: 'lru',
      maxBytes: capacity,
      overheadBytes: 0,
    });
    for (let index = 0; index < keys.length; index++) {
      if (cache.get(keys[index]!) === undefined) cache.set(keys[index]!, true, { sizeBytes: sizes![index]! });
    }
    expect(cache.stats().misses).toBe(published(capacity)['lru']);
    cache.validate();
  });

  it('is at or below published S3-FIFO with the default policy', { timeout: 60_000 }, async () => {
    const trace = await loadTrace('cloudPhysicsIO');
    const { misses } = simulate(trace, capacity, policyNamed(DEFAULT_POLICY));
    expect(misses).toBeLessThanOrEqual(published(capacity)['s3-fifo']!);
  });
});
