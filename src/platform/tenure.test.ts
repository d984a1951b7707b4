import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MIB } from '../base/bytes.ts';
import { seededRandom } from '../base/random.ts';
import { SqliteDatabase } from '../storage/sqlite/connection.ts';
import { SqliteReadingStore } from '../storage/sqlite/reading-store.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { readingAt } from '../testing/reading-store-conformance.ts';
import { Tenure } from './tenure.ts';
import type { TenureEvent } from './tenure-event.ts';
import { VERSION } from './version.ts';

const ANN = { tenant: 'acme', user: 'ann' };

describe('Tenure', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tenure-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const open = (options: Parameters<typeof Tenure.open>[0] = {}) =>
    Tenure.open({ directory, environment: {}, ...options });

  it('opens, remembers, recalls, and finds everything again after a restart', async () => {
    {
      await using tenure = await open();
      await tenure.memory.remember('Ann prefers short answers.', { scope: ANN });
    }
    await using tenure = await open();
    const [found] = await tenure.memory.recall('short answers', { scope: ANN });
    expect(found?.memory.text).toBe('Ann prefers short answers.');
    expect(tenure.paths).toEqual({ directory, store: join(directory, 'tenure.db'), configuration: null });
  });

  it('tells its state in one object', async () => {
    await using tenure = await open({ configuration: { limits: { memoryBytes: 512 * MIB } } });
    const status = tenure.status();
    expect(status.reading.limit).toMatchObject({ bytes: 512 * MIB, source: 'configured' });
    expect(status.reading.anonBytes).toBeGreaterThan(10 * MIB);
    const consumers = ['store page cache', 'recall cache', 'admitted requests'];
    expect(status.budget.consumers.map(({ name }) => name)).toEqual(consumers);
    expect(status.reading.consumers.map(({ name }) => name)).toEqual(consumers);
    expect(status.store).toMatchObject({ path: tenure.paths.store, memories: 0, scopes: 0 });
    expect(status.node).toMatchObject({ version: VERSION, pid: process.pid });
    expect(JSON.parse(JSON.stringify(status))).toEqual(status);
  });

  it('keeps readings as history', async () => {
    await using tenure = await open();
    const nowMs = Date.now();
    await expect
      .poll(async () => (await tenure.history({ fromMs: nowMs - 3_600_000, toMs: nowMs + 60_000 })).points.length)
      .toBeGreaterThan(0);
    const { points } = await tenure.history({ fromMs: nowMs - 3_600_000, toMs: nowMs + 60_000 });
    const { figures } = points[0]!;
    expect(figures.systemTotalBytes).toBeGreaterThan(figures.systemAvailableBytes!);
    expect(figures.usableHeapLimitBytes).toBeGreaterThan(10 * MIB);
    expect(Object.keys(figures)).toEqual(
      expect.arrayContaining([
        'arrayBufferBytes',
        'systemUsedPercent',
        'collectionShare',
        'driftBytes',
        'retainedBytes',
      ]),
    );
  });

  it.each([
    ['fromMs', undefined],
    ['fromMs', {}],
    ['toMs', { fromMs: 0 }],
    ['toMs', { fromMs: 0, toMs: Number.POSITIVE_INFINITY }],
    ['fromMs', { fromMs: '0', toMs: 1 }],
    ['points', { fromMs: 0, toMs: 1, points: Number.NaN }],
  ])('refuses a history without %s: %o', async (argument, range) => {
    await using tenure = await open();
    await expect(tenure.history(range as never)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { argument },
    });
  });

  it('refuses an option it does not know, and opens nothing', async () => {
    const options = { dir: directory } as Parameters<typeof Tenure.open>[0];
    await expect(Tenure.open(options)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('Did you mean directory?'),
    });
  });

  it('compacts the history soon after it was opened, so that a process often restarted does too', async () => {
    const clock = new ManualClock();
    const old = clock.nowMs() - 3 * 86_400_000;
    {
      await using tenure = await open({ clock });
      const database = await SqliteDatabase.open({
        path: tenure.paths.store,
        clock,
        random: seededRandom(1),
        onEvent: () => {},
      });
      await new SqliteReadingStore(database, { node: 'local' }).append(readingAt(old));
      await database.close();
    }
    await using tenure = await open({ clock });
    const resolution = async () => (await tenure.history({ fromMs: old - 60_000, toMs: old + 60_000 })).resolutionMs;
    expect(await resolution()).toBe(30_000);
    await clock.advance(60_000);
    await expect.poll(resolution).toBe(300_000);
  });

  it('puts the recall cache under the budget and gives it back when asked', async () => {
    await using tenure = await open();
    await tenure.memory.remember('zebra', { scope: ANN });
    await tenure.memory.recall('zebra', { scope: ANN });
    const held = () => tenure.budget.snapshot().consumers.find(({ name }) => name === 'recall cache')!.bytes;
    const pages = () => tenure.budget.snapshot().consumers.find(({ name }) => name === 'store page cache')!.bytes;
    expect(held()).toBeGreaterThan(0);
    const pagesBefore = pages();
    const { accountedBytes } = await tenure.budget.reclaim({ targetBytes: 4 * MIB, level: 'high' });
    expect(accountedBytes).toBeGreaterThanOrEqual(4 * MIB);
    expect(held()).toBe(0);
    expect(pages()).toBeLessThan(pagesBefore);
    expect(await tenure.memory.recall('zebra', { scope: ANN })).toHaveLength(1);
  });

  it('closes everything: books balanced, no leak told, no timer left, no use afterwards', async () => {
    const clock = new ManualClock();
    const tenure = await open({ clock });
    const events: TenureEvent[] = [];
    tenure.events.subscribe((event) => events.push(event));
    await tenure.memory.remember('zebra', { scope: ANN });
    await tenure.memory.recall('zebra', { scope: ANN });
    await clock.advance(60_000);
    await tenure.close();
    await tenure.close();
    expect(events.map(({ type }) => type)).not.toContain('budget.leaked');
    expect(tenure.budget.reservedBytes).toBe(0);
    expect(clock.pendingTimers).toBe(0);
    expect(() => tenure.status()).toThrow(expect.objectContaining({ code: 'CLOSED' }));
    expect(tenure.readiness().status).toBe('closing');
  });

  it('is not ready once the store keeps nothing more, though it still reads', async () => {
    await using tenure = await open();
    expect(tenure.readiness()).toEqual({ status: 'ready', checks: { store: 'ok', memory: 'ok' } });
    await rm(`${tenure.paths.store}-wal`);
    await expect(tenure.memory.remember('lost', { scope: ANN })).rejects.toMatchObject({ code: 'STORE_IO' });
    expect(() => tenure.memory.statistics()).not.toThrow();
    expect(tenure.readiness()).toEqual({ status: 'starting', checks: { store: 'failing', memory: 'ok' } });
  });

  it('tells who was there from the start everything, from the first of opening to the last of closing', async () => {
    const types: string[] = [];
    const tenure = await open({
      configuration: { alerts: { processBytes: MIB } },
      onEvent: ({ type }) => void types.push(type),
    });
    await tenure.close();
    expect(types[0]).toBe('storage.opened');
    expect(types).toEqual(expect.arrayContaining(['pressure.alert_raised', 'platform.opened']));
    expect(types.at(-1)).toBe('storage.closed');
  });

  it('leaves nothing open when it cannot open', async () => {
    const clock = new ManualClock();
    await writeFile(
      join(directory, 'tenure.db'),
      'this is no database, but it is long enough to be read as one '.repeat(40),
    );
    await expect(open({ clock })).rejects.toMatchObject({ code: expect.stringMatching(/^STORE_/) });
    expect(clock.pendingTimers).toBe(0);
  });

  it('takes over a changed configuration without a restart', async () => {
    const path = join(directory, 'tenure.yml');
    await writeFile(path, 'memory_management:\n  observe_only: false\n');
    await using tenure = await open({ configurationPath: path });
    const { monitor } = tenure;
    expect(tenure.status().observeOnly).toBe(false);
    await writeFile(path, 'memory_management:\n  observe_only: true\n');
    await expect.poll(() => tenure.status().observeOnly, { timeout: 5000 }).toBe(true);
    // The same one: what it has learned of the process is not thrown away.
    expect(tenure.monitor).toBe(monitor);
    expect(tenure.recentEvents(10).map(({ type }) => type)).toContain('platform.configuration_reloaded');
  });

  it('keeps its configuration while an editor empties the file, and when it is gone', async () => {
    const path = join(directory, 'tenure.yml');
    const limited = 'memory_management: { limits: { memory_limit_mb: 4096 } }\n';
    await writeFile(path, limited);
    const working = process.cwd();
    process.chdir(directory);
    await using tenure = await open().finally(() => process.chdir(working));
    const told = () => tenure.recentEvents(10).flatMap((event) => ('code' in event ? [event.code] : []));
    await writeFile(path, '');
    await expect.poll(told, { timeout: 5000 }).toEqual(['CONFIG_INVALID']);
    expect(tenure.configuration.limits.memoryBytes).toBe(4096 * MIB);
    await rm(path);
    await expect.poll(told, { timeout: 5000 }).toEqual(['CONFIG_UNREADABLE', 'CONFIG_INVALID']);
    expect(tenure.configuration.limits.memoryBytes).toBe(4096 * MIB);
  });
});

describe('VERSION', () => {
  it('is that of the package', () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(VERSION).toBe(version);
  });
});
