import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { HeapScale, heapShapes } from '../testing/heap-shapes.ts';
import { estimateBytes, survey } from './estimator.ts';

/** `MOST_NODES`, and what the last container may add. */
const MOST_VISITED = 4096 + 256;

describe('the estimate of the published shapes', () => {
  const scale = new HeapScale({ estimate: estimateBytes, totalBytes: 2 ** 21 });

  it.each(heapShapes)(
    'is within 15 % of the heap: $name',
    (shape) => {
      const { realBytes, estimatedBytes } = scale.weigh(shape);
      expect(realBytes).toBeGreaterThan(0);
      expect(Math.abs(estimatedBytes / realBytes - 1), `${estimatedBytes} of ${realBytes} bytes`).toBeLessThan(0.15);
    },
    60_000,
  );
});

describe('estimateBytes', () => {
  it('counts a cycle and a shared value once', () => {
    const blob = new Uint8Array(100_000);
    const loop: { self?: unknown; blob: Uint8Array; again: unknown[] } = { blob, again: [blob, blob] };
    loop.self = loop;
    expect(estimateBytes(loop) - estimateBytes(blob)).toBeLessThan(200);
  });

  it('counts what the elements of a long array share about once', () => {
    const shared = 'x'.repeat(1_000_000);
    const session = { shared };
    const messages = Array.from({ length: 10_000 }, () => ({ session }));
    const expected = 1_000_000 + 10_000 * (8 + 32);
    expect(estimateBytes(messages) / expected).toBeGreaterThan(0.9);
    expect(estimateBytes(messages) / expected).toBeLessThan(1.1);
  });

  it('counts a buffer once, however many look into it', () => {
    const buffer = new ArrayBuffer(1_000_000);
    const views = Array.from({ length: 10 }, (_, index) => new Uint8Array(buffer, index * 1000, 1000));
    expect(estimateBytes([...views, new DataView(buffer), buffer])).toBeLessThan(1_003_000);
  });

  it('takes nothing for what needs no bytes of its own', () => {
    for (const value of [undefined, null, true, 7, '', 'a']) expect(estimateBytes(value)).toBe(0);
  });

  it('runs no getter and no trap', () => {
    const never = vi.fn();
    const traps = new Proxy({}, { get: never });
    class Sneaky extends Map {
      override get size(): number {
        return never() as number;
      }
      override entries = never;
      override [Symbol.iterator] = never;
    }
    const array: unknown[] = [1, 2];
    Object.defineProperty(array, 1, { get: never });
    const view = Object.defineProperty(new Uint8Array(100), 'buffer', { get: never });
    const hostile = [
      {
        get value() {
          return never();
        },
      },
      new Proxy({}, traps),
      new Proxy([], traps),
      new Proxy(() => {}, traps),
      Object.create(new Proxy({}, traps)),
      new Sneaky(),
      array,
      view,
      Object.defineProperty(/a/, 'source', { get: never }),
      {
        toString: never,
        valueOf: never,
        toJSON: never,
        [Symbol.toPrimitive]: never,
        get [Symbol.toStringTag]() {
          return never();
        },
      },
    ];
    for (const value of [...hostile, hostile]) expect(estimateBytes(value)).toBeGreaterThan(0);
    expect(never).not.toHaveBeenCalled();
  });

  it('throws at nothing', () => {
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    const detached = new DataView(new ArrayBuffer(8));
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    const odd = [
      revoked.proxy,
      detached,
      Object.create(Map.prototype),
      Object.setPrototypeOf(new Map([[1, 2]]), null),
      Symbol('odd'),
      -(2n ** 64n),
      Number.NaN,
      function* () {},
      new WeakMap(),
      Promise.resolve(),
      new SharedArrayBuffer(8),
      globalThis,
    ];
    for (const value of [...odd, odd]) expect(estimateBytes(value)).toBeGreaterThan(0);
  });

  it('leaves a small typed array in the heap', () => {
    const before = process.memoryUsage().arrayBuffers;
    const kept = Array.from({ length: 1000 }, () => new Uint8Array(16));
    for (const each of kept) estimateBytes(each);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1000 * 16);
  });

  it('looks at a bounded part of a huge value, and is near it', () => {
    const record = (index: number) => ({
      id: index,
      text: `a text with the number ${10_000_000 + index}`,
      tags: ['one tag of it', 'another tag'],
    });
    const records = Array.from({ length: 50_000 }, (_, index) => record(index));
    const one = estimateBytes([record(1), record(2)]) - estimateBytes([record(1)]);
    for (const value of [records, new Map(records.entries()), new Set(records), { deep: { deeper: records } }]) {
      const { bytes, visitedNodes } = survey(value);
      expect(visitedNodes).toBeLessThan(MOST_VISITED);
      expect(bytes / (one * records.length)).toBeGreaterThan(0.9);
      expect(bytes / (one * records.length)).toBeLessThan(1.2);
    }
  });

  it('does not fall into step with alternating elements', () => {
    const alternating = Array.from({ length: 9_000 }, (_, index) =>
      `${index}`.padEnd(index % 2 === 0 ? 16 : 1600, '.'),
    );
    const expected = 4_500 * (32 + 1616 + 16);
    expect(estimateBytes(alternating) / expected).toBeGreaterThan(0.9);
    expect(estimateBytes(alternating) / expected).toBeLessThan(1.1);
  });

  it('survives any depth and any width', () => {
    let deep: unknown = null;
    for (let depth = 0; depth < 100_000; depth++) deep = { deep };
    const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`key${index}`, { index }]));
    for (const value of [deep, wide, [deep, wide]]) expect(survey(value).visitedNodes).toBeLessThan(MOST_VISITED);
    expect(estimateBytes(wide)).toBeGreaterThan(100_000 * 32);
  });

  it('is a whole number of bytes, the same each time, for any value', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withNullPrototype: true,
      withSparseArray: true,
      withBoxedValues: true,
    });
    fc.assert(
      fc.property(anything, (value) => {
        const bytes = estimateBytes(value);
        expect(Number.isSafeInteger(bytes) && bytes >= 0).toBe(true);
        expect(estimateBytes(value)).toBe(bytes);
      }),
    );
  });

  it('never falls when an array gets one more element', () => {
    fc.assert(
      fc.property(fc.array(fc.anything(), { maxLength: 8 }), fc.anything(), (array, element) => {
        expect(estimateBytes([...array, element])).toBeGreaterThan(estimateBytes(array));
      }),
    );
  });
});
