import { describe, expect, it } from 'vitest';
import { MIB } from '../base/bytes.ts';
import { HeapAllowance } from './heap-allowance.ts';
import { readingOf } from './readings.ts';

const heap = (usedBytes: number, liveBytes?: number) => ({
  ...{ usedBytes, limitBytes: 304 * MIB, usableLimitBytes: 256 * MIB },
  ...(liveBytes !== undefined && { liveBytes }),
});
const collection = (majors: number) => ({ share: 0, majorPerMinute: 0, majors });

describe('what may be reserved on the heap', () => {
  it('leaves out what lived through the last major collection without being reserved', () => {
    const allowance = new HeapAllowance(0.5);
    const reading = readingOf({ heap: heap(200 * MIB, 90 * MIB), collection: collection(1) });
    expect(allowance.allowedBytes(reading, 60 * MIB)).toBe(98 * MIB);
    // What is reserved since then says nothing about what lived then.
    expect(allowance.allowedBytes(reading, 80 * MIB)).toBe(98 * MIB);
    expect(allowance.allowedBytes(readingOf({ ...reading, collection: collection(2) }), 80 * MIB)).toBe(118 * MIB);
  });

  it('counts all that is used while no major collection has run', () => {
    const allowance = new HeapAllowance(0.5);
    const atStart = (usedBytes: number) => readingOf({ heap: heap(usedBytes), collection: collection(0) });
    expect(allowance.allowedBytes(atStart(28 * MIB), 0)).toBe(100 * MIB);
    expect(allowance.allowedBytes(atStart(48 * MIB), 10 * MIB)).toBe(90 * MIB);
    expect(allowance.allowedBytes(atStart(500 * MIB), 0)).toBe(0);
  });

  it('is unbounded where the heap has no known limit', () => {
    const unknown = readingOf({ heap: { usedBytes: 1, limitBytes: 0, usableLimitBytes: 0 } });
    expect(new HeapAllowance(0.5).allowedBytes(unknown, 0)).toBe(Number.POSITIVE_INFINITY);
  });
});
