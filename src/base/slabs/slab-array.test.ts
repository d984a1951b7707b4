import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { validateSlabs } from '../../testing/validate-slabs.ts';
import { KIB, MIB } from '../bytes.ts';
import { ClosedError, InvalidArgumentError } from '../errors.ts';
import { SlabAllocator } from './slab-allocator.ts';
import { SlabArray } from './slab-array.ts';
import { SlabBlockInUseError, SlabNoRoomError } from './slab-errors.ts';

let allocator = new SlabAllocator({ spareSlabs: 0 });

afterEach(() => {
  if (!allocator.isClosed) validateSlabs(allocator);
  allocator.close();
  expect(allocator.reservedBytes).toBe(0);
  allocator = new SlabAllocator({ spareSlabs: 0 });
});

function row(bytes: number, value: number): Uint8Array {
  return Buffer.alloc(bytes, value & 0xff).fill(value >>> 8, 0, 1);
}

describe('an array of rows', () => {
  it('is what a plain array is, whatever is done to it', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('append' as const), count: fc.integer({ min: 1, max: 60 }) }),
      fc.record({ do: fc.constant('remove' as const), at: fc.nat(1000), count: fc.integer({ min: 1, max: 40 }) }),
      fc.record({ do: fc.constant('swap' as const), at: fc.nat(1000), count: fc.nat(1000) }),
      fc.record({ do: fc.constant('set' as const), at: fc.nat(1000), count: fc.constant(1) }),
      fc.record({ do: fc.constant('truncate' as const), count: fc.nat(200) }),
      fc.record({ do: fc.constant('trim' as const), count: fc.constant(1) }),
      fc.record({ do: fc.constant('release' as const), count: fc.integer({ min: 1, max: 8 }) }),
    );
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40 }),
        fc.constantFrom(1, 48, 1536, 40 * KIB, 512 * KIB),
        (steps, rowBytes) => {
          using slabs = new SlabAllocator({ spareSlabs: 1 });
          // Others share the slabs, and come and go.
          const others = Array.from({ length: 40 }, (_, index) => slabs.put(Buffer.alloc(5000, index)));
          using rows = new SlabArray({ allocator: slabs, rowBytes });
          const model: number[] = [];
          let value = 0;
          for (const each of steps) {
            if (each.do === 'append') {
              for (let index = 0; index < each.count; index++) {
                expect(rows.append(row(rowBytes, ++value))).toBe(model.length);
                model.push(value);
              }
            } else if (each.do === 'remove') {
              for (let index = 0; index < each.count && model.length > 0; index++) {
                const at = each.at % model.length;
                expect(rows.remove(at)).toBe(model.length - 1);
                const last = model.pop()!;
                if (at < model.length) model[at] = last;
              }
            } else if (each.do === 'swap' && model.length > 0) {
              const one = each.at % model.length;
              const other = each.count % model.length;
              rows.swap(one, other);
              [model[one], model[other]] = [model[other]!, model[one]!];
            } else if (each.do === 'set' && model.length > 0) {
              rows.set(each.at % model.length, row(rowBytes, ++value));
              model[each.at % model.length] = value;
            } else if (each.do === 'truncate') {
              model.length = Math.min(model.length, each.count);
              rows.truncate(model.length);
            } else if (each.do === 'trim') {
              rows.trim();
            } else if (each.do === 'release') {
              if (others.length > 0) slabs.free(others.pop()!);
              slabs.release({ targetBytes: each.count * MIB });
            }
          }
          validateSlabs(slabs);
          const seen: number[] = [];
          rows.forEachWindow((window, firstRow) => {
            expect(firstRow).toBe(seen.length);
            for (let at = 0; at < window.length; at += rowBytes) {
              const expected = row(rowBytes, model[seen.length]!);
              if (Buffer.compare(window.subarray(at, at + rowBytes), expected) !== 0)
                throw new Error('Other bytes in a row.');
              seen.push(model[seen.length]!);
            }
          });
          expect(seen).toEqual(model);
          expect(rows.capacity * rowBytes).toBeLessThanOrEqual((model.length / rows.rowsPerWindow + 2) * MIB);
        },
      ),
      { seed: 20_260_302, numRuns: 60 },
    );
  }, 60_000);

  it('takes slabs of its own only when it has outgrown half of one, and gives them back', () => {
    const rows = new SlabArray({ allocator, rowBytes: 1536 });
    for (let index = 0; index < 100; index++) rows.append(row(1536, index));
    expect(allocator.statistics()).toMatchObject({ slabs: 1, largeBlocks: 0 });
    while (rows.length < 3 * rows.rowsPerWindow) rows.append(row(1536, rows.length));
    expect(allocator.statistics()).toMatchObject({ largeBlocks: 3 });
    rows.truncate(5);
    rows.trim();
    expect(allocator.statistics()).toMatchObject({ slabs: 1, largeBlocks: 0 });
    expect(Buffer.compare(rows.view(4), row(1536, 4))).toBe(0);
    rows.truncate(0);
    expect(allocator.blockCount).toBe(0);
  });

  it('begins a window where float32 can be read', () => {
    const rows = new SlabArray({ allocator, rowBytes: 12 });
    const vector = new Float32Array([1, 2, 3]);
    allocator.put(Buffer.alloc(33));
    for (let index = 0; index < 1000; index++) rows.append(new Uint8Array(vector.buffer));
    rows.forEachWindow((window) => {
      const floats = new Float32Array(window.buffer, window.byteOffset, window.length / 4);
      expect(floats[2]).toBe(3);
    });
  });

  it('does not grow or shrink under a walk, and a walk ends at false', () => {
    const rows = new SlabArray({ allocator, rowBytes: 512 * KIB });
    for (let index = 0; index < 5; index++) rows.append(row(512 * KIB, index));
    let windows = 0;
    rows.forEachWindow((window, firstRow) => {
      windows++;
      for (const change of [
        () => rows.append(row(512 * KIB, 9)),
        () => rows.remove(0),
        () => rows.truncate(0),
        () => rows.trim(),
        () => rows.close(),
      ]) {
        expect(change).toThrow(SlabBlockInUseError);
      }
      rows.set(firstRow, row(512 * KIB, 77));
      expect(window[5]).toBe(77);
      return windows < 2;
    });
    expect(windows).toBe(2);
    expect(() =>
      rows.forEachWindow(() => {
        throw new Error('mine');
      }),
    ).toThrow('mine');
    rows.append(row(512 * KIB, 9));
  });

  it('refuses what is no row, and says when there is no room', () => {
    const small = new SlabAllocator({ grant: { tryTake: (bytes) => bytes < MIB, release: () => {} } });
    const rows = new SlabArray({ allocator: small, rowBytes: 4 });
    expect(rows.tryAppend(row(4, 1))).toBeNull();
    expect(() => rows.append(row(4, 1))).toThrow(SlabNoRoomError);
    expect(rows.length).toBe(0);
    for (const bad of [
      () => rows.append(row(5, 1)),
      () => rows.append('1234' as unknown as Uint8Array),
      () => rows.view(0),
      () => rows.set(-1, row(4, 1)),
      () => rows.remove(Number.NaN),
      () => rows.truncate(1),
      () => rows.swap(0, 0),
      () => rows.read(0, row(3, 0)),
      () => new SlabArray({ allocator: small, rowBytes: 0 }),
      () => new SlabArray({ allocator: small, rowBytes: Number.NaN }),
      () => new SlabArray({ allocator: small, rowBytes: 512 * KIB + 1 }),
    ]) {
      expect(bad).toThrow(InvalidArgumentError);
    }
    small.close();
  });

  it('is closed with its allocator or before it', () => {
    const rows = new SlabArray({ allocator, rowBytes: 4 });
    rows.append(row(4, 1));
    rows.close();
    rows.close();
    expect(allocator.blockCount).toBe(0);
    expect(() => rows.append(row(4, 1))).toThrow(ClosedError);
    const others = new SlabArray({ allocator, rowBytes: 4 });
    others.append(row(4, 1));
    allocator.close();
    expect(() => others.view(0)).toThrow(ClosedError);
    others.close();
  });
});
