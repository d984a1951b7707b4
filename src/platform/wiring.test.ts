/** That each value of the configuration reaches what it is for: set to something else, a node must behave otherwise. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GIB, MIB } from '../base/bytes.ts';
import { VECTOR_INDEX } from '../pressure/reading.ts';
import { readingOf } from '../pressure/readings.ts';
import type { ReadingPart } from '../pressure/sensors/sensor.ts';
import { loadDriver } from '../storage/sqlite/driver.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { ScriptedConsumer } from '../testing/scripted-consumer.ts';
import { Tenure, type TenureOptions } from './tenure.ts';
import type { TenureEvent } from './tenure-event.ts';

/** The machine of these tests: it holds what a test says, and counts how often it was looked at. */
const machine = vi.hoisted(() => ({ part: {} as ReadingPart, looks: 0 }));

vi.mock('../pressure/sensors/machine-sensors.ts', () => ({
  machineSensors: () => [
    {
      name: 'machine',
      read: () => {
        machine.looks++;
        return machine.part;
      },
      [Symbol.dispose]: () => {},
    },
  ],
}));

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ANN = { tenant: 'acme', user: 'ann' };

let directory: string;
let clock: ManualClock;
let events: TenureEvent[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tenure-wiring-'));
  clock = new ManualClock();
  events = [];
  machine.looks = 0;
  hold(100 * MIB);
});

afterEach(() => rm(directory, { recursive: true, force: true }));

/** Lets the process hold so much of its limit, which is 1 GB unless a test says otherwise. */
function hold(anonBytes: number): void {
  const { atMs: _, limit: __, consumers: ___, ...part } = readingOf({ anonBytes });
  machine.part = part;
}

function open(configuration: TenureOptions['configuration'] = {}, options: TenureOptions = {}): Promise<Tenure> {
  return Tenure.open({
    directory,
    environment: {},
    clock,
    onEvent: (event) => events.push(event),
    configuration: { ...configuration, limits: { memoryBytes: GIB, ...configuration.limits } },
    ...options,
  });
}

const types = () => events.map(({ type }) => type);
const held = (tenure: Tenure, consumer: string) =>
  tenure.budget.snapshot().consumers.find(({ name }) => name === consumer)!.bytes;

describe('thresholds of alerts', () => {
  it.each([
    ['memory_usage_percent', { alerts: { usedPercent: 5 } }],
    ['process_memory', { alerts: { processBytes: MIB } }],
    ['memory_pressure_score', { alerts: { pressureScore: 2 } }],
    ['memory_limit', { limits: { warningBytes: MIB } }],
    ['memory_limit', { limits: { warningBytes: MIB, criticalBytes: 2 * MIB } }],
  ])('raise %s as %j says', async (kind, configuration) => {
    {
      await using tenure = await open();
      expect(tenure.status().alerts).toEqual([]);
    }
    await using tenure = await open(configuration);
    expect(tenure.status().alerts.map((alert) => alert.kind)).toEqual([kind]);
    const isCritical = 'limits' in configuration && 'criticalBytes' in configuration.limits;
    expect(tenure.status().alerts[0]!.severity === 'error').toBe(isCritical);
  });

  it('raise an alert of the vector indexes', async () => {
    await using tenure = await open({ alerts: { vectorStoreBytes: MIB } });
    using _ = new ScriptedConsumer(tenure.budget, { name: VECTOR_INDEX, bytes: 2 * MIB }).reservation;
    await clock.advance(250);
    expect(tenure.status().alerts.map(({ kind }) => kind)).toEqual(['vector_store_size']);
  });

  it('follow the limit where they are not set', async () => {
    hold(110 * MIB);
    await using tenure = await open({ limits: { memoryBytes: 256 * MIB } });
    expect(tenure.status().alerts.map(({ kind }) => kind)).toEqual(['process_memory']);
  });
});

describe('intervals', () => {
  it('of the sensors', async () => {
    await using _ = await open({ monitoring: { sensorIntervalMs: 1000 } });
    await clock.advance(10_000);
    expect(machine.looks).toBe(11);
  });

  it.each([
    [undefined, 5],
    [60_000, 3],
  ])('of stored readings: %s ms', async (storedIntervalMs, count) => {
    await using tenure = await open({ monitoring: { storedIntervalMs } });
    const fromMs = clock.nowMs();
    for (let step = 0; step < 25; step++) {
      await clock.advance(5_000);
      // Writes are in order: after this one, those before it can be read, and the next reading may be stored.
      if (step % 6 === 0) await tenure.memory.remember('zebra', { scope: ANN });
    }
    const { points } = await tenure.history({ fromMs, toMs: clock.nowMs() });
    expect(points).toHaveLength(count);
  });
});

describe('what runs by itself', () => {
  it('compacts the history soon after opening, and every hour', async () => {
    await using tenure = await open({ monitoring: { sensorIntervalMs: HOUR_MS, storedIntervalMs: HOUR_MS } });
    const range = { fromMs: clock.nowMs(), toMs: clock.nowMs() + HOUR_MS };
    const resolution = async () => (await tenure.history(range)).resolutionMs;
    await tenure.memory.remember('zebra', { scope: ANN });
    expect(await resolution()).toBe(30_000);
    await clock.advance(60_000);
    expect(await resolution()).toBe(30_000);
    clock.jumpWallClock(3 * DAY_MS);
    await clock.advance(HOUR_MS - 60_001);
    expect(await resolution()).toBe(30_000);
    await clock.advance(1);
    await expect.poll(resolution).toBe(300_000);
  });

  it('gives the page cache of the store what is configured, and again after pressure', async () => {
    await using tenure = await open({ store: { cacheBytes: 32 * MIB } });
    const pages = () => held(tenure, 'store page cache');
    expect(pages()).toBe(32 * MIB);
    await tenure.budget.reclaim({ targetBytes: 30 * MIB, level: 'high' });
    expect(pages()).toBe(2 * MIB);
    await clock.advance(29_999);
    expect(pages()).toBe(2 * MIB);
    await clock.advance(120_001);
    expect(pages()).toBe(32 * MIB);
  });

  it('refuses a write when another process has held the lock for as long as is configured', async () => {
    await using tenure = await open({ store: { lockTimeoutMs: 700 } });
    await tenure.memory.remember('zebra', { scope: ANN });
    const { DatabaseSync } = await loadDriver();
    const other = new DatabaseSync(tenure.paths.store, {});
    try {
      other.exec('BEGIN IMMEDIATE');
      let outcome = 'waiting';
      const writing = tenure.memory.remember('quagga', { scope: ANN }).then(
        () => 'written',
        (error: { code: string }) => error.code,
      );
      void writing.then((how) => {
        outcome = how;
      });
      await clock.advance(600);
      expect(outcome).toBe('waiting');
      await clock.advance(1000);
      expect(outcome).toBe('STORE_LOCKED');
    } finally {
      other.close();
    }
  });
});

describe('garbage collection', () => {
  /** Holds so much that the level is `moderate`, and gives the responder something to reclaim. */
  async function pressedBy(anonBytes: number, configuration: TenureOptions['configuration'], options?: TenureOptions) {
    const tenure = await open({ ...configuration, store: { cacheBytes: 64 * MIB } }, options);
    hold(anonBytes);
    await clock.advance(1000);
    expect(types()).toContain('pressure.level_changed');
    return tenure;
  }

  it.each([
    ['at high', 850 * MIB, {}, true],
    ['not at high when it is not enabled', 850 * MIB, { strategies: { garbageCollection: { enabled: false } } }, false],
    [
      'not at critical when it is not enabled',
      980 * MIB,
      { strategies: { garbageCollection: { enabled: false } } },
      false,
    ],
    ['not at moderate below the threshold', 740 * MIB, {}, false],
    ['at moderate above a threshold that was set', 740 * MIB, { limits: { gcPressureBytes: 700 * MIB } }, true],
    [
      ...(['not at moderate when that threshold does not count', 740 * MIB] as const),
      { limits: { gcPressureBytes: 700 * MIB, gcPressureEnabled: false } },
      false,
    ],
  ])('runs %s', async (_, anonBytes, configuration, expected) => {
    await using tenure = await pressedBy(anonBytes, configuration);
    expect(types().includes('pressure.collected')).toBe(expected);
    expect(held(tenure, 'store page cache')).toBeLessThan(64 * MIB);
  });

  it('stops when a reload says so', async () => {
    const configurationPath = join(directory, 'tenure.yml');
    const text = (enabled: boolean) =>
      `memory_management: { optimization_strategies: { garbage_collection: { enabled: ${enabled} } } }\n`;
    await writeFile(configurationPath, text(true));
    await using tenure = await open({}, { configurationPath });
    await writeFile(configurationPath, text(false));
    await vi.waitFor(
      async () => {
        await clock.advance(250);
        expect(types()).toContain('platform.configuration_reloaded');
      },
      { timeout: 5000 },
    );
    hold(980 * MIB);
    await clock.advance(5000);
    expect(tenure.status().pressure.level).toBe('critical');
    expect(types()).not.toContain('pressure.collected');
  });
});

describe('the state in one object', () => {
  it('tells what the books do not explain, the plain status, and whether new work is refused', async () => {
    await using tenure = await open();
    expect(tenure.status()).toMatchObject({ status: 'OK', shedding: false, driftBytes: 0, retainedBytes: 0 });
    await clock.advance(31_000);
    hold(200 * MIB);
    await clock.advance(31_000);
    expect(tenure.status().driftBytes).toBe(100 * MIB);
    hold(740 * MIB);
    await clock.advance(1000);
    expect(tenure.status().retainedBytes).toBeGreaterThan(0);
    hold(980 * MIB);
    await clock.advance(1000);
    expect(tenure.status()).toMatchObject({ status: 'CRITICAL', shedding: true });
    const { driftBytes, retainedBytes, shedding, status } = tenure.monitor.status();
    expect(tenure.status()).toMatchObject({ driftBytes, retainedBytes, shedding, status });
  });
});

describe('observe_only', () => {
  it('plans and does nothing about pressure, and leaves the budget to make room for who waits', async () => {
    await using tenure = await open({ monitoring: { observeOnly: true } });
    const limitBytes = tenure.budget.snapshot().limitBytes;
    const cache = new ScriptedConsumer(tenure.budget, { name: 'cache', bytes: limitBytes - 40 * MIB });
    const asker = new ScriptedConsumer(tenure.budget, { name: 'asker', priority: 0 });
    using _cache = cache.reservation;
    using _asker = asker.reservation;
    hold(980 * MIB);
    await clock.advance(5000);
    expect(types()).toContain('pressure.planned');
    expect([cache.requests, tenure.monitor.shedding]).toEqual([[], false]);
    expect(tenure.budget.snapshot().limitBytes).toBe(limitBytes);
    await asker.reservation.grow(60 * MIB);
    expect(cache.requests).not.toEqual([]);
    expect(asker.bytes).toBe(60 * MIB);
  });
});
