import { describe, expect, it } from 'vitest';
import { MIB } from '../base/bytes.ts';
import { logLineOf } from './log-line.ts';
import type { PressureEvent } from './pressure-events.ts';

const atMs = 0;
const alert = {
  atMs,
  kind: 'heap_limit',
  severity: 'error',
  message: 'live heap 240 MB',
  value: 1,
  threshold: 1,
  unit: 'bytes',
  sinceMs: 0,
  holders: [],
  done: null,
} as const;

describe('log lines', () => {
  it.each([
    [
      {
        type: 'pressure.level_changed',
        atMs,
        level: 'low',
        previousLevel: 'high',
        score: 40,
        reason: 'anon 200 of 512 MB',
        targetBytes: 0,
        holders: [],
      },
      'info',
      'pressure low: anon 200 of 512 MB',
    ],
    [{ type: 'pressure.alert_raised', ...alert, reminders: 0 }, 'error', 'alert heap_limit: live heap 240 MB'],
    [
      { type: 'pressure.alert_raised', ...alert, reminders: 2 },
      'error',
      'alert heap_limit (reminder 2): live heap 240 MB',
    ],
    [{ type: 'pressure.alert_cleared', ...alert, lastedMs: 62_000 }, 'info', 'alert heap_limit cleared after 62 s'],
    [
      {
        type: 'pressure.responded',
        atMs,
        level: 'high',
        targetBytes: 80 * MIB,
        claimedBytes: 82 * MIB,
        accountedBytes: 78 * MIB,
        residentDropBytes: 60 * MIB,
        retainedBytes: 18 * MIB,
        driftBytes: 0,
        collected: true,
        tookMs: 1750,
      },
      'info',
      'response to high: asked for 80 MB, claimed 82 MB, off the books 78 MB, resident drop 60 MB, garbage collected',
    ],
    [
      {
        type: 'pressure.planned',
        atMs,
        level: 'critical',
        targetBytes: 80 * MIB,
        wouldCollect: true,
        wouldShed: true,
        reason: 'anon 470 of 512 MB',
      },
      'info',
      'observe only, pressure critical (anon 470 of 512 MB): would reclaim 80 MB, collect garbage, refuse new work',
    ],
    [
      { type: 'pressure.shedding_changed', atMs, shedding: true, reason: 'anon 470 of 512 MB' },
      'error',
      'refusing new work: anon 470 of 512 MB',
    ],
    [{ type: 'pressure.shedding_changed', atMs, shedding: false, reason: '' }, 'info', 'accepting new work again'],
    [
      { type: 'pressure.collected', atMs, reason: 'pressure high', tookMs: 84.4, freedHeapBytes: 60 * MIB },
      'info',
      'garbage collected in 84 ms (pressure high), heap fell by 60 MB',
    ],
  ] as const satisfies readonly (readonly [PressureEvent, string, string])[])(
    'say %j as %s: %s',
    (event, severity, text) => {
      expect(logLineOf(event)).toEqual({ severity, text });
    },
  );
});
