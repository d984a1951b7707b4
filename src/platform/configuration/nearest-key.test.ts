import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance, nearestKey } from './nearest-key.ts';

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['limits', 'limts', 1],
    ['limits', 'limtis', 1],
    ['kitten', 'sitting', 3],
    ['ca', 'abc', 3],
  ])('from "%s" to "%s" is %i', (from, to, distance) => {
    expect(editDistance(from, to)).toBe(distance);
  });

  it('is symmetric, 0 only for the same, and at most the longer length', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (from, to) => {
        const distance = editDistance(from, to);
        expect(distance).toBe(editDistance(to, from));
        expect(distance === 0).toBe(from === to);
        expect(distance).toBeLessThanOrEqual(Math.max(from.length, to.length));
      }),
    );
  });
});

describe('nearestKey', () => {
  const keys = ['memory_limit_mb', 'max_heap_mb', 'max_stack_mb', 'enabled'];

  it.each([
    ['memory_limit', 'memory_limit_mb'],
    ['memoryLimitMB', 'memory_limit_mb'],
    ['max-heap', 'max_heap_mb'],
    ['enable', 'enabled'],
    ['threshold', undefined],
    ['', undefined],
  ])('for "%s" is %s', (written, expected) => {
    expect(nearestKey(written, keys)).toBe(expected);
  });
});
