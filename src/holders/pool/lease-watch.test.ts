/** Leases that do not come back: held too long, or dropped. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { collect } from '../../testing/collect.ts';
import { PoolStage, type Thing } from '../../testing/pool-stage.ts';
import type { ObjectPool } from './object-pool.ts';

let stage: PoolStage;
beforeEach(() => {
  stage = new PoolStage();
});
afterEach(async () => {
  expect(await stage.close()).toEqual([]);
});

describe('a lease held too long', () => {
  it('is told once, with where it was taken', async () => {
    const pool = stage.pool({ heldTooLongMs: 10_000, trackBorrowers: true });
    const lease = await pool.acquire();
    await stage.advance(10_000);
    expect(stage.told('pool.lease_held_too_long')).toEqual([]);
    await stage.advance(50_000);
    const [event, ...more] = stage.told('pool.lease_held_too_long');
    expect(more).toEqual([]);
    expect(event!.heldMs).toBeGreaterThanOrEqual(10_000);
    expect(event!.site).toMatch(/^at .*lease-watch\.test\.ts/);
    expect(pool.statistics().heldTooLong).toBe(1);
    lease.release();
    (await pool.acquire()).release();
    const again = await pool.acquire();
    await stage.advance(12_000);
    expect(pool.statistics().heldTooLong).toBe(2);
    again.release();
  });

  it('is told with where it was taken by one who waited, by tryAcquire and by use', async () => {
    const pool = stage.pool({ max: 1, heldTooLongMs: 1_000, trackBorrowers: true });
    const lease = await pool.acquire();
    async function waitingBorrower() {
      return pool.acquire();
    }
    const wait = waitingBorrower();
    lease.release();
    const second = await wait;
    await stage.advance(2_000);
    second.release();
    function tryingBorrower() {
      return pool.tryAcquire()!;
    }
    const third = tryingBorrower();
    await stage.advance(2_000);
    third.release();
    const sites = stage.told('pool.lease_held_too_long').map(({ site }) => site);
    expect(sites).toEqual([expect.stringContaining('waitingBorrower'), expect.stringContaining('tryingBorrower')]);
  });

  it('without a noted place has the next ones noted, until one was told with its place', async () => {
    const pool = stage.pool({ max: 10, heldTooLongMs: 1_000 });
    const noted = async () => {
      const lease = await pool.acquire();
      await stage.advance(2_000);
      lease.release();
      return stage.told('pool.lease_held_too_long').at(-1)!.site !== null;
    };
    expect([await noted(), await noted(), await noted()]).toEqual([false, true, false]);
  });

  it('is told without a place where none are noted', async () => {
    const pool = stage.pool({ heldTooLongMs: 1_000, trackBorrowers: false });
    for (let index = 0; index < 3; index++) {
      const lease = await pool.acquire();
      await stage.advance(2_000);
      lease.release();
    }
    expect(stage.told('pool.lease_held_too_long').map(({ site }) => site)).toEqual([null, null, null]);
  });

  it('is noted once in 256 by default', async () => {
    const pool = stage.pool({ max: 600 });
    const leases = await Promise.all(Array.from({ length: 512 }, () => pool.acquire()));
    const { sites, leases: left } = await pool.close({ timeoutMs: 0, signal: AbortSignal.abort() });
    expect(left).toBe(512);
    expect(sites).toHaveLength(2);
    expect(leases).toHaveLength(512);
  });
});

describe('a lease dropped without being returned', () => {
  async function dropOne(pool: ObjectPool<Thing>): Promise<void> {
    await pool.acquire();
  }

  it('is found, told, and its object destroyed and its place free', async () => {
    const pool = stage.pool({ max: 2, trackBorrowers: true });
    await dropOne(pool);
    const kept = await pool.acquire();
    await stage.advance(3_000);
    await collect();
    await stage.settle();
    expect(stage.told('pool.lease_abandoned')).toMatchObject([{ site: expect.stringContaining('dropOne') }]);
    expect(pool.statistics()).toMatchObject({ size: 1, borrowed: 1, abandoned: 1 });
    expect(stage.things.map(({ destroyed }) => destroyed)).toEqual([1, 0]);
    kept.release();
    await collect();
    expect(pool.statistics().abandoned).toBe(1);
  });

  it('is left alone where that is asked', async () => {
    const pool = stage.pool({ watchAbandoned: false });
    await dropOne(pool);
    await stage.advance(3_000);
    await collect();
    expect(pool.statistics()).toMatchObject({ abandoned: 0, borrowed: 1 });
  });

  it('and returned in time is none, however often it is watched', async () => {
    const pool = stage.pool({ max: 1 });
    for (let round = 0; round < 3; round++) {
      const lease = await pool.acquire();
      await stage.advance(3_000);
      lease.release();
    }
    await collect();
    expect(pool.statistics()).toMatchObject({ abandoned: 0, idle: 1 });
  });
});
