import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { ScriptedConsumer } from '../../testing/scripted-consumer.ts';
import { collect, FaultySource, pieces, StreamBench } from '../../testing/stream-reading.ts';
import { readLines, readNdjson } from './readers.ts';
import type { RecordStream } from './record-stream.ts';
import type { StreamPosition } from './stream-options.ts';
import type { StreamProgress } from './stream-progress.ts';

const bench = new StreamBench();
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const source = (count: number, perPiece = 3) => {
  const lines = numbers(count).map((value) => `${value}\n`);
  const parts: string[] = [];
  while (lines.length > 0) parts.push(lines.splice(0, perPiece).join(''));
  return pieces(...parts);
};
const values = (count: number) => readNdjson<number>(source(count), bench);

describe('map and filter', () => {
  it('change and choose, at once or later, in order', async () => {
    const stream = values(10)
      .filter((value) => value % 2 === 0)
      .map(async (value) => value * 10)
      .filter(async (value) => value !== 40)
      .map((value) => `${value}`);
    expect(await collect(stream)).toEqual(['20', '60', '80', '100']);
  });

  it('run for one record at a time, and not before it is asked for', async () => {
    const seen: number[] = [];
    const iterator = values(9)
      .map((value) => seen.push(value))
      [Symbol.asyncIterator]();
    await iterator.next();
    await iterator.next();
    expect(seen).toEqual([1, 2]);
    await iterator.return?.();
  });

  it.each([
    ['map, at once', (stream: ReturnType<typeof values>) => stream.map(boom)],
    ['map, later', (stream: ReturnType<typeof values>) => stream.map(async (value) => boom(value))],
    ['filter, at once', (stream: ReturnType<typeof values>) => stream.filter(boom)],
    ['filter, later', (stream: ReturnType<typeof values>) => stream.filter(async (value) => boom(value))],
    [
      'sizeOf',
      (stream: ReturnType<typeof values>) => stream.batch({ maxBytes: 10, sizeOf: (value) => Number(boom(value)) }),
    ],
  ])('what a callback throws reaches the consumer as it is, and all is closed: %s', async (_, change) => {
    const faulty = new FaultySource(['1\n2\n3\n4\n5\n'], 'hang');
    const got = collect(change(readNdjson<number>(faulty, bench)) as AsyncIterable<unknown>);
    await expect(got).rejects.toThrow('four is too many');
    expect(faulty.isStopped).toBe(true);
    expect(bench.budget.reservedBytes).toBe(0);
  });

  it('refuse what is no function', () => {
    expect(() => values(1).map(null as never)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => values(1).filter('x' as never)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

function boom(value: number): boolean {
  if (value === 4) throw new Error('four is too many');
  return true;
}

describe('batch', () => {
  it('by count; the last may be smaller', async () => {
    expect(await collect(values(7).batch({ maxCount: 3 }))).toEqual([[1, 2, 3], [4, 5, 6], [7]]);
    expect(await collect(values(6).batch({ maxCount: 3 }).batch({ maxCount: 1 }))).toEqual([[[1, 2, 3]], [[4, 5, 6]]]);
    expect(await collect(values(0).batch({ maxCount: 3 }))).toEqual([]);
  });

  it('by bytes, of the source or as measured; what is larger comes alone', async () => {
    const lines = ['aa', 'bb', 'cccccccc', 'd', 'e'];
    const stream = () => readLines(pieces(lines.join('\n')), bench);
    expect(await collect(stream().batch({ maxBytes: 6 }))).toEqual([['aa', 'bb'], ['cccccccc'], ['d', 'e']]);
    const measured = stream().batch({ maxBytes: 3, sizeOf: (line) => line.length });
    expect(await collect(measured)).toEqual([['aa'], ['bb'], ['cccccccc'], ['d', 'e']]);
  });

  it('loses nothing, keeps the order and its bounds', async () => {
    const options = fc.record({ maxCount: fc.integer({ min: 1, max: 9 }), maxBytes: fc.integer({ min: 1, max: 40 }) });
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 60 }), options, async (count, { maxCount, maxBytes }) => {
        const batches = await collect(values(count).batch({ maxCount, maxBytes }));
        expect(batches.flat()).toEqual(numbers(count));
        for (const batch of batches) {
          expect(batch.length).toBeLessThanOrEqual(maxCount);
          const bytes = batch.reduce((sum, value) => sum + `${value}\n`.length, 0);
          expect(batch.length === 1 || bytes <= maxBytes).toBe(true);
        }
      }),
    );
  });

  it('hands over what it has where the bound or the budget has no room for more', async () => {
    const row = { text: 'x'.repeat(10_000) };
    const rows = pieces(`${JSON.stringify(row)}\n`.repeat(200));
    const options = { ...bench, limitBytes: 2 ** 20 };
    const batches = await collect(readNdjson(rows, options).batch({ maxCount: 1_000 }));
    expect(batches.flat()).toHaveLength(200);
    expect(batches.length).toBeGreaterThan(5);

    const other = new ScriptedConsumer(bench.budget, { name: 'other', priority: 0, bytes: 63 * 2 ** 20 });
    const again = pieces(...Array.from({ length: 200 }, () => `${JSON.stringify(row)}\n`));
    const smaller = await collect(readNdjson(again, bench).batch({ maxCount: 1_000 }));
    expect(smaller.flat()).toHaveLength(200);
    expect(smaller.length).toBeGreaterThan(1);
    other.reservation.free();
    other.registration.close();
  });

  it('gives way to reading on: what it holds is handed over before anybody waits for room', async () => {
    const other = new ScriptedConsumer(bench.budget, { name: 'other', priority: 0 });
    expect(other.reservation.tryGrow(bench.budget.limitBytes - 600 * 1024)).toBe(true);
    const row = (size: number) => `"${'x'.repeat(size)}"\n`;
    const rows = pieces(...Array.from({ length: 45 }, () => row(10_000)), row(40_000), row(50_000));
    const batches = await collect(readNdjson(rows, bench).batch({ maxCount: 1_000 }));
    expect(batches.flat()).toHaveLength(47);
    other.reservation.free();
    other.registration.close();
  });

  it('counts in the budget until the next is asked for', async () => {
    const stream = readNdjson(pieces(`"${'x'.repeat(1_000)}"\n`.repeat(100)), bench).batch({ maxCount: 50 });
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    expect(bench.budget.reservedBytes).toBeGreaterThan(50_000);
    await iterator.return?.();
    expect(bench.budget.reservedBytes).toBe(0);
  });

  it.each([
    {},
    { maxCount: 0 },
    { maxCount: 1.5 },
    { maxBytes: 0 },
    { maxBytes: Number.NaN },
    { maxCount: 1, sizeOf: 3 as never },
  ])('refuses %j', (options) => {
    expect(() => values(1).batch(options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('position', () => {
  it('stands after the last record delivered, whatever was filtered, batched or is still held', async () => {
    const bounds = fc.record({
      keep: fc.integer({ min: 1, max: 4 }),
      maxCount: fc.integer({ min: 1, max: 5 }),
      maxBytes: fc.integer({ min: 2, max: 30 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 40 }), bounds, fc.nat(), fc.boolean(), async (count, bound, pick, twice) => {
        const { keep, maxCount, maxBytes } = bound;
        const make = (from?: StreamPosition): RecordStream<unknown[]> => {
          const batches = readNdjson<number>(source(count), from ? { ...bench, from } : bench)
            .filter(async (value) => value % keep === 0)
            .batch({ maxCount, maxBytes });
          return twice ? batches.batch({ maxBytes: maxBytes * 2 }) : batches;
        };
        const wanted = numbers(count).filter((value) => value % keep === 0);
        const stream = make();
        const got: number[] = [];
        let left = pick % (wanted.length + 1);
        for await (const batch of stream) {
          got.push(...(batch.flat() as number[]));
          if (left-- === 0) break;
        }
        const rest = (await collect(make(stream.position))).flat(2);
        expect([...got, ...rest]).toEqual(wanted);
      }),
    );
  });

  it('does not count what a batch holds when the stream fails', async () => {
    const stream = readNdjson<number>(new FaultySource(['1\n2\n', '3\n'], 'throw'), bench).batch({ maxCount: 2 });
    await expect(collect(stream)).rejects.toMatchObject({ code: 'STREAM_SOURCE' });
    expect(stream.position).toEqual({ bytes: 4, records: 2, lines: 2 });
  });

  it('is where the stream begins, before the first record', async () => {
    const from = { bytes: 2, records: 1, lines: 1 };
    const stream = readNdjson(source(3), { ...bench, from });
    expect(stream.position).toEqual(from);
    await stream.close();
    expect(stream.position).toEqual(from);
    expect(readNdjson(source(3)).position).toEqual({ bytes: 0, records: 0, lines: 0 });
  });

  it.each([{}, { bytes: -1, records: 0, lines: 0 }, { bytes: 0, records: 0.5, lines: 0 }, null, 'x'])(
    'refuses %j to resume from',
    (from) => {
      expect(() => readNdjson('x', { from: from as never })).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    },
  );
});

describe('who leaves', () => {
  it('by break, by throw, by return: source closed, bytes given back, at once', async () => {
    for (const leave of ['break', 'throw', 'return']) {
      const faulty = new FaultySource(['1\n2\n3\n'], 'hang');
      const stream = readNdjson<number>(faulty, bench);
      const reading = async () => {
        for await (const value of stream) {
          if (value < 2) continue;
          if (leave === 'break') break;
          if (leave === 'return') return;
          throw new Error('enough');
        }
      };
      await reading().catch((error) => expect(error.message).toBe('enough'));
      expect(faulty.isStopped).toBe(true);
      expect(bench.budget.reservedBytes).toBe(0);
      expect(stream.position).toMatchObject({ bytes: 4, records: 2 });
    }
  });

  it('by cancelling the web stream, also while it waits for a source that hangs', async () => {
    const faulty = new FaultySource(['1\n'], 'hang');
    const reader = readNdjson<number>(faulty, bench)
      .map((value) => value + 1)
      .toReadableStream()
      .getReader();
    expect(await reader.read()).toEqual({ done: false, value: 2 });
    const waiting = reader.read();
    await reader.cancel('the client went away');
    expect(await waiting).toMatchObject({ done: true });
    expect(faulty.isStopped).toBe(true);
    expect(bench.budget.reservedBytes).toBe(0);
  });

  it('by close: whoever waits is told, and so is who asks later; twice is harmless', async () => {
    const stream = readNdjson(new FaultySource(['1\n'], 'hang'), bench);
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    const waiting = iterator.next();
    const behind = iterator.next();
    await Promise.all([stream.close(), stream.close()]);
    await expect(waiting).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(behind).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(iterator.next()).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('by the end of a scope', async () => {
    const faulty = new FaultySource(['1\n2\n'], 'hang');
    {
      await using stream = readNdjson(faulty, bench);
      await stream[Symbol.asyncIterator]().next();
      expect(bench.budget.reservedBytes).toBeGreaterThan(0);
    }
    expect(faulty.isStopped).toBe(true);
    expect(bench.budget.reservedBytes).toBe(0);
  });

  it('a web stream ends, and tells an error', async () => {
    expect(await collect(values(3).toReadableStream())).toEqual([1, 2, 3]);
    await expect(collect(readNdjson(pieces('1\nx\n'), bench).toReadableStream())).rejects.toMatchObject({
      code: 'STREAM_BAD_RECORD',
    });
  });
});

describe('abort', () => {
  const reason = new Error('the user went home');
  const waits = {
    'the source': (signal: AbortSignal) => readNdjson(new FaultySource([], 'hang'), { ...bench, signal }),
    'the source, later': (signal: AbortSignal) => readNdjson(new FaultySource(['1\n'], 'hang'), { ...bench, signal }),
    'a map that never answers': (signal: AbortSignal) =>
      readNdjson(source(3), { ...bench, signal }).map(() => new Promise(() => {})),
    'a filter that never answers': (signal: AbortSignal) =>
      readNdjson(source(3), { ...bench, signal }).filter(() => new Promise<boolean>(() => {})),
    'room in the budget': (signal: AbortSignal) => {
      const other = new ScriptedConsumer(bench.budget, { name: 'other', priority: 0, bytes: bench.budget.limitBytes });
      signal.addEventListener('abort', () => setImmediate(() => other.reservation.free()));
      return readNdjson(source(3), { ...bench, signal });
    },
    'a web stream that hangs': (signal: AbortSignal) => readNdjson(new ReadableStream(), { ...bench, signal }),
    'a Node stream that hangs': (signal: AbortSignal) => readNdjson(new Readable({ read() {} }), { ...bench, signal }),
  };

  it.each(Object.entries(waits))('ends the wait for %s', async (_, make) => {
    const controller = new AbortController();
    const iterator = make(controller.signal)[Symbol.asyncIterator]();
    const got = (async () => {
      for await (const _ of iterator);
    })();
    await new Promise((resolve) => setTimeout(resolve, 20));
    controller.abort(reason);
    await expect(got).rejects.toBe(reason);
    await expect(iterator.next()).rejects.toBe(reason);
    await new Promise(setImmediate);
    expect(bench.budget.reservedBytes).toBe(0);
  });

  it('before the start opens nothing; between records closes at once', async () => {
    const faulty = new FaultySource(['1\n2\n'], 'hang');
    await expect(collect(readNdjson(faulty, { ...bench, signal: AbortSignal.abort(reason) }))).rejects.toBe(reason);
    const controller = new AbortController();
    const iterator = readNdjson(faulty, { ...bench, signal: controller.signal })[Symbol.asyncIterator]();
    await iterator.next();
    controller.abort(reason);
    await new Promise(setImmediate);
    expect(faulty.isStopped).toBe(true);
    expect(bench.budget.reservedBytes).toBe(0);
    await expect(iterator.next()).rejects.toBe(reason);
  });

  it('leaves no listener on the signal, and tells the callbacks', async () => {
    const { signal } = new AbortController();
    const add = vi.spyOn(signal, 'addEventListener');
    const remove = vi.spyOn(signal, 'removeEventListener');
    let told: AbortSignal | undefined;
    await collect(
      readNdjson(source(100), { ...bench, signal }).map((value, given) => {
        told = given;
        return value;
      }),
    );
    expect(add).toHaveBeenCalledTimes(1);
    expect(remove).toHaveBeenCalledTimes(1);
    expect(told?.aborted).toBe(true);
  });
});

describe('a stream', () => {
  it('is read once, and opens nothing before', async () => {
    const faulty = new FaultySource(['1\n'], 'throw');
    const next = vi.spyOn(faulty, 'next');
    const stream = readNdjson(faulty, bench);
    const mapped = stream.map((value) => value);
    expect(() => stream.filter(() => true)).toThrow(expect.objectContaining({ code: 'STREAM_USED' }));
    expect(() => stream[Symbol.asyncIterator]()).toThrow(expect.objectContaining({ code: 'STREAM_USED' }));
    expect(next).not.toHaveBeenCalled();
    expect(bench.budget.snapshot().children ?? []).toHaveLength(0);
    await expect(collect(mapped)).rejects.toMatchObject({ code: 'STREAM_SOURCE', reason: 'read', byteOffset: 2 });
    expect(() => mapped.toReadableStream()).toThrow(expect.objectContaining({ code: 'STREAM_USED' }));
  });

  it('answers in order who asks before the last answer', async () => {
    const iterator = values(5)[Symbol.asyncIterator]();
    const results = await Promise.all(numbers(7).map(() => iterator.next()));
    expect(results.map(({ value }) => value)).toEqual([1, 2, 3, 4, 5, undefined, undefined]);
    expect(results[6]!.done).toBe(true);
  });

  it('tells how far it has come, and at what rate', async () => {
    const told: StreamProgress[] = [];
    const lines = source(9);
    const stream = readNdjson(lines, { ...bench, onProgress: (progress) => told.push(progress) }).map(async (value) => {
      await bench.clock.advance(100);
      return value;
    });
    await collect(stream);
    expect(told.at(-1)).toMatchObject({ bytes: 18, totalBytes: null, records: 9, skippedRecords: 0, leftMs: null });
    expect(told.length).toBeGreaterThan(2);
    expect(told.at(-1)!.bytesPerSecond).toBeCloseTo(20, 5);
    const angry = readNdjson(source(1), { ...bench, onProgress: boomAlways });
    await expect(collect(angry)).rejects.toThrow('no bar');
  });

  it.each([
    { budget: {} as never },
    { priority: 11 },
    { limitBytes: 1_000 },
    { limitBytes: Number.NaN },
    { maxRecordBytes: 2 ** 40 },
    { maxRecordBytes: 0 },
    { waitMs: -1 },
    { signal: {} as never },
    { onProgress: 1 as never },
    { onBadRecord: 'ignore' as never },
    { decompress: 'zip' as never },
    { invalidUtf8: 'x' as never },
  ])('refuses %j', (options) => {
    expect(() => readNdjson('x', options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  it.each(['', 7, null, {}, new URL('https://example.com/x'), []])('refuses the source %j', (given) => {
    expect(() => readLines(given as never)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

function boomAlways(): void {
  throw new Error('no bar');
}
