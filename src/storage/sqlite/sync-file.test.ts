import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.ts';
import { adaptiveSync, type SyncFile } from './sync-file.ts';

let clock: ManualClock;
let sync: SyncFile;
let poolMs: number;
let loopMs: number;
let ways: string[];

beforeEach(() => {
  clock = new ManualClock();
  poolMs = 0.3;
  loopMs = 0.15;
  ways = [];
  const take = (way: string, tookMs: number) => {
    ways.push(way);
    void clock.advance(tookMs);
  };
  sync = adaptiveSync(clock, {
    inPool: async () => take('pool', poolMs),
    onLoop: () => take('loop', loopMs),
  });
});

async function syncs(count: number, isAlone = true): Promise<string[]> {
  ways = [];
  for (let index = 0; index < count; index++) await sync(7, isAlone);
  return ways;
}

describe('a sync', () => {
  it('goes to the loop once three in the pool were quick', async () => {
    expect(await syncs(5)).toEqual(['pool', 'pool', 'pool', 'loop', 'loop']);
  });

  it('stays in the pool while others wait too, or the disk is slow', async () => {
    expect(new Set(await syncs(10, false))).toEqual(new Set(['pool']));
    poolMs = 4;
    await syncs(1, false);
    expect(new Set(await syncs(10))).toEqual(new Set(['pool']));
  });

  it('goes back to the pool for a hundred when it held the loop for long', async () => {
    await syncs(3);
    loopMs = 30;
    expect(await syncs(1)).toEqual(['loop']);
    loopMs = 0.15;
    expect(new Set(await syncs(103))).toEqual(new Set(['pool']));
    expect(await syncs(1)).toEqual(['loop']);
  });

  it('that fails on the loop says so', async () => {
    const failing = adaptiveSync(clock, {
      inPool: async () => {},
      onLoop: () => {
        throw new Error('EIO');
      },
    });
    for (let index = 0; index < 3; index++) await failing(7, true);
    expect(() => failing(7, true)).toThrow('EIO');
  });
});
