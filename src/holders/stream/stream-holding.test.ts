import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { KIB, MIB } from '../../base/bytes.ts';
import { ScriptedConsumer } from '../../testing/scripted-consumer.ts';
import { collect, pieces, StreamBench } from '../../testing/stream-reading.ts';
import { readLines, readNdjson } from './readers.ts';

const bench = new StreamBench();
const text = `{"a":"${'x'.repeat(90)}"}\n`.repeat(20_000);

async function written(): Promise<string> {
  await writeFile(bench.path('rows'), text);
  return bench.path('rows');
}

describe('a stream in a budget', () => {
  it('holds little of a large source, and nothing at the end', async () => {
    let most = 0;
    for await (const _ of readNdjson(await written(), bench)) most = Math.max(most, bench.budget.reservedBytes);
    expect(most).toBeGreaterThan(128 * KIB);
    expect(most).toBeLessThan(MIB);
    expect(bench.budget.reservedBytes).toBe(0);
  });

  it('fits a budget much smaller than itself', async () => {
    const budget = bench.budget.child({ name: 'small', limitBytes: 100 * KIB });
    expect(await collect(readNdjson(await written(), { ...bench, budget }))).toHaveLength(20_000);
    expect(budget.peakBytes).toBeLessThanOrEqual(100 * KIB);
  });

  it('has a name of its own, and is heap or native as fits', async () => {
    const streams = [
      readLines(pieces('a'), bench),
      readLines(pieces('a'), bench),
      readLines(pieces('a'), { ...bench, name: 'import' }),
    ];
    const iterators = streams.map((stream) => stream[Symbol.asyncIterator]());
    for (const iterator of iterators) await iterator.next();
    const names = JSON.stringify(bench.budget.snapshot());
    for (const name of ['stream 1', 'stream 2', 'import']) expect(names).toContain(name);
    for (const stream of streams) await stream.close();
    await expect(collect(readLines(pieces('a'), { ...bench, name: 'a/b' }))).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('waits for room, oldest first, and goes on when there is some', async () => {
    const other = new ScriptedConsumer(bench.budget, { name: 'other', priority: 0, bytes: 64 * MIB });
    const done: string[] = [];
    const readers = ['first', 'second'].map((name) =>
      collect(readLines(pieces('a\n'), { ...bench, name })).then(() => done.push(name)),
    );
    await new Promise(setImmediate);
    expect(done).toEqual([]);
    other.reservation.shrink(MIB);
    await Promise.all(readers);
    expect(done).toEqual(['first', 'second']);
    other.registration.close();
  });

  it('gives up when there is no room in time, with the error of the budget', async () => {
    const other = new ScriptedConsumer(bench.budget, { name: 'other', priority: 0, bytes: 64 * MIB });
    const got = collect(readLines(pieces('a\n'), { ...bench, waitMs: 500 }));
    got.catch(() => {});
    await new Promise(setImmediate);
    await bench.clock.advance(501);
    await expect(got).rejects.toMatchObject({ code: 'BUDGET_EXCEEDED', reason: 'timeout' });
    other.registration.close();
  });

  it('asked to give, drops what it read ahead, reads smaller pieces, and larger ones again after a while', async () => {
    const iterator = readNdjson(await written(), bench)[Symbol.asyncIterator]();
    for (let count = 0; count < 10; count++) await iterator.next();
    const before = bench.budget.reservedBytes;
    const outcome = await bench.budget.reclaim({ targetBytes: 40 * KIB, level: 'low' });
    expect(outcome.accountedBytes).toBeGreaterThanOrEqual(40 * KIB);
    expect(outcome.answers[0]).not.toHaveProperty('failure');
    for (let count = 0; count < 3; count++) await bench.budget.reclaim({ targetBytes: 40 * KIB, level: 'low' });
    for (let count = 0; count < 2_000; count++) expect(await iterator.next()).toMatchObject({ done: false });
    expect(bench.budget.reservedBytes).toBeLessThan(before / 10);
    let count = 2_010;
    let most = 0;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
      count++;
      most = Math.max(most, bench.budget.reservedBytes);
    }
    expect(count).toBe(20_000);
    expect(most).toBeGreaterThan(before / 4);
  });

  it('loses no record while it is asked to give all the time', async () => {
    const path = await written();
    const stream = readNdjson(path, bench);
    let count = 0;
    for await (const _ of stream) {
      if (count++ % 500 === 0) void bench.budget.reclaim({ targetBytes: 32 * KIB, level: 'low' });
    }
    expect(count).toBe(20_000);
    expect(stream.position.bytes).toBe(text.length);
  });

  it('closes with its budget: whoever waits is told', async () => {
    const child = bench.budget.child({ name: 'child', limitBytes: 8 * MIB });
    const iterator = readNdjson(await written(), { ...bench, budget: child })[Symbol.asyncIterator]();
    await iterator.next();
    expect(child.close().leakedBytes).toBeGreaterThan(0);
    await expect(
      (async () => {
        for await (const _ of iterator);
      })(),
    ).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
