import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BestFirst } from './best-first.ts';

describe('BestFirst', () => {
  it('gives the positive scores in descending order, newest first among equals', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 9 })), fc.integer({ min: 1, max: 7 }), (values, step) => {
        const scores = Float32Array.from(values);
        const best = new BestFirst(scores);
        const taken: number[] = [];
        for (let page = best.take(step); page.length > 0; page = best.take(step)) taken.push(...page);
        const expected = [...scores.keys()]
          .filter((ordinal) => scores[ordinal]! > 0)
          .sort((one, other) => scores[other]! - scores[one]! || other - one);
        expect(taken).toEqual(expected);
        expect(best.take(1)).toEqual([]);
      }),
    );
  });
});
