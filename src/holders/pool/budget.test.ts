/** The pool as a holder: charged before it makes, giving when asked, and never with books that lie. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Level } from '../../base/levels.ts';
import { PoolStage, THING_BYTES, type Thing } from '../../testing/pool-stage.ts';
import { ScriptedConsumer } from '../../testing/scripted-consumer.ts';

let stage: PoolStage;
beforeEach(() => {
  stage = new PoolStage({ limitBytes: 10 * THING_BYTES, regrowthBytesPerSecond: Number.POSITIVE_INFINITY });
});
afterEach(async () => {
  expect(await stage.close()).toEqual([]);
});

/** Somebody else who holds `things` things' worth and gives nothing. */
function crowd(things: number): ScriptedConsumer {
  return new ScriptedConsumer(stage.budget, { name: 'crowd', bytes: things * THING_BYTES, onReclaim: () => 0 });
}

async function idle(pool: ReturnType<PoolStage['pool']>, count: number): Promise<void> {
  const leases = await Promise.all(Array.from({ length: count }, () => pool.acquire()));
  for (const lease of leases) lease.release();
}

describe('charging', () => {
  it('comes before making, and is given back after destroying', async () => {
    let done = (): void => {};
    const pool = stage.pool({
      create: () => {
        expect(stage.budget.reservedBytes).toBeGreaterThanOrEqual(THING_BYTES);
        return stage.make();
      },
      destroy: (thing) => {
        thing.destroyed++;
        return new Promise<void>((resolve) => (done = resolve));
      },
    });
    (await pool.acquire()).destroy();
    await stage.settle();
    expect(stage.budget.reservedBytes).toBeGreaterThanOrEqual(THING_BYTES);
    done();
    await stage.settle();
    expect(pool.statistics().bytes).toBe(0);
    expect(stage.budget.reservedBytes).toBeLessThan(0.1 * THING_BYTES);
  });

  it('waits for room like one who waits for an object', async () => {
    const pool = stage.pool();
    const other = crowd(10);
    const wait = pool.acquire();
    await stage.advance(500);
    expect(stage.things).toHaveLength(0);
    other.give(THING_BYTES);
    (await wait).release();
    other.give(9 * THING_BYTES);
  });

  it('that is refused in time is the cause of the time-out', async () => {
    const pool = stage.pool({ acquireTimeoutMs: 1_000 });
    const other = crowd(10);
    const waits = [pool.acquire(), pool.acquire({ timeoutMs: 400 })].map((wait) =>
      wait.catch((error: unknown) => error),
    );
    await stage.advance(1_000);
    const expected = { code: 'POOL_TIMEOUT', cause: { code: 'BUDGET_EXCEEDED', reason: 'timeout' } };
    expect(await waits[0]).toMatchObject(expected);
    expect(await waits[1]).toMatchObject({ code: 'POOL_TIMEOUT' });
    expect(pool.statistics()).toMatchObject({ timeouts: 2, createErrors: 0, creating: 0 });
    other.give(10 * THING_BYTES);
  });

  it('that can never fit is told at once', async () => {
    const pool = stage.pool({ bytesPerObject: 11 * THING_BYTES, createAttempts: 1 });
    await expect(pool.acquire()).rejects.toMatchObject({ cause: { code: 'BUDGET_EXCEEDED', reason: 'too_large' } });
  });

  it('that nobody waits for any more is called off', async () => {
    const pool = stage.pool({ max: 2 });
    const lease = await pool.acquire();
    const other = crowd(8.98);
    const controller = new AbortController();
    const wait = pool.acquire({ signal: controller.signal }).catch((error: Error) => error.message);
    const served = pool.acquire();
    await stage.settle();
    expect(pool.statistics().creating).toBe(1);
    controller.abort(new Error('enough'));
    expect(await wait).toBe('enough');
    lease.release();
    (await served).release();
    await stage.settle();
    expect(pool.statistics().creating).toBe(0);
    other.give(8.98 * THING_BYTES);
    await stage.settle();
    expect(stage.things).toHaveLength(1);
  });

  it('is put right when the object is there', async () => {
    const sizes = [300_000, 10_000, 600_000];
    const pool = stage.pool({ bytesPerObject: (thing) => sizes[thing.id]! });
    const leases = [await pool.acquire(), await pool.acquire(), await pool.acquire()];
    expect(pool.statistics().bytes).toBe(910_000);
    leases[2]!.destroy();
    await stage.settle();
    expect(pool.statistics().bytes).toBe(310_000);
    for (const lease of leases.slice(0, 2)) lease.release();
  });

  it.each([[Number.NaN], [-1], [0.5]])('with a size of %d fails the object', async (size) => {
    const pool = stage.pool({ bytesPerObject: () => size, createAttempts: 1 });
    await expect(pool.acquire()).rejects.toMatchObject({ cause: { code: 'INVALID_ARGUMENT' } });
  });

  it('of an object larger than the budget has room for destroys it', async () => {
    const pool = stage.pool({ bytesPerObject: () => 11 * THING_BYTES, createAttempts: 1 });
    await expect(pool.acquire()).rejects.toMatchObject({ cause: { code: 'BUDGET_EXCEEDED' } });
    expect(pool.statistics().destroyed.budget).toBe(1);
    expect(pool.statistics().bytes).toBe(0);
  });

  it('for min waits for nobody and pushes out nobody', async () => {
    const other = crowd(10);
    const pool = stage.pool({ min: 2 });
    await stage.advance(60_000);
    expect(stage.events).toEqual([]);
    other.give(10 * THING_BYTES);
    await stage.advance(10_000);
    expect(pool.statistics().size).toBe(2);
  });
});

describe('giving', () => {
  it('starts with idle objects, the oldest first, and is over when they are gone', async () => {
    const done: (() => void)[] = [];
    const pool = stage.pool({
      destroy: (thing) => {
        thing.destroyed++;
        return new Promise<void>((resolve) => done.push(resolve));
      },
    });
    await idle(pool, 4);
    let outcome: { accountedBytes: number; claimedBytes: number } | undefined;
    void stage.budget.reclaim({ targetBytes: 1.5 * THING_BYTES }).then((value) => (outcome = value));
    await stage.settle();
    expect(outcome).toBeUndefined();
    expect(stage.things.map(({ destroyed }) => destroyed)).toEqual([1, 1, 0, 0]);
    for (const one of done) one();
    await stage.settle();
    expect(outcome!.accountedBytes).toBeGreaterThanOrEqual(1.5 * THING_BYTES);
    expect(outcome!.claimedBytes).toBe(outcome!.accountedBytes);
    expect(pool.statistics()).toMatchObject({ size: 2, destroyed: expect.objectContaining({ reclaim: 2 }) });
    done.length = 0;
    const closing = pool.close();
    await stage.settle();
    for (const one of done) one();
    await closing;
  });

  it('never takes what is borrowed, nor what is within min', async () => {
    const pool = stage.pool({ min: 2 });
    await idle(pool, 3);
    const lease = await pool.acquire();
    await stage.budget.reclaim({ targetBytes: 10 * THING_BYTES, level: 'high' });
    expect(pool.statistics()).toMatchObject({ size: 2, borrowed: 1, idle: 1 });
    expect(lease.object.destroyed).toBe(0);
    lease.release();
  });

  it('goes below min at critical, and min is made up when that is over', async () => {
    let level: Level = 'high';
    const pool = stage.pool({ min: 2, level: () => level });
    await idle(pool, 3);
    await stage.budget.reclaim({ targetBytes: 10 * THING_BYTES, level });
    expect(pool.statistics().size).toBe(2);
    level = 'critical';
    await stage.budget.reclaim({ targetBytes: 10 * THING_BYTES, level });
    expect(pool.statistics().size).toBe(0);
    await stage.advance(4_000);
    expect(pool.statistics().size).toBe(0);
    level = 'low';
    await stage.advance(3_000);
    expect(pool.statistics().size).toBe(2);
  });

  it('makes nothing of what it gives: who comes meanwhile waits', async () => {
    const done: (() => void)[] = [];
    const pool = stage.pool({
      max: 4,
      destroy: (thing) => {
        thing.destroyed++;
        return new Promise<void>((resolve) => done.push(resolve));
      },
    });
    await idle(pool, 1);
    const reclaiming = stage.budget.reclaim({ targetBytes: THING_BYTES });
    await stage.settle();
    const wait = pool.acquire();
    await stage.settle();
    expect(stage.things).toHaveLength(1);
    done[0]!();
    expect((await reclaiming).accountedBytes).toBeGreaterThanOrEqual(THING_BYTES);
    (await wait).release();
    const closing = pool.close();
    await stage.settle();
    for (const one of done) one();
    await closing;
  });

  it('that makes room for the pool itself neither hangs nor breaks the books', async () => {
    const pool = stage.pool({
      name: 'mine',
      max: 20,
      bytesPerObject: (thing: Thing) => (thing.id < 3 ? 3 * THING_BYTES : 1),
    });
    await idle(pool, 3);
    const other = stage.pool({ name: 'theirs' });
    const leases = await Promise.all(Array.from({ length: 4 }, () => other.acquire()));
    expect(pool.statistics().destroyed.reclaim).toBeGreaterThan(0);
    for (const lease of leases) lease.release();
    await stage.settle();
    expect(stage.events.filter(({ type }) => type === 'budget.consumer_failed')).toEqual([]);
  });

  it('is over in time though a destroyer hangs', async () => {
    const pool = stage.pool({
      destroy: (thing) => {
        thing.destroyed++;
        return new Promise(() => {});
      },
    });
    await idle(pool, 2);
    let outcome: { accountedBytes: number; end: string } | undefined;
    void stage.budget.reclaim({ targetBytes: 2 * THING_BYTES, deadlineMs: 500 }).then((value) => (outcome = value));
    await stage.advance(520);
    expect(outcome?.accountedBytes).toBeLessThan(THING_BYTES);
    expect(stage.events.filter(({ type }) => type === 'budget.consumer_failed')).toEqual([]);
    await stage.advance(5_000);
    expect(pool.statistics()).toMatchObject({ size: 0, bytes: 0 });
  });
});
