import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collect, cut, pieces, places, positions, StreamBench } from '../../testing/stream-reading.ts';
import { readLines, readNdjson } from './readers.ts';
import { type StreamBadRecordError, StreamRecordTooLargeError } from './stream-errors.ts';

const bench = new StreamBench();
const MB = 2 ** 20;

describe('readLines', () => {
  it.each([
    ['', []],
    ['\n', ['']],
    ['a', ['a']],
    ['a\nb\n', ['a', 'b']],
    ['a\r\n\r\nb', ['a', '', 'b']],
    ['\ufeffa\n\ufeffb', ['a', '\ufeffb']],
    ['a\0b\n\0', ['a\0b', '\0']],
    ['a\rb\n', ['a\rb']],
    ['日本\né\n🙂', ['日本', 'é', '🙂']],
  ])('%j', async (text, lines) => {
    expect(await collect(readLines(pieces(text), bench))).toEqual(lines);
  });

  it('gives the same lines however the bytes are cut', async () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'é', '日', '🙂', '\r', '\0', '"'), maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.boolean(), places, async (lines, hasEnd, at) => {
        const text = lines.join('\n') + (hasEnd ? '\n' : '');
        const expected = text === '' ? [] : text.replace(/\n$/, '').split('\n');
        const got = await collect(readLines(cut(Buffer.from(text), at), bench));
        expect(got).toEqual(expected.map((each) => each.replace(/\r$/, '')));
      }),
    );
  });

  it('resumes after any record, with the numbers of records and lines', async () => {
    const bytes = Buffer.from('one\r\ntwo\n\nvier é\nfive');
    const all = await collect(readLines(cut(bytes, [3, 9, 15]), bench));
    const after = await positions(readLines(cut(bytes, [4, 8]), bench));
    expect(after.map(({ records }) => records)).toEqual([0, 1, 2, 3, 4, 5]);
    for (const [count, from] of after.entries()) {
      expect(from.lines).toBe(count);
      expect(await collect(readLines(cut(bytes, [7]), { ...bench, from }))).toEqual(all.slice(count));
    }
  });

  it('takes invalid UTF-8 for a bad record, or replaces it', async () => {
    const bytes = Buffer.concat([Buffer.from('good\n'), Buffer.from([0x61, 0xff, 0x0a]), Buffer.from('é\n')]);
    await expect(collect(readLines(pieces(bytes), bench))).rejects.toMatchObject({
      code: 'STREAM_BAD_RECORD',
      recordNumber: 2,
      line: 2,
      byteOffset: 5,
    });
    expect(await collect(readLines(pieces(bytes), { ...bench, onBadRecord: 'skip' }))).toEqual(['good', 'é']);
    expect(await collect(readLines(pieces(bytes), { ...bench, invalidUtf8: 'replace' }))).toEqual([
      'good',
      'a\ufffd',
      'é',
    ]);
  });

  it('does not let a kept line keep its chunk alive', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    async function* chunks() {
      for (let count = 0; count < 300; count++) yield `${'k'.repeat(30)}\n${'x'.repeat(60_000)}\n`;
    }
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    const kept = await collect(readLines(chunks(), bench).filter((line) => line.startsWith('k')));
    collectGarbage();
    expect(kept).toHaveLength(300);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(5 * MB);
  });
});

describe('a record larger than the bound', () => {
  const large = { limitBytes: MB, maxRecordBytes: 1_000 };

  it.each(['in one piece', 'over many pieces'])('is told of at once, with its place, %s', async (how) => {
    const text = `first\n${'x'.repeat(200_000)}\nlast\n`;
    const source = how === 'in one piece' ? pieces(text) : cut(Buffer.from(text), [100, 400, 900, 1_500, 4_000]);
    const error = await collect(readLines(source, { ...bench, ...large })).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(StreamRecordTooLargeError);
    expect(error).toMatchObject({ recordNumber: 2, line: 2, byteOffset: 6, maxRecordBytes: 1_000 });
  });

  it('is left out and counted when so asked, and nothing else is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 2_000 }), { maxLength: 12 }), places, async (sizes, at) => {
        const lines = sizes.map((size, index) => String(index).padEnd(size, 'é'));
        const fitting = lines.filter((line) => Buffer.byteLength(line) + 1 <= 1_000);
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        const stream = readLines(cut(bytes, at), { ...bench, ...large, onBadRecord: 'skip' });
        expect(await collect(stream)).toEqual(fitting);
        expect(stream.skippedRecords).toBe(lines.length - fitting.length);
        expect(stream.position).toEqual({ bytes: bytes.length, records: lines.length, lines: lines.length });
      }),
    );
  });

  it('does not fill the memory: an endless line', async () => {
    let given = 0;
    async function* endless(most = Number.POSITIVE_INFINITY) {
      while (given < most) {
        given++;
        yield Buffer.alloc(64 * 1024, 'x');
      }
    }
    await expect(collect(readLines(endless(), { ...bench, limitBytes: 8 * MB }))).rejects.toBeInstanceOf(
      StreamRecordTooLargeError,
    );
    expect(given * 64 * 1024).toBeLessThanOrEqual(MB + 3 * 64 * 1024);
    const skipping = readLines(endless(given + 512), { ...bench, limitBytes: 8 * MB, onBadRecord: 'skip' });
    expect(await collect(skipping)).toEqual([]);
    expect(skipping.skippedRecords).toBe(1);
    expect(bench.budget.peakBytes).toBeLessThanOrEqual(8 * MB);
  });
});

describe('readNdjson', () => {
  it('gives the values and leaves out empty lines', async () => {
    const text = '\ufeff{"a":1}\r\n\n  \n[2]\n"é"\n3\nnull';
    expect(await collect(readNdjson(pieces(text), bench))).toEqual([{ a: 1 }, [2], 'é', 3, null]);
  });

  it('reads what JSON.parse reads, however it is cut, and resumes after any record', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue(), { minLength: 1, maxLength: 8 }),
        places,
        fc.nat(),
        async (values, at, pick) => {
          const lines = values.map((value) => JSON.stringify(value));
          const bytes = Buffer.from(lines.join('\n'));
          const expected = lines.map((line) => JSON.parse(line));
          expect(await collect(readNdjson(cut(bytes, at), bench))).toEqual(expected);
          const after = await positions(readNdjson(cut(bytes, at), bench));
          const count = pick % after.length;
          expect(await collect(readNdjson(cut(bytes, at), { ...bench, from: after[count]! }))).toEqual(
            expected.slice(count),
          );
        },
      ),
    );
  });

  it('tells record, line and byte of a bad one, and asks what to do', async () => {
    const text = '{"a":1}\n\n{"a":\n{"a":3}\n{"a":4';
    await expect(collect(readNdjson(pieces(text), bench))).rejects.toMatchObject({
      ...{ name: 'StreamBadRecordError', format: 'ndjson', recordNumber: 2, line: 3, byteOffset: 9 },
    });
    const errors: StreamBadRecordError[] = [];
    const stream = readNdjson(pieces(text), {
      ...bench,
      onBadRecord: (error) => {
        errors.push(error as StreamBadRecordError);
        return errors.length < 3 ? 'skip' : 'stop';
      },
    });
    expect(await collect(stream)).toEqual([{ a: 1 }, { a: 3 }]);
    expect(errors.map(({ recordNumber, line }) => [recordNumber, line])).toEqual([
      [2, 3],
      [4, 5],
    ]);
    expect(stream.skippedRecords).toBe(2);
    expect(errors[0]!.cause).toBeInstanceOf(SyntaxError);
  });

  it('weighs a large record before it is parsed: brackets take more than they are long', async () => {
    const deep = '['.repeat(30_000) + ']'.repeat(30_000);
    const options = { ...bench, limitBytes: MB };
    await expect(collect(readNdjson(pieces(deep), options))).rejects.toBeInstanceOf(StreamRecordTooLargeError);
    expect(
      await collect(readNdjson(pieces(`${deep}\n1\n"${'x'.repeat(60_000)}"`), { ...options, onBadRecord: 'skip' })),
    ).toHaveLength(2);
  });

  it('keeps __proto__ and doubled keys harmless, and huge numbers as JSON.parse has them', async () => {
    const [row] = await collect(
      readNdjson<object>(pieces('{"__proto__":{"x":1},"a":1,"a":2,"n":1e999,"i":123456789012345678901}'), bench),
    );
    expect(Object.getPrototypeOf(row)).toBe(Object.prototype);
    expect(Object.keys(row!)).toEqual(['__proto__', 'a', 'n', 'i']);
    expect(row).toMatchObject({ a: 2, n: Number.POSITIVE_INFINITY, i: 123456789012345680000 });
  });
});
