import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../base/errors.ts';
import { checkMemory } from './check-memory.ts';

describe('checkMemory', () => {
  it('compares the process with 500 MB', () => {
    const { memoryMb, thresholdMb, percent, needsCleanup } = checkMemory();
    expect(memoryMb).toBeGreaterThan(5);
    expect(thresholdMb).toBe(500);
    expect(percent).toBeCloseTo(memoryMb / 5);
    expect(needsCleanup).toBe(memoryMb >= 500);
  });

  it('needs a cleanup above the threshold', () => {
    expect(checkMemory({ thresholdMb: 1 })).toMatchObject({ thresholdMb: 1, needsCleanup: true });
    expect(checkMemory({ thresholdMb: 1e6 }).needsCleanup).toBe(false);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a threshold of %s', (thresholdMb) => {
    expect(() => checkMemory({ thresholdMb })).toThrow(InvalidArgumentError);
  });

  it('keeps nothing open', () => {
    const before = readdirSync('/dev/fd').length;
    for (let check = 0; check < 20; check++) checkMemory();
    expect(readdirSync('/dev/fd').length).toBe(before);
  });
});
