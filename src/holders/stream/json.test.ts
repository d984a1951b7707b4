import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collect, cut, pieces, places, StreamBench } from '../../testing/stream-reading.ts';
import { readJson } from './readers.ts';
import { StreamRecordTooLargeError } from './stream-errors.ts';

const bench = new StreamBench();
const MB = 2 ** 20;

describe('readJson', () => {
  const document = {
    meta: { version: 1, 'a.b': [9], deep: { deeper: [{ items: [0] }] } },
    items: [{ id: 1, tags: ['x'] }, 2, 'three', null, [4], { id: 5, items: [7] }],
    days: [{ rows: [1, 2] }, { rows: [] }, { rows: [3] }],
  };

  it.each([
    ['$', [document]],
    ['$.*', [document.meta, document.items, document.days]],
    ['$.items.*', document.items],
    ['$.items[*]', document.items],
    ['$.items[1]', [2]],
    ['$.items.1', [2]],
    ['$.days[*].rows[*]', [1, 2, 3]],
    ['$.meta["a.b"]', [[9]]],
    ['$.meta["a.b"][0]', [9]],
    ['$.nothing.*', []],
    [
      ['$.items.*.id', '$.days.*.rows.*'],
      [1, 5, 1, 2, 3],
    ],
    [['$.items', '$.items.*'], [document.items]],
  ])('%j', async (paths, expected) => {
    const bytes = Buffer.from(JSON.stringify(document, null, 1));
    expect(await collect(readJson(cut(bytes, [10, 50, 99, 200]), { ...bench, paths }))).toEqual(expected);
  });

  it('says by which keys a record was reached', async () => {
    const stream = readJson(pieces('{"users":{"ann":{"age":1},"bob":2},"x":[3]}'), {
      ...bench,
      paths: ['$.users.*', '$.x.*'],
      entries: true,
    });
    expect(await collect(stream)).toEqual([
      { path: ['users', 'ann'], value: { age: 1 } },
      { path: ['users', 'bob'], value: 2 },
      { path: ['x', 0], value: 3 },
    ]);
  });

  it('reads what JSON.parse reads, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue()), places, fc.boolean(), async (values, at, spaced) => {
        const text = JSON.stringify({ before: values, items: values, after: values }, null, spaced ? 2 : undefined);
        const expected = (JSON.parse(text) as { items: unknown[] }).items;
        expect(await collect(readJson(cut(Buffer.from(text), at), { ...bench, paths: '$.items.*' }))).toEqual(expected);
        expect(await collect(readJson(cut(Buffer.from(text), at), { ...bench, paths: '$' }))).toEqual([
          JSON.parse(text),
        ]);
      }),
    );
  });

  it('resumes by leaving out as many records as had been delivered', async () => {
    const text = '[{"a":1},2,3,4]';
    const first = readJson(pieces(text), bench);
    for await (const record of first) if (record === 2) break;
    expect(first.position).toMatchObject({ records: 2 });
    const second = readJson(cut(Buffer.from(text), [9]), { ...bench, from: first.position });
    expect(await collect(second)).toEqual([3, 4]);
    expect(second.position.records).toBe(4);
  });

  it.each(['', ' ', '[1,2', '[1,,2]', '{"a" 1}', '[1] 2', '[1,tru]', '{"a":1,}', '["\u0001"]', '[01]', 'nul'])(
    'refuses %j',
    async (text) => {
      const got = collect(readJson(pieces(text), { ...bench, onBadRecord: 'skip' }));
      await expect(got).rejects.toMatchObject({ code: 'STREAM_BAD_RECORD', format: 'json', line: null });
    },
  );

  it('gives the records before the place where it is no JSON', async () => {
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const record of readJson(pieces('[1,{"a":2},}'), bench)) seen.push(record);
    })();
    await expect(reading).rejects.toThrow(/is not JSON/);
    expect(seen).toEqual([1, { a: 2 }]);
  });

  it('refuses invalid UTF-8 or replaces it', async () => {
    const bytes = Buffer.concat([Buffer.from('["a'), Buffer.from([0xff]), Buffer.from('","é"]')]);
    await expect(collect(readJson(pieces(bytes), bench))).rejects.toMatchObject({ code: 'STREAM_BAD_RECORD' });
    const replaced = readJson(cut(bytes, [7, 8]), { ...bench, invalidUtf8: 'replace' });
    expect(await collect(replaced)).toEqual(['a\ufffd', 'é']);
  });

  it('keeps __proto__ and doubled keys harmless', async () => {
    const [row] = await collect(readJson<object>(pieces('[{"__proto__":{"x":1},"a":1,"a":2,"n":1e999}]'), bench));
    expect(Object.getPrototypeOf(row)).toBe(Object.prototype);
    expect(row).toMatchObject({ a: 2, n: Number.POSITIVE_INFINITY });
    expect(await collect(readJson(pieces('{"__proto__":[1]}'), { ...bench, paths: '$.__proto__.*' }))).toEqual([1]);
  });

  it.each(['items', '$.', '$..a', '$.a[', '$[x]', '', [], 7 as never])('refuses the path %j', (paths) => {
    expect(() => readJson('x', { paths })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('a JSON record larger than the bound', () => {
  const options = { limitBytes: MB, maxRecordBytes: 2_000, paths: '$.items.*' };
  const large = [
    ['many elements', `[${'1,'.repeat(5_000)}1]`],
    ['one text', `{"a":"${'x'.repeat(3_000)}"}`],
    ['a text alone', `"${'x'.repeat(1_900)}"`],
  ] as const;

  it.each(large.slice(0, 2))('%s: is told of, or left out', async (_, record) => {
    const text = `{"items":[1,${record},{"b":2}],"z":0}`;
    const source = () => cut(Buffer.from(text), [20, 900, 2_500, 2_800]);
    const error = await collect(readJson(source(), { ...bench, ...options })).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(StreamRecordTooLargeError);
    expect(error).toMatchObject({ recordNumber: 2, maxRecordBytes: 2_000 });
    const stream = readJson(source(), { ...bench, ...options, onBadRecord: 'skip' });
    expect(await collect(stream)).toEqual([1, { b: 2 }]);
    expect(stream.skippedRecords).toBe(1);
  });

  it('a single text of many times the bound ends the stream, within a record or outside', async () => {
    for (const text of [`{"items":[{"a":"${'x'.repeat(90_000)}"}]}`, `{"junk":"${'x'.repeat(90_000)}","items":[1]}`]) {
      const source = cut(Buffer.from(text), [2_500, 4_000, 5_000]);
      const got = collect(readJson(source, { ...bench, ...options, onBadRecord: 'skip' }));
      await expect(got).rejects.toBeInstanceOf(StreamRecordTooLargeError);
    }
  });

  it('brackets are weighed, not measured', async () => {
    const deep = `{"items":[${'['.repeat(30_000)}${']'.repeat(30_000)}, 1]}`;
    const all = { ...bench, limitBytes: MB, paths: '$.items.*' };
    await expect(collect(readJson(pieces(deep), all))).rejects.toBeInstanceOf(StreamRecordTooLargeError);
    expect(await collect(readJson(pieces(deep), { ...all, onBadRecord: 'skip' }))).toEqual([1]);
  });

  it('values outside the paths may be of any size', async () => {
    const text = `{"junk":[${'{"a":[1,2,3]},'.repeat(50_000)}0],"items":[1]}`;
    expect(await collect(readJson(cut(Buffer.from(text), [1_000, 300_000]), { ...bench, ...options }))).toEqual([1]);
    expect(bench.budget.peakBytes).toBeLessThan(MB * 2);
  });
});
