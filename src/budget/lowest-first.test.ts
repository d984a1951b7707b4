import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LowestFirst } from './lowest-first.ts';

it('takes out in order whatever was put in, in any mixture of both', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat(50))), (steps) => {
      const heap = new LowestFirst<number>((one, other) => one < other);
      const model: number[] = [];
      for (const step of steps) {
        if (step === null) {
          expect(heap.take()).toBe(model.shift());
        } else {
          heap.add(step);
          model.push(step);
          model.sort((one, other) => one - other);
        }
        expect(heap.lowest).toBe(model[0]);
      }
    }),
  );
});
