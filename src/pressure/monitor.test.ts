import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MIB } from '../base/bytes.ts';
import { systemClock } from '../base/clock.ts';
import { ClosedError } from '../base/errors.ts';
import { Budget } from '../budget/budget.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { defaultThresholds } from './alert.ts';
import { CollectionGate } from './collection-gate.ts';
import type { Moment } from './hooks.ts';
import { Monitor, type MonitorOptions } from './monitor.ts';
import type { PressureEvent } from './pressure-events.ts';
import { VECTOR_INDEX } from './reading.ts';
import { LIMIT_BYTES, readingOf } from './readings.ts';
import { machineSensors } from './sensors/machine-sensors.ts';
import type { ReadingPart, Sensor } from './sensors/sensor.ts';

class FakeSensor implements Sensor {
  readonly name = 'fake';
  part: ReadingPart = readingOf();
  reads = 0;
  closed = 0;
  error: Error | null = null;

  read(): ReadingPart {
    this.reads++;
    if (this.error) throw this.error;
    return this.part;
  }

  [Symbol.dispose](): void {
    this.closed++;
  }
}

function setUp({ settings, ...options }: Partial<MonitorOptions> = {}) {
  const clock = new ManualClock();
  const sensor = new FakeSensor();
  const told: PressureEvent[] = [];
  const events = (event: PressureEvent) => void told.push(event);
  const gate = new CollectionGate({ clock, events, collect: () => {} });
  const monitor = new Monitor({
    clock,
    events,
    gate,
    sensors: [sensor],
    settings: { configuredLimitBytes: LIMIT_BYTES, ...settings },
    ...options,
  });
  const types = () => told.map(({ type }) => type);
  return { clock, sensor, told, types, monitor };
}

describe('the cadence', () => {
  it('is 250 ms from the start on, and starting twice changes nothing', async () => {
    const { clock, sensor, monitor } = setUp();
    expect(monitor.last).toBeNull();
    monitor.start();
    monitor.start();
    expect(sensor.reads).toBe(1);
    await clock.advance(10_000);
    expect(sensor.reads).toBe(41);
    await monitor.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('keeps its places when a cycle comes late, and skips those it missed', async () => {
    let lateMs = 0;
    const clock = new ManualClock();
    const late = Object.assign(Object.create(clock), {
      nowMs: () => clock.nowMs() + lateMs,
      monotonicMs: () => clock.monotonicMs() + lateMs,
      after: (delayMs: number, callback: () => void) => clock.after(delayMs, callback),
    });
    const { sensor, monitor } = setUp({ clock: late });
    monitor.start();
    lateMs = 40;
    await clock.advance(250);
    expect(sensor.reads).toBe(2);
    await clock.advance(209);
    expect(sensor.reads).toBe(2);
    await clock.advance(1);
    expect(sensor.reads).toBe(3);
    lateMs = 60_000;
    await clock.advance(250);
    expect(sensor.reads).toBe(4);
    await clock.advance(250);
    expect(sensor.reads).toBe(5);
    await monitor.close();
  });

  it('does not care when the wall clock jumps', async () => {
    const { clock, sensor, monitor } = setUp();
    monitor.start();
    for (const jumpMs of [86_400_000, -172_800_000, 3_600_000]) {
      clock.jumpWallClock(jumpMs);
      const before = sensor.reads;
      await clock.advance(1_000);
      expect(sensor.reads - before).toBe(4);
      expect(monitor.last!.reading.atMs).toBe(clock.nowMs());
    }
    expect(monitor.status()).toMatchObject({ trend: 'stable', averageBytes: 100 * MIB });
    await monitor.close();
  });

  it('ends with close: sensors closed once, nothing pending, use refused', async () => {
    const { clock, sensor, monitor } = setUp();
    monitor.start();
    await Promise.all([monitor.close(), monitor.close()]);
    await monitor.close();
    expect(sensor.closed).toBe(1);
    expect(clock.pendingTimers).toBe(0);
    expect(() => monitor.sense()).toThrow(ClosedError);
    expect(() => monitor.start()).toThrow(ClosedError);
    expect(monitor.status().reading.anonBytes).toBe(100 * MIB);
  });
});

describe('a sensor that throws', () => {
  it('is skipped, counted, told once, and told again only after it had recovered', async () => {
    const { clock, sensor, monitor, told } = setUp();
    monitor.start();
    sensor.error = new Error('EIO');
    await clock.advance(1_000);
    expect(monitor.failures.get('fake')).toBe(4);
    expect(monitor.last!.reading.anonBytes).toBe(100 * MIB);
    sensor.error = null;
    await clock.advance(250);
    expect(monitor.failures.size).toBe(0);
    sensor.error = new Error('EIO again');
    await clock.advance(1_000);
    expect(told).toMatchObject([
      { type: 'pressure.sensor_failed', sensor: 'fake', message: 'EIO' },
      { type: 'pressure.sensor_failed', sensor: 'fake', message: 'EIO again' },
    ]);
    await monitor.close();
  });

  it('does not bring the monitor down when it never worked', async () => {
    const { sensor, monitor } = setUp();
    sensor.error = new Error('EPERM');
    expect(monitor.sense().assessment).toMatchObject({ score: 0, level: 'low' });
    await monitor.close();
  });
});

describe('hooks', () => {
  it('are called at their intervals', async () => {
    const calls = { stored: 0, optimization: 0, prediction: 0 };
    const hooks = {
      stored: () => void calls.stored++,
      optimization: () => void calls.optimization++,
      prediction: () => void calls.prediction++,
    };
    const { clock, monitor } = setUp({ hooks });
    monitor.start();
    await clock.advance(1_200_000);
    expect(calls).toEqual({ stored: 41, optimization: 4, prediction: 2 });
    await monitor.close();
  });

  it('optimize at once when the level changes', async () => {
    const levels: string[] = [];
    const hooks = { optimization: ({ assessment }: Moment) => void levels.push(assessment.level) };
    const { clock, sensor, monitor } = setUp({ hooks });
    monitor.start();
    sensor.part = readingOf({ anonBytes: 400 * MIB });
    await clock.advance(250);
    expect(levels).toEqual(['moderate']);
    sensor.part = readingOf();
    await clock.advance(5_500);
    expect(levels).toEqual(['moderate', 'low']);
    await clock.advance(300_000);
    expect(levels).toEqual(['moderate', 'low', 'low']);
    await monitor.close();
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('disk full');
      },
    ],
    ['rejects', () => Promise.reject(new Error('disk full'))],
  ] as const)('are told of once when one %s, and called again', async (_, stored) => {
    let calls = 0;
    const hooks = {
      stored: () => {
        calls++;
        return stored();
      },
    };
    const { clock, monitor, told } = setUp({ hooks });
    monitor.start();
    await clock.advance(90_000);
    expect(calls).toBe(4);
    expect(told).toMatchObject([{ type: 'pressure.sensor_failed', sensor: 'stored', message: 'disk full' }]);
    await monitor.close();
  });

  it('are not called while they still run, but as soon as they have ended', async () => {
    let calls = 0;
    let finish = () => {};
    const hooks = {
      stored: () => {
        calls++;
        return new Promise<void>((resolve) => {
          finish = resolve;
        });
      },
    };
    const { clock, monitor } = setUp({ hooks });
    monitor.start();
    await clock.advance(300_000);
    expect(calls).toBe(1);
    finish();
    await clock.advance(500);
    expect(calls).toBe(2);
    await monitor.close();
  });
});

describe('a crossing', () => {
  it('is told, alerted, answered and shown within one cycle', async () => {
    const clock = new ManualClock();
    using budget = new Budget({ limitBytes: LIMIT_BYTES, clock });
    const tenant = budget.child({ name: 'tenant-a' });
    const asked: string[] = [];
    const holder = (name: string) => ({
      name,
      where: 'heap' as const,
      priority: 5,
      weight: 1,
      minBytes: 0,
      reclaimableBytes: () => 10 * MIB,
      idleBytes: () => 5 * MIB,
      reclaim: () => {
        asked.push(name);
        return 0;
      },
    });
    const vectors = tenant.register(holder(VECTOR_INDEX)).reserve();
    const sessions = budget.register(holder('sessions')).reserve();
    vectors.tryGrow(180 * MIB);
    sessions.tryGrow(96 * MIB);
    const { sensor, monitor, told, types } = setUp({ clock, budget });
    monitor.start();
    sensor.part = readingOf({ anonBytes: 412 * MIB, heap: { ...readingOf().heap, committedBytes: 70 * MIB } });
    await clock.advance(250);
    expect(types()).toEqual([
      'pressure.level_changed',
      'pressure.alert_raised',
      'pressure.alert_raised',
      'pressure.alert_raised',
      'pressure.alert_raised',
    ]);
    expect(told.every(({ atMs }) => atMs === clock.nowMs())).toBe(true);
    expect(told[0]).toMatchObject({
      level: 'high',
      previousLevel: 'low',
      reason: 'anon 412 of 512 MB',
      holders: ['tenant-a/vector-index 180 MB', 'sessions 96 MB'],
    });
    expect(asked).toContain('sessions');
    const status = monitor.status();
    expect(status).toMatchObject({
      assessment: { level: 'high', reason: 'anon 412 of 512 MB' },
      peakBytes: 412 * MIB,
      averageBytes: 256 * MIB,
      status: 'WARNING',
      shedding: false,
      observeOnly: false,
      opportunities: [
        { what: 'garbage on the heap', bytes: 10 * MIB },
        { what: 'empty heap pages', bytes: 10 * MIB },
        { what: 'idle in sessions', bytes: 5 * MIB },
        { what: 'idle in tenant-a/vector-index', bytes: 5 * MIB },
      ],
      efficiencyScore: Math.round(100 * (1 - 30 / 412)),
    });
    expect(status.alerts.map(({ kind }) => kind)).toEqual([
      'memory_usage_percent',
      'memory_limit',
      'memory_pressure_score',
      'process_memory',
    ]);
    expect(status.reading.consumers).toContainEqual({ name: 'tenant-a/vector-index', bytes: 180 * MIB });
    expect(status.reading).toMatchObject({ vectorIndexBytes: 180 * MIB, embeddingCacheBytes: 0 });
    JSON.stringify(status);
    await monitor.close();
    vectors[Symbol.dispose]();
    sessions[Symbol.dispose]();
  });

  it('is measured against thresholds for the limit of the moment', async () => {
    const limits: number[] = [];
    const thresholdsFor = (limitBytes: number) => {
      limits.push(limitBytes);
      return { ...defaultThresholds(limitBytes), processBytes: 90 * MIB };
    };
    const { clock, sensor, monitor, told } = setUp({ settings: { thresholdsFor } });
    monitor.start();
    await clock.advance(1_000);
    sensor.part = readingOf({
      container: {
        version: 2,
        limitBytes: 300 * MIB,
        path: '/a',
        usedBytes: 0,
        anonBytes: 0,
        unreclaimableKernelBytes: 0,
      },
    });
    await clock.advance(1_000);
    expect(limits).toEqual([512 * MIB, 300 * MIB]);
    expect(monitor.last!.reading.limit).toEqual({ bytes: 300 * MIB, source: 'cgroup', path: '/a' });
    expect(told).toMatchObject([{ type: 'pressure.alert_raised', kind: 'process_memory', severity: 'info' }]);
    await monitor.close();
  });
});

describe('other settings', () => {
  it('take effect at once, and leave level, alerts, figures and the last collection as they were', async () => {
    const { clock, sensor, monitor, told } = setUp();
    const budget = new Budget({ limitBytes: LIMIT_BYTES, clock });
    sensor.part = readingOf({ anonBytes: 470 * MIB });
    monitor.start();
    await clock.advance(1_000);
    const before = monitor.status();
    expect(before.alerts.length).toBeGreaterThan(0);
    const soFar = told.length;
    monitor.reconfigure({ configuredLimitBytes: LIMIT_BYTES, sensorIntervalMs: 10_000 });
    await clock.advance(20_000);
    expect(sensor.reads).toBe(5 + 2);
    const after = monitor.status();
    expect(after.alerts.map(({ kind, sinceMs }) => [kind, sinceMs])).toEqual(
      before.alerts.map(({ kind, sinceMs }) => [kind, sinceMs]),
    );
    expect([after.assessment.level, after.peakBytes]).toEqual([before.assessment.level, before.peakBytes]);
    expect(told).toHaveLength(soFar);
    monitor.reconfigure({ configuredLimitBytes: 4096 * MIB });
    await clock.advance(250);
    expect(monitor.status()).toMatchObject({ reading: { limit: { bytes: 4096 * MIB } } });
    await monitor.close();
    expect(() => monitor.reconfigure({})).toThrow(expect.objectContaining({ code: 'CLOSED' }));
    budget.close();
  });

  it('give hooks their new intervals', async () => {
    let stored = 0;
    const { clock, monitor } = setUp({ hooks: { stored: () => void stored++ } });
    monitor.start();
    await clock.advance(1_000);
    expect(stored).toBe(1);
    monitor.reconfigure({ storedIntervalMs: 2_000 });
    await clock.advance(2_000);
    expect(stored).toBe(2);
    await clock.advance(2_000);
    expect(stored).toBe(3);
    await monitor.close();
  });
});

describe('a scorer', () => {
  it('adds a term, and is skipped and told of once when it fails', async () => {
    let fails = false;
    const scorer = () => {
      if (fails) throw new Error('no model');
      return { name: 'hazard', score: Number.POSITIVE_INFINITY, reason: 'soon', excessBytes: Number.NaN };
    };
    const { monitor, told } = setUp({ scorer });
    expect(monitor.sense().assessment).toMatchObject({ score: 100, level: 'critical', reason: 'soon', targetBytes: 0 });
    fails = true;
    expect(monitor.sense().assessment.terms.map(({ name }) => name)).not.toContain('hazard');
    monitor.sense();
    expect(told.filter(({ type }) => type === 'pressure.sensor_failed')).toMatchObject([{ sensor: 'scorer' }]);
    await monitor.close();
  });
});

describe('on this machine', () => {
  it('one monitor opens descriptors, an observer and a timer, and leaves none behind', async () => {
    const before = readdirSync('/dev/fd').length;
    const events = () => {};
    const gate = new CollectionGate({ clock: systemClock, events });
    const monitor = new Monitor({ clock: systemClock, events, gate, sensors: machineSensors({ clock: systemClock }) });
    monitor.start();
    expect(readdirSync('/dev/fd').length).toBeGreaterThan(before);
    const { reading, assessment } = monitor.status();
    expect(reading.rssBytes).toBeGreaterThanOrEqual(reading.anonBytes);
    expect(reading.limit.bytes).toBeGreaterThan(reading.anonBytes);
    expect(assessment.score).toBeLessThan(100);
    expect(monitor.failures.size).toBe(0);
    await monitor.close();
    expect(readdirSync('/dev/fd').length).toBe(before);
  });
});
