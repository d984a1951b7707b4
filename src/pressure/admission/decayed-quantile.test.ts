import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../base/random.ts';
import { DecayedQuantile } from './decayed-quantile.ts';
import { DecayedRate } from './decayed-rate.ts';
import { LearnedCosts } from './learned-costs.ts';

describe('DecayedQuantile', () => {
  it('lies within one bucket of the true percentile, never below it', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 256, max: 2 ** 32 }), { minLength: 10, maxLength: 40 }), (sizes) => {
        const quantile = new DecayedQuantile(0.9);
        for (const size of sizes) quantile.add(size);
        const sorted = [...sizes].sort((a, b) => a - b);
        const exact = sorted[Math.ceil(0.9 * sizes.length) - 1]!;
        // The later samples weigh a little more, which can move the rank by one.
        const neighbours = [sorted[Math.max(0, Math.ceil(0.9 * sizes.length) - 2)]!, exact, sorted.at(-1)!];
        expect(quantile.valueBytes).toBeGreaterThanOrEqual(Math.min(...neighbours));
        expect(quantile.valueBytes).toBeLessThanOrEqual(Math.max(...neighbours) * 2 ** 0.25 + 1);
      }),
    );
  });

  it('forgets what was long ago', () => {
    const quantile = new DecayedQuantile(0.9);
    for (let sample = 0; sample < 20_000; sample++) quantile.add(64 * 2 ** 20);
    for (let sample = 0; sample < 1_100; sample++) quantile.add(4_096);
    expect(quantile.valueBytes).toBeLessThan(5_000);
    for (let sample = 0; sample < 60; sample++) quantile.add(64 * 2 ** 20);
    expect(quantile.valueBytes).toBeGreaterThanOrEqual(64 * 2 ** 20);
  });

  it('keeps within its range over a million samples, tiny and huge', () => {
    const quantile = new DecayedQuantile(0.5);
    const random = seededRandom(1);
    for (let sample = 0; sample < 1_000_000; sample++) quantile.add(Math.floor(random() * 2 ** 53));
    expect(Number.isSafeInteger(quantile.valueBytes)).toBe(true);
    expect(quantile.samples).toBe(1_000_000);
    const none = new DecayedQuantile(0.9);
    expect(none.valueBytes).toBe(0);
    none.add(0);
    expect(none.valueBytes).toBe(256);
  });
});

describe('LearnedCosts', () => {
  it('keeps the default until enough is known, then tells the ninetieth percentile of each kind', () => {
    const costs = new LearnedCosts({ defaultBytes: 1_000 });
    for (let sample = 0; sample < 7; sample++) costs.learn('a', 50_000);
    expect(costs.of('a')).toBe(1_000);
    costs.learn('a', 50_000);
    expect(costs.of('a')).toBeGreaterThanOrEqual(50_000);
    expect(costs.of('a')).toBeLessThan(60_000);
    expect(costs.of('b')).toBe(1_000);
  });

  it('does not grow with the number of kinds', () => {
    const costs = new LearnedCosts({ defaultBytes: 1_000 });
    for (let kind = 0; kind < 5_000; kind++) costs.learn(`GET /${kind}`, 8_192);
    expect(costs.size).toBe(1_000);
    expect(costs.of('GET /4999')).toBe(8_192);
  });
});

describe('DecayedRate', () => {
  it('is right at once, whatever the distance of its samples, and follows a change', () => {
    const rate = new DecayedRate();
    expect(rate.perSecond).toBeNull();
    rate.add(50, 50);
    expect(rate.perSecond).toBeNull();
    for (const spanMs of [50, 10, 900, 3_000]) rate.add(spanMs, spanMs);
    expect(rate.perSecond).toBeCloseTo(1_000);
    rate.add(0, 60_000);
    expect(rate.perSecond).toBeLessThan(5);
    rate.add(1, 0);
    rate.add(1, Number.NaN);
    expect(rate.perSecond).toBeLessThan(5);
  });
});
