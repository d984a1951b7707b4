import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AGE_COUNT, ageFrom, CLASS_COUNT, cellOf, SEEN_ONCE, seenAgain } from './reuse-history.ts';

const classOf = (past: number) => Math.floor(cellOf(past, 0) / AGE_COUNT);
const used = (intervals: readonly number[]) => intervals.reduce(seenAgain, SEEN_ONCE);

describe('the past of an entry', () => {
  it('puts each age in the step that begins at or before it, and keeps the order of ages', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 25 - 1 }), (age) => {
        const step = cellOf(SEEN_ONCE, age);
        expect(ageFrom(step)).toBeLessThanOrEqual(age);
        expect(ageFrom(step + 1)).toBeGreaterThan(age);
      }),
    );
  });

  it('takes ages past 2^31, which are negative, for the oldest', () => {
    for (const age of [2 ** 26, 2 ** 31 - 1, -(2 ** 31), -5]) expect(cellOf(SEEN_ONCE, age)).toBe(AGE_COUNT - 1);
  });

  it('has a class and a cell for whatever happens', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 0xffffffff }), { maxLength: 40 }), (intervals) => {
        const past = used(intervals.map((interval) => interval | 0));
        expect(past).toBeGreaterThan(0);
        expect(classOf(past)).toBeLessThan(CLASS_COUNT);
        expect(classOf(past) === 0).toBe(intervals.length === 0);
      }),
    );
  });

  it('tells the often used from the seldom used, and short intervals from long', () => {
    const classes = [[], [100], [100, 100, 100], [100, 100, 100, 100, 100, 100, 100], [10_000], [1_000_000]]
      .map(used)
      .map(classOf);
    expect(new Set(classes).size).toBe(classes.length);
  });

  it('is not changed by one odd interval after many', () => {
    const steady = Array.from({ length: 20 }, () => 1000);
    expect(classOf(used([...steady, 1300]))).toBe(classOf(used(steady)));
    expect(classOf(used([...steady, 3]))).not.toBe(classOf(used([3])));
  });
});
