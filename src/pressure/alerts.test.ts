import { describe, expect, it } from 'vitest';
import { GIB, MIB } from '../base/bytes.ts';
import { type Alert, alertSignals, defaultThresholds, plainStatus, type Signal } from './alert.ts';
import { Alerts } from './alerts.ts';
import { assess, CALM } from './assess.ts';
import type { AlertClearedEvent, AlertRaisedEvent } from './pressure-events.ts';
import type { Reading, Trend } from './reading.ts';
import { readingOf } from './readings.ts';

const START_MS = Date.UTC(2026, 0, 1);

function setUp() {
  const told: (AlertRaisedEvent | AlertClearedEvent)[] = [];
  const alerts = new Alerts({ events: (event) => told.push(event) });
  let nowMs = 0;
  const at = (afterMs: number, value: number, changes: { done?: string; wallJumpMs?: number } = {}) => {
    nowMs += afterMs;
    const signal: Signal = {
      kind: 'memory_limit',
      what: 'memory held',
      value,
      unit: 'bytes',
      thresholds: [
        { severity: 'warning', from: 100 * MIB },
        { severity: 'error', from: 200 * MIB },
      ],
    };
    const consumers = [
      { name: 'vectors', bytes: 60 * MIB },
      { name: 'empty', bytes: 0 },
      { name: 'sessions', bytes: 80 * MIB },
    ];
    const atMs = START_MS + nowMs + (changes.wallJumpMs ?? 0);
    alerts.update({ signals: [signal], atMs, nowMs, consumers, done: changes.done ?? null });
  };
  const types = () => told.map((event) => `${event.type.slice('pressure.alert_'.length)} ${event.severity}`);
  return { alerts, told, at, types };
}

describe('alerts', () => {
  it('tell what, how much, since when, who holds it and what was done', () => {
    const { at, told, alerts } = setUp();
    at(0, 120 * MIB, { done: 'reclaimed 12 MB' });
    expect(told).toEqual([
      {
        type: 'pressure.alert_raised',
        atMs: START_MS,
        kind: 'memory_limit',
        severity: 'warning',
        message: 'memory held 120 MB, threshold 100 MB, since 2026-01-01T00:00:00.000Z',
        value: 120 * MIB,
        threshold: 100 * MIB,
        unit: 'bytes',
        sinceMs: START_MS,
        reminders: 0,
        holders: ['sessions 80 MB', 'vectors 60 MB'],
        done: 'reclaimed 12 MB',
      },
    ]);
    expect(alerts.standing).toHaveLength(1);
    expect(alerts.status).toBe('WARNING');
  });

  it('are told once while they stand, and again at once when they become worse', () => {
    const { at, types, alerts } = setUp();
    for (let reading = 0; reading < 100; reading++) at(250, 120 * MIB);
    at(250, 210 * MIB);
    for (let reading = 0; reading < 100; reading++) at(250, 210 * MIB);
    expect(types()).toEqual(['raised warning', 'raised error']);
    expect(alerts.status).toBe('CRITICAL');
  });

  it('clear only after ten seconds below 95 % of the threshold', () => {
    const { at, types, told, alerts } = setUp();
    at(0, 120 * MIB);
    at(1_000, 96 * MIB);
    at(60_000, 96 * MIB);
    at(1_000, 90 * MIB);
    at(9_999, 90 * MIB);
    expect(types()).toEqual(['raised warning']);
    at(1, 90 * MIB);
    expect(types()).toEqual(['raised warning', 'cleared warning']);
    expect(told[1]).toMatchObject({ lastedMs: 72_000, value: 120 * MIB });
    expect(alerts.standing).toEqual([]);
    expect(alerts.status).toBe('OK');
  });

  it('become a warning again when the error is over, with calm in between', () => {
    const { at, types, alerts } = setUp();
    at(0, 210 * MIB);
    at(250, 195 * MIB);
    at(60_000, 195 * MIB);
    expect(alerts.status).toBe('CRITICAL');
    at(250, 150 * MIB);
    at(10_000, 150 * MIB);
    expect(types()).toEqual(['raised error', 'raised warning']);
    expect(alerts.status).toBe('WARNING');
    at(250, 205 * MIB);
    at(250, 50 * MIB);
    at(10_000, 50 * MIB);
    expect(types()).toEqual(['raised error', 'raised warning', 'raised error', 'cleared error']);
  });

  it('remind after 5, 10, 20 minutes and at most every six hours', () => {
    const { at, told } = setUp();
    at(0, 120 * MIB);
    for (let minute = 0; minute < 48 * 60; minute++) at(60_000, 120 * MIB);
    const minutes = told.map(({ atMs }) => (atMs - START_MS) / 60_000);
    expect(minutes).toEqual([0, 5, 15, 35, 75, 155, 315, 635, 995, 1355, 1715, 2075, 2435, 2795]);
  });

  it('keep their reminders when the wall clock is set forwards or back', () => {
    const { at, told } = setUp();
    at(0, 120 * MIB);
    at(250, 120 * MIB, { wallJumpMs: 86_400_000 });
    at(250, 120 * MIB, { wallJumpMs: -86_400_000 });
    expect(told).toHaveLength(1);
  });

  it('make one long alert of a figure that swings, not a hundred short ones', () => {
    const { at, types } = setUp();
    for (let swing = 0; swing < 200; swing++) {
      at(11_000, 120 * MIB);
      at(250, 80 * MIB);
      at(10_500, 80 * MIB);
    }
    expect(types().filter((type) => type.startsWith('cleared')).length).toBe(1);
    expect(types().filter((type) => type.startsWith('raised')).length).toBeLessThan(8);
  });

  it('come back with the short calm after a long quiet', () => {
    const { at, types } = setUp();
    for (let episode = 0; episode < 3; episode++) {
      at(700_000, 120 * MIB);
      at(1_000, 50 * MIB);
      at(10_000, 50 * MIB);
    }
    expect(types()).toEqual(Array.from({ length: 3 }, () => ['raised warning', 'cleared warning']).flat());
  });
});

describe('signals', () => {
  const raisedBy = (
    changes: Partial<Reading>,
    growth: { trend: Trend; growthBytesPerHour: number } = { trend: 'stable', growthBytesPerHour: 0 },
  ) => {
    const reading = readingOf(changes);
    const { assessment } = assess(reading, CALM, { nowMs: 0 });
    return alertSignals({ reading, assessment, ...growth, thresholds: defaultThresholds(reading.limit.bytes) }).flatMap(
      ({ kind, value, thresholds }) =>
        thresholds.filter(({ from }) => value >= from).map(({ severity }) => `${kind} ${severity}`),
    );
  };

  it('are quiet about a process that is well', () => {
    expect(raisedBy({})).toEqual([]);
  });

  it.each([
    [{ anonBytes: 201 * MIB }, ['process_memory info']],
    [{ anonBytes: 385 * MIB }, ['memory_limit warning', 'process_memory info', 'memory_pressure_score warning']],
    [
      { anonBytes: 460 * MIB },
      [
        'memory_usage_percent warning',
        'memory_limit warning',
        'memory_limit error',
        'process_memory info',
        'memory_pressure_score warning',
      ],
    ],
    [{ vectorIndexBytes: 301 * MIB }, ['vector_store_size warning']],
    [
      { heap: { usedBytes: 0, liveBytes: 231 * MIB, limitBytes: 300 * MIB, usableLimitBytes: 256 * MIB } },
      ['heap_limit warning', 'heap_limit error', 'memory_pressure_score warning'],
    ],
  ] as const)('of %j are %j under a limit of 512 MB', (changes, raised) => {
    expect(raisedBy(changes)).toEqual(raised);
  });

  it('tell of growth only when the trend is real', () => {
    const growthBytesPerHour = 16 * MIB;
    expect(raisedBy({}, { trend: 'increasing', growthBytesPerHour })).toEqual(['memory_growth_rate info']);
    expect(raisedBy({}, { trend: 'stable', growthBytesPerHour })).toEqual([]);
  });

  it('have the documented thresholds at 1 GB, and follow the limit', () => {
    expect(defaultThresholds(GIB)).toEqual({
      usedPercent: 80,
      processBytes: 400 * MIB,
      vectorStoreBytes: 600 * MIB,
      growthBytesPerHour: 30 * MIB,
      pressureScore: 70,
      warningBytes: 768 * MIB,
      criticalBytes: 896 * MIB,
    });
    expect(defaultThresholds(64 * GIB)).toMatchObject({ usedPercent: 80, processBytes: 64 * 400 * MIB });
  });
});

describe('the plain status', () => {
  const alert = (severity: Alert['severity']) => ({ severity }) as Alert;
  it.each([
    [[], 'OK'],
    [['info'], 'OK'],
    [['info', 'warning'], 'WARNING'],
    [['error', 'warning'], 'CRITICAL'],
  ] as const)('of %j is %s', (severities, status) => {
    expect(plainStatus(severities.map(alert))).toBe(status);
  });
});
