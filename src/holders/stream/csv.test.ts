import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collect, cut, pieces, places, positions, StreamBench } from '../../testing/stream-reading.ts';
import { readCsv } from './readers.ts';
import { StreamRecordTooLargeError } from './stream-errors.ts';

const bench = new StreamBench();
const raw = { header: false } as const;

describe('readCsv', () => {
  it('names columns by the first record; quotes may hold delimiters, lines and quotes', async () => {
    const text = '\ufeffname,note\r\nann,"a, ""b""\r\nc"\r\n\r\nbob,\r\n';
    expect(await collect(readCsv(pieces(text), bench))).toEqual([
      { name: 'ann', note: 'a, "b"\r\nc' },
      { name: 'bob', note: '' },
    ]);
  });

  it.each([
    ['', []],
    ['a,b', []],
    ['a,b\n', []],
    ['a\n1', [{ a: '1' }]],
    ['a\n"1\n', 'STREAM_BAD_RECORD'],
    ['a,b\n1,2,3\n', 'STREAM_BAD_RECORD'],
    ['a,b\n1\n', 'STREAM_BAD_RECORD'],
    ['a,b\n1,x"y\n', 'STREAM_BAD_RECORD'],
    ['a,b\n1,"x"y\n', 'STREAM_BAD_RECORD'],
    ['a,a\n1,2\n', 'STREAM_BAD_RECORD'],
    ['a\nx\0y\n', [{ a: 'x\0y' }]],
  ])('%j', async (text, expected) => {
    const got = collect(readCsv(pieces(text), bench));
    if (typeof expected === 'string') await expect(got).rejects.toMatchObject({ code: expected });
    else expect(await got).toEqual(expected);
  });

  it('reads what csv-parse reads, however it is cut', async () => {
    const field = fc.string({ unit: fc.constantFrom('a', 'é', '"', ',', '\n', '\r\n', ' ', '🙂'), maxLength: 8 });
    const row = fc.array(field, { minLength: 2, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { maxLength: 10 }),
        fc.constantFrom('\n', '\r\n'),
        places,
        async (rows, end, at) => {
          const quoted = (value: string) => (/[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
          const text = rows.map((fields) => fields.map(quoted).join(',')).join(end);
          const expected = parse(text, {
            relax_column_count: true,
            skip_empty_lines: true,
            record_delimiter: ['\r\n', '\n'],
          });
          expect(await collect(readCsv(cut(Buffer.from(text), at), { ...bench, ...raw }))).toEqual(expected);
          expect(expected).toEqual(rows);
        },
      ),
    );
  });

  it('never loses a good record to a bad one before it, and numbers lines and bytes', async () => {
    const lines = ['a,b', '1,2', 'x"y,3', '4,5', '"6\n7",8', '9', '"x"y,1', '10,11'];
    const text = `${lines.join('\n')}\n`;
    const errors: object[] = [];
    const stream = readCsv(pieces(text), {
      ...bench,
      onBadRecord: ({
        recordNumber,
        line,
        byteOffset,
      }: {
        recordNumber: number;
        line: number | null;
        byteOffset: number;
      }) => {
        errors.push({ recordNumber, line, at: text.slice(byteOffset).split('\n')[0] });
        return 'skip';
      },
    });
    expect((await collect(stream)).map(({ a }) => a)).toEqual(['1', '4', '6\n7', '10']);
    expect(errors).toEqual([
      { recordNumber: 2, line: 3, at: 'x"y,3' },
      { recordNumber: 5, line: 7, at: '9' },
      { recordNumber: 6, line: 8, at: '"x"y,1' },
    ]);
    expect(stream.skippedRecords).toBe(3);
  });

  it('resumes after any record, with its columns', async () => {
    const bytes = Buffer.from('a,b\r\n1,"x\ny"\n\n2,z\n3,"é"\n');
    const all = await collect(readCsv(pieces(bytes), bench));
    const after = await positions(readCsv(cut(bytes, [6, 11, 13]), bench));
    expect(after).toHaveLength(4);
    for (const [count, from] of after.entries()) {
      const stored = JSON.parse(JSON.stringify(from));
      expect(await collect(readCsv(cut(bytes, [2, 8]), { ...bench, from: stored }))).toEqual(all.slice(count));
    }
    expect(after.at(-1)).toEqual({ bytes: bytes.length, records: 3, lines: 6, header: ['a', 'b'] });
  });

  it('takes names for a file that has none, and makes names of those it has', async () => {
    expect(await collect(readCsv(pieces('1,2\n'), { ...bench, header: ['x', 'y'] }))).toEqual([{ x: '1', y: '2' }]);
    const header = (first: string[]) => first.map((name, column) => `${name}${column}`);
    expect(await collect(readCsv(pieces('a,a\n1,2\n'), { ...bench, header }))).toEqual([{ a0: '1', a1: '2' }]);
    const throwing = () => {
      throw new Error('no names');
    };
    await expect(
      collect(readCsv(pieces('a\n1\n2\n'), { ...bench, header: throwing, onBadRecord: 'skip' })),
    ).rejects.toThrow(/no names/);
    expect(await collect(readCsv(pieces('a;b\n1;2\n'), { ...bench, delimiter: ';' }))).toEqual([{ a: '1', b: '2' }]);
  });

  it('makes a __proto__ column a property and nothing else', async () => {
    const [row] = await collect(readCsv(pieces('__proto__,a\nx,1\n'), bench));
    expect(Object.getPrototypeOf(row)).toBe(Object.prototype);
    expect(Object.entries(row!)).toEqual([
      ['__proto__', 'x'],
      ['a', '1'],
    ]);
  });

  it('takes invalid UTF-8 for a bad record, or replaces it', async () => {
    const bytes = Buffer.concat([Buffer.from('a\ngood\nx'), Buffer.from([0xff]), Buffer.from('\né\n')]);
    expect(await collect(readCsv(pieces(bytes), { ...bench, onBadRecord: 'skip' }))).toEqual([
      { a: 'good' },
      { a: 'é' },
    ]);
    expect(await collect(readCsv(pieces(bytes), { ...bench, invalidUtf8: 'replace' }))).toHaveLength(3);
  });
});

describe('a CSV record larger than the bound', () => {
  const bound = { ...bench, limitBytes: 2 ** 20, maxRecordBytes: 500 };

  it('such as one with a quote that is never closed, is told of', async () => {
    const text = `a\n1\n"${'x\n'.repeat(50_000)}`;
    const error = await collect(readCsv(cut(Buffer.from(text), [300, 700]), { ...bound, budget: bench.budget })).catch(
      (thrown) => thrown,
    );
    expect(error).toBeInstanceOf(StreamRecordTooLargeError);
    expect(error).toMatchObject({ recordNumber: 2, line: 3, byteOffset: 4 });
  });

  it('is left out when so asked, and nothing else is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 900 }), { maxLength: 10 }), places, async (sizes, at) => {
        const fields = sizes.map((size, index) => `${index}\n${'x'.repeat(size)}`);
        const text = fields.map((each) => `"${each}",1\n`).join('');
        const fitting = fields.filter((each) => each.length + 5 <= 500);
        const stream = readCsv(cut(Buffer.from(text), at), {
          ...bound,
          budget: bench.budget,
          ...raw,
          onBadRecord: 'skip',
        });
        expect((await collect(stream)).map(([first]) => first)).toEqual(fitting);
        expect(stream.position).toEqual({ bytes: text.length, records: sizes.length, lines: 2 * sizes.length });
      }),
    );
  });
});
