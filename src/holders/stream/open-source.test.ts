import { execFileSync } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { appendFile, mkdir, truncate, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { collect, FaultySource, openDescriptors, pieces, StreamBench } from '../../testing/stream-reading.ts';
import type { StreamSource } from './byte-source.ts';
import { readLines } from './readers.ts';
import type { StreamProgress } from './stream-progress.ts';

const bench = new StreamBench();
const lines = Array.from({ length: 30_000 }, (_, index) => `line ${index}`);
const text = `${lines.join('\n')}\n`;

async function written(name: string, content: string | Uint8Array): Promise<string> {
  await writeFile(bench.path(name), content);
  return bench.path(name);
}

describe('a source', () => {
  it('may be a path, a URL, a Node stream, a web stream, an iterable', async () => {
    const path = await written('a.txt', text);
    const sources: StreamSource[] = [
      path,
      pathToFileURL(path),
      createReadStream(path),
      createReadStream(path, 'utf8'),
      Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>,
      new Response(text).body!,
      pieces(text),
    ];
    for (const source of sources) expect(await collect(readLines(source, bench))).toEqual(lines);
  });

  it('a file is resumed by seeking, a stream by leaving out', async () => {
    const path = await written('a.txt', text);
    const stream = readLines(path, bench);
    for await (const line of stream) if (line === 'line 20000') break;
    const told: StreamProgress[] = [];
    const options = { ...bench, from: stream.position, onProgress: (progress: StreamProgress) => told.push(progress) };
    expect(await collect(readLines(path, options))).toEqual(lines.slice(20_001));
    expect(told.at(-1)).toMatchObject({ bytes: text.length - stream.position.bytes, records: 30_000, leftMs: 0 });
    expect(await collect(readLines(createReadStream(path), { ...options }))).toEqual(lines.slice(20_001));
  });

  it('that is shorter than the place to resume at is refused: it is another', async () => {
    const from = { bytes: 100, records: 1, lines: 1 };
    await expect(collect(readLines(await written('a.txt', 'x'), { ...bench, from }))).rejects.toMatchObject({
      reason: 'open',
    });
    await expect(collect(readLines(pieces('x'), { ...bench, from }))).rejects.toMatchObject({ reason: 'truncated' });
  });

  it('that is missing, a folder, or gives no bytes is a clear error', async () => {
    await mkdir(bench.path('folder'));
    for (const path of [bench.path('missing'), bench.path('folder')]) {
      await expect(collect(readLines(path, bench))).rejects.toMatchObject({ code: 'STREAM_SOURCE', reason: 'open' });
    }
    const taken = new Response('a').body!;
    taken.getReader();
    await expect(collect(readLines(taken, bench))).rejects.toMatchObject({ code: 'STREAM_SOURCE', reason: 'open' });
    const odd = Readable.from([{ no: 'bytes' }]);
    await expect(collect(readLines(odd, bench))).rejects.toMatchObject({ code: 'STREAM_SOURCE', reason: 'chunk' });
    expect(await collect(readLines(await written('empty.txt', ''), bench))).toEqual([]);
  });

  it('that throws is told with the bytes that had come, after the records that had', async () => {
    const seen: string[] = [];
    const reading = (async () => {
      for await (const line of readLines(new FaultySource(['a\nb', 'c\n'], 'throw'), bench)) seen.push(line);
    })();
    await expect(reading).rejects.toMatchObject({
      reason: 'read',
      byteOffset: 5,
      cause: { message: 'the disk is on fire' },
    });
    expect(seen).toEqual(['a', 'bc']);
  });

  it('a file that is truncated while it is read is told of', async () => {
    const path = await written('a.txt', text.repeat(4));
    const reading = (async () => {
      for await (const _ of readLines(path, bench)) await truncate(path, 1_000);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'STREAM_SOURCE', reason: 'truncated' });
  });

  it('a file that grows is read to the end it has by then', async () => {
    const path = await written('a.txt', text);
    let count = 0;
    for await (const _ of readLines(path, bench)) if (count++ === 0) await appendFile(path, 'one more\n');
    expect(count).toBe(lines.length + 1);
  });

  it('a pipe: read, resumed, aborted before anybody writes', async () => {
    const path = bench.path('pipe');
    execFileSync('mkfifo', [path]);
    const controller = new AbortController();
    const waiting = collect(readLines(path, { ...bench, signal: controller.signal }));
    await new Promise((resolve) => setTimeout(resolve, 30));
    controller.abort(new Error('nobody writes'));
    await expect(waiting).rejects.toThrow('nobody writes');
    const got = collect(readLines(path, bench));
    createWriteStream(path).end(text);
    expect(await got).toEqual(lines);
  });

  it('leaves no descriptor open, whoever leaves when', async () => {
    const path = await written('a.txt', text.repeat(3));
    const before = openDescriptors();
    for (let leaveAfter = 0; leaveAfter < 6; leaveAfter++) {
      let left = leaveAfter;
      for await (const _ of readLines(path, bench)) if (left-- === 0) break;
      const controller = new AbortController();
      const reading = collect(readLines(path, { ...bench, signal: controller.signal }));
      for (let turn = 0; turn < leaveAfter; turn++) await new Promise(setImmediate);
      controller.abort();
      await reading.catch(() => {});
      const stream = readLines(path, bench);
      const first = stream[Symbol.asyncIterator]().next();
      first.catch(() => {});
      await stream.close();
    }
    await expect.poll(openDescriptors, { interval: 1 }).toBeLessThanOrEqual(before);
  });
});

describe('compressed', () => {
  it('by the name of the file, or as said', async () => {
    expect(await collect(readLines(await written('a.txt.gz', gzipSync(text)), bench))).toEqual(lines);
    for (const [decompress, bytes] of [
      ['gzip', gzipSync(text)],
      ['deflate', deflateSync(text)],
      ['brotli', brotliCompressSync(text)],
    ] as const) {
      expect(await collect(readLines(pieces(bytes), { ...bench, decompress }))).toEqual(lines);
    }
    expect(await collect(readLines(await written('plain.gz', 'a'), { ...bench, decompress: 'none' }))).toEqual(['a']);
  });

  it('is resumed at a place in what was unpacked; progress is of what was read', async () => {
    const path = await written('a.txt.gz', gzipSync(text));
    const stream = readLines(path, bench);
    for await (const line of stream) if (line === 'line 20000') break;
    const told: StreamProgress[] = [];
    const onProgress = (progress: StreamProgress) => told.push(progress);
    expect(await collect(readLines(path, { ...bench, from: stream.position, onProgress }))).toEqual(
      lines.slice(20_001),
    );
    const { length } = gzipSync(text);
    expect(told.at(-1)).toMatchObject({ bytes: length, totalBytes: length });
  });

  it('that is torn or no such thing is told of', async () => {
    const packed = gzipSync(text);
    for (const bytes of [packed.subarray(0, packed.length / 2), Buffer.from('plain text')]) {
      const got = collect(readLines(await written('a.gz', bytes), bench));
      await expect(got).rejects.toMatchObject({ code: 'STREAM_SOURCE', reason: 'decompress' });
    }
    await expect(collect(readLines(bench.path('missing.gz'), bench))).rejects.toMatchObject({ reason: 'open' });
  });

  it('a bomb stays within the bound: 160 MB out of 160 KB', async () => {
    const part = gzipSync(Buffer.alloc(16 * 2 ** 20));
    const path = await written('bomb.gz', Buffer.concat(Array.from({ length: 10 }, () => part)));
    const before = process.memoryUsage.rss();
    const got = collect(readLines(path, { ...bench, limitBytes: 8 * 2 ** 20 }));
    await expect(got).rejects.toMatchObject({ code: 'STREAM_RECORD_TOO_LARGE' });
    const skipping = readLines(path, { ...bench, limitBytes: 8 * 2 ** 20, onBadRecord: 'skip' });
    expect(await collect(skipping)).toEqual([]);
    expect(skipping.skippedRecords).toBe(1);
    expect(bench.budget.peakBytes).toBeLessThan(8 * 2 ** 20);
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 2 ** 20);
  });
});
