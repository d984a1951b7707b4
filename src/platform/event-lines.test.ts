import { describe, expect, it } from 'vitest';
import { MIB } from '../base/bytes.ts';
import { describeEvent } from './event-lines.ts';
import type { TenureEvent } from './tenure-event.ts';

const atMs = 0;

describe('describeEvent', () => {
  it.each<[TenureEvent, string]>([
    [
      {
        ...{
          type: 'pressure.level_changed',
          atMs,
          level: 'high',
          previousLevel: 'low',
          score: 84,
          targetBytes: 10 * MIB,
        },
        ...{ reason: 'anon 412 of 512 MB', holders: ['vectors 180 MB', 'sessions 96 MB'] },
      },
      'warning: pressure high: anon 412 of 512 MB; largest: vectors 180 MB, sessions 96 MB',
    ],
    [
      {
        ...{
          type: 'pressure.level_changed',
          atMs,
          level: 'moderate',
          previousLevel: 'high',
          score: 71,
          targetBytes: 0,
        },
        ...{ reason: 'anon 360 of 512 MB', holders: [] },
      },
      'info: pressure down to moderate: anon 360 of 512 MB',
    ],
    [
      {
        ...{
          type: 'pressure.responded',
          atMs,
          level: 'high',
          targetBytes: 10 * MIB,
          claimedBytes: 12 * MIB,
          accountedBytes: 11 * MIB,
        },
        ...{ residentDropBytes: 8 * MIB, retainedBytes: 3 * MIB, driftBytes: 0, collected: true, tookMs: 1234 },
      },
      'info: regained 11 MB of 10 MB in 1.2 s; resident memory fell by 8 MB, 3 MB kept by the allocator; garbage collected',
    ],
    [
      {
        type: 'pressure.planned',
        atMs,
        level: 'critical',
        targetBytes: MIB,
        wouldCollect: true,
        wouldShed: true,
        reason: 'heap',
      },
      'info: observing only: at pressure critical (heap) would regain 1 MB, collect garbage, refuse new work',
    ],
    [
      { type: 'pressure.shedding_changed', atMs, shedding: true, reason: 'heap 99 %' },
      'error: refusing new work: heap 99 %',
    ],
    [
      { type: 'pressure.shedding_changed', atMs, shedding: false, reason: 'heap 60 %' },
      'info: taking new work again: heap 60 %',
    ],
    [
      {
        ...{
          type: 'budget.refused',
          atMs,
          path: 'node',
          consumer: 'node/cache',
          requestBytes: 5 * MIB,
          limitBytes: 4 * MIB,
        },
        ...{ reservedBytes: 0, reason: 'too_large', waitedMs: 0, holders: [] },
      },
      'warning: node: no room for 5 MB for node/cache within 4 MB; largest: none',
    ],
    [
      { type: 'storage.opened', atMs, path: '/data/tenure.db', migrated: 2 },
      'info: store /data/tenure.db open, 2 migrations applied',
    ],
    [
      { type: 'storage.lock_waited', atMs, path: '/data/tenure.db', waitedMs: 300_000 },
      'warning: waited 5 min for another process to unlock /data/tenure.db',
    ],
    [{ type: 'agent_memory.remembered', atMs, count: 3, tenant: 'acme' }, 'debug: remembered 3 memories of acme'],
    [
      { type: 'platform.configuration_reloaded', atMs, changed: ['a', 'b'], needRestart: ['b'] },
      'info: configuration reloaded: a, b; restart to apply b',
    ],
  ])('%j', (event, expected) => {
    const { severity, text } = describeEvent(event);
    expect(`${severity}: ${text}`).toBe(expected);
  });

  it('tells an event that is none of ours by its name', () => {
    expect(describeEvent({ type: 'theirs.happened', atMs })).toEqual({ severity: 'info', text: 'theirs.happened' });
  });
});
