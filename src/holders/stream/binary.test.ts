import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collect, cut, pieces, places, positions, StreamBench } from '../../testing/stream-reading.ts';
import { readBinary } from './readers.ts';

const bench = new StreamBench();
const layouts = [1, 2, 4].flatMap((lengthBytes) =>
  [true, false].map((littleEndian) => ({ lengthBytes, littleEndian })),
) as {
  lengthBytes: 1 | 2 | 4;
  littleEndian: boolean;
}[];

function framed(records: readonly Uint8Array[], { lengthBytes, littleEndian }: (typeof layouts)[number]): Buffer {
  return Buffer.concat(
    records.flatMap((record) => {
      const length = Buffer.alloc(lengthBytes);
      if (littleEndian) length.writeUIntLE(record.length, 0, lengthBytes);
      else length.writeUIntBE(record.length, 0, lengthBytes);
      return [length, record];
    }),
  );
}

describe('readBinary', () => {
  it('gives records after their length, however the bytes are cut, and resumes after any', async () => {
    const records = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(records, fc.constantFrom(...layouts), places, fc.nat(), async (given, layout, at, pick) => {
        const bytes = framed(given, layout);
        expect(await collect(readBinary(cut(bytes, at), { ...bench, ...layout }))).toEqual(given);
        const after = await positions(readBinary(cut(bytes, at), { ...bench, ...layout }));
        const count = pick % after.length;
        const rest = readBinary(cut(bytes, at), { ...bench, ...layout, from: after[count]! });
        expect(await collect(rest)).toEqual(given.slice(count));
      }),
    );
  });

  it('gives records of one size, each with bytes of its own', async () => {
    const bytes = Buffer.from('abcdefghi');
    const records = await collect(readBinary(cut(bytes, [2, 7]), { ...bench, recordBytes: 3 }));
    expect(records.map((record) => Buffer.from(record).toString())).toEqual(['abc', 'def', 'ghi']);
    for (const record of records) expect(record.buffer.byteLength).toBe(3);
    expect(Object.getPrototypeOf(records[0])).toBe(Uint8Array.prototype);
  });

  it('takes a torn last record for a bad one', async () => {
    for (const bytes of [[0, 3, 1, 2], [0]]) {
      const source = () => pieces(new Uint8Array([0, 1, 9, ...bytes]));
      const got = collect(readBinary(source(), { ...bench, lengthBytes: 2 }));
      await expect(got).rejects.toMatchObject({
        code: 'STREAM_BAD_RECORD',
        recordNumber: 2,
        line: null,
        byteOffset: 3,
      });
      expect(await collect(readBinary(source(), { ...bench, lengthBytes: 2, onBadRecord: 'skip' }))).toHaveLength(1);
    }
  });

  it('a length that lies: told of at once, or its bytes left out', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 300 }), { maxLength: 8 }), places, async (sizes, at) => {
        const records = sizes.map((size, index) => new Uint8Array(size).fill(index));
        const bytes = framed(records, { lengthBytes: 4, littleEndian: false });
        const stream = readBinary(cut(bytes, at), {
          ...bench,
          lengthBytes: 4,
          maxRecordBytes: 150,
          onBadRecord: 'skip',
        });
        expect(await collect(stream)).toEqual(records.filter(({ length }) => length <= 150));
        expect(stream.position).toEqual({ bytes: bytes.length, records: sizes.length, lines: 0 });
      }),
    );
    const lying = pieces(new Uint8Array([0xff, 0xff, 0xff, 0xff, 1]));
    await expect(collect(readBinary(lying, { ...bench, lengthBytes: 4 }))).rejects.toMatchObject({
      ...{ code: 'STREAM_RECORD_TOO_LARGE', recordNumber: 1, byteOffset: 0 },
    });
  });

  it.each([
    { recordBytes: 0 },
    { recordBytes: 1.5 },
    { recordBytes: 2 ** 40 },
    { lengthBytes: 3 as never },
    {} as never,
    null as never,
  ])('refuses %j', (layout) => {
    expect(() => readBinary('x', layout)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
