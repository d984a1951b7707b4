import { describe, expect, it } from 'vitest';
import { ScratchArrays } from './scratch.ts';

describe('ScratchArrays', () => {
  it('gives zeros of the size asked for, in memory used before', () => {
    const scratch = new ScratchArrays();
    const first = scratch.take(100);
    first.fill(7);
    scratch.giveBack(first);
    const second = scratch.take(40);
    expect(second).toEqual(new Float32Array(40));
    expect(second.buffer).toBe(first.buffer);
  });

  it('never gives one array to two questions', () => {
    const scratch = new ScratchArrays();
    scratch.giveBack(scratch.take(10));
    expect(scratch.take(10).buffer).not.toBe(scratch.take(10).buffer);
  });

  it('keeps no array larger than four megabytes and no more than four', () => {
    const scratch = new ScratchArrays();
    const large = scratch.take(2 ** 20 + 1);
    scratch.giveBack(large);
    expect(scratch.take(1).buffer).not.toBe(large.buffer);
    const arrays = [1, 2, 3, 4, 5].map((size) => scratch.take(size));
    for (const array of arrays) scratch.giveBack(array);
    const again = [1, 2, 3, 4, 5].map(() => scratch.take(1).buffer);
    expect(arrays.filter(({ buffer }) => again.includes(buffer))).toHaveLength(4);
  });
});
