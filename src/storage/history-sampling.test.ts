import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { periodStart, stepFor, TIERS } from './history-sampling.ts';

const DAY_MS = 86_400_000;

describe('the step of a plot', () => {
  it('never needs more points than allowed, and lines up with every tier it is made from', () => {
    fc.assert(
      fc.property(
        fc.record({
          fromMs: fc.nat(2 ** 41),
          lengthMs: fc.integer({ min: 1, max: 500 * DAY_MS }),
          maxPoints: fc.integer({ min: 2, max: 5000 }),
          tier: fc.constantFrom(...TIERS),
        }),
        ({ fromMs, lengthMs, maxPoints, tier }) => {
          const toMs = fromMs + lengthMs;
          const stepMs = stepFor({ fromMs, toMs, maxPoints }, tier.resolutionMs);
          const points = (periodStart(toMs - 1, stepMs) - periodStart(fromMs, stepMs)) / stepMs + 1;
          expect(points).toBeLessThanOrEqual(maxPoints);
          expect(stepMs % tier.resolutionMs).toBe(0);
        },
      ),
    );
  });

  it.each([
    { length: 'an hour', lengthMs: DAY_MS / 24, stepMs: 30_000 },
    { length: 'a day', lengthMs: DAY_MS, stepMs: 150_000 },
    { length: 'a week', lengthMs: 7 * DAY_MS, stepMs: 900_000 },
    { length: '400 days', lengthMs: 400 * DAY_MS, stepMs: DAY_MS },
  ])('shows $length in at most 700 points', ({ lengthMs, stepMs }) => {
    expect(stepFor({ fromMs: 0, toMs: lengthMs, maxPoints: 700 }, TIERS[0].resolutionMs)).toBe(stepMs);
  });
});
