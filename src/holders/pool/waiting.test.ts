/** Those who wait: their time, their number, their giving up, and their right order. */
import { getEventListeners, setMaxListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PoolStage } from '../../testing/pool-stage.ts';
import { WaitHistogram } from './wait-histogram.ts';

let stage: PoolStage;
beforeEach(() => {
  stage = new PoolStage();
});
afterEach(async () => {
  expect(await stage.close()).toEqual([]);
});

describe('time', () => {
  it('runs out after the time of the pool, in order, and says how full the pool was', async () => {
    const pool = stage.pool({ max: 1, acquireTimeoutMs: 1_000 });
    const lease = await pool.acquire();
    const outcomes: string[] = [];
    for (const name of ['a', 'b']) {
      pool
        .acquire()
        .catch((error: Error) => outcomes.push(`${name} at ${stage.clock.monotonicMs()}: ${error.message}`));
      await stage.advance(300);
    }
    await stage.advance(2_000);
    expect(outcomes).toEqual([
      expect.stringContaining(
        'a at 1000: things: no object came free in 1000 ms; 1 of 1 are borrowed (at most 1), 1 more wait.',
      ),
      expect.stringContaining('b at 1300'),
    ]);
    expect(pool.statistics()).toMatchObject({ timeouts: 2, waiting: 0 });
    lease.release();
  });

  it('may be another for one of them, and holds up nobody else', async () => {
    const pool = stage.pool({ max: 1, acquireTimeoutMs: 1_000 });
    const lease = await pool.acquire();
    const ends: string[] = [];
    const waitFor = (name: string, timeoutMs?: number) =>
      pool.acquire(timeoutMs === undefined ? {} : { timeoutMs }).then(
        (one) => {
          ends.push(`${name} served`);
          return one.release();
        },
        (error: { code: string }) => ends.push(`${name} ${error.code} at ${stage.clock.monotonicMs()}`),
      );
    const waits = [waitFor('long', 5_000), waitFor('usual'), waitFor('none', 0), waitFor('short', 200)];
    await stage.advance(1_000);
    expect(ends).toEqual(['none POOL_TIMEOUT at 0', 'short POOL_TIMEOUT at 200', 'usual POOL_TIMEOUT at 1000']);
    lease.release();
    await Promise.all(waits);
    expect(ends.at(-1)).toBe('long served');
  });

  it('is not moved by the wall clock', async () => {
    const pool = stage.pool({ max: 1, acquireTimeoutMs: 1_000, idleTimeoutMs: 60_000, maxLifetimeMs: 60_000 });
    const lease = await pool.acquire();
    const waiting = pool.acquire();
    for (const deltaMs of [86_400_000, -10 * 86_400_000]) {
      stage.clock.jumpWallClock(deltaMs);
      await stage.advance(400);
    }
    expect(pool.statistics().timeouts).toBe(0);
    lease.release();
    (await waiting).release();
    stage.clock.jumpWallClock(86_400_000);
    await stage.advance(2_000);
    expect(pool.statistics()).toMatchObject({ idle: 1, heldTooLong: 0, waitMs: { p99: expect.closeTo(800, -3) } });
  });
});

describe('number', () => {
  it('is bounded; more are refused at once', async () => {
    const pool = stage.pool({ max: 1, maxWaiting: 2 });
    const lease = await pool.acquire();
    const waits = [pool.acquire(), pool.acquire()];
    await expect(pool.acquire()).rejects.toMatchObject({
      code: 'POOL_QUEUE_FULL',
      details: { pool: 'things', max: 1, size: 1, borrowed: 1, waiting: 2 },
    });
    expect(pool.statistics().refusals).toBe(1);
    lease.release();
    for (const wait of waits) (await wait).release();
  });

  it('counts nobody for whom an object is on its way', async () => {
    const pool = stage.pool({ max: 3, maxWaiting: 0 });
    const leases = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()]);
    await expect(pool.acquire()).rejects.toMatchObject({ code: 'POOL_QUEUE_FULL' });
    for (const lease of leases) lease.release();
  });

  it('is bounded too while nothing can be made', async () => {
    const pool = stage.pool({ max: 2, maxWaiting: 3, createTimeoutMs: 50_000, create: () => new Promise(() => {}) });
    const waits = Array.from({ length: 20 }, () => pool.acquire().catch((error: { code: string }) => error.code));
    await stage.settle();
    expect(pool.statistics()).toMatchObject({ waiting: 5, refusals: 15 });
    await stage.advance(30_000);
    expect((await Promise.all(waits)).filter((code) => code === 'POOL_TIMEOUT')).toHaveLength(5);
  });

  it('may be 10,000, each served once and in order, with one timer', async () => {
    const pool = stage.pool({ max: 4, maxWaiting: 10_000 });
    const leases = await Promise.all([1, 2, 3, 4].map(() => pool.acquire()));
    const timers = stage.clock.pendingTimers;
    const served: number[] = [];
    const waits = Array.from({ length: 10_000 }, async (_, index) => {
      const lease = await pool.acquire();
      served.push(index);
      lease.release();
    });
    expect(stage.clock.pendingTimers).toBeLessThanOrEqual(timers + 1);
    for (const lease of leases) lease.release();
    await Promise.all(waits);
    expect(served).toEqual(Array.from({ length: 10_000 }, (_, index) => index));
    expect(pool.statistics()).toMatchObject({ size: 4, waiting: 0, borrows: 10_004 });
  });

  it('10,000 that give up in any order leave nothing behind', async () => {
    const pool = stage.pool({ max: 1, maxWaiting: 10_000, acquireTimeoutMs: 5_000 });
    const lease = await pool.acquire();
    const controllers = Array.from({ length: 100 }, () => new AbortController());
    for (const { signal } of controllers) setMaxListeners(0, signal);
    const codes = Array.from({ length: 10_000 }, (_, index) =>
      pool
        .acquire(index % 2 ? { signal: controllers[index % 100]!.signal } : {})
        .catch((error: { code: string }) => error.code),
    );
    for (const controller of controllers.reverse()) controller.abort({ code: 'gone' });
    await stage.settle();
    expect(pool.statistics().waiting).toBe(5_000);
    await stage.advance(5_000);
    const told = await Promise.all(codes);
    expect(told.filter((code) => code === 'gone')).toHaveLength(5_000);
    expect(told.filter((code) => code === 'POOL_TIMEOUT')).toHaveLength(5_000);
    expect(pool.statistics().waiting).toBe(0);
    lease.release();
  });

  it('is told once a second at most when it is too many', async () => {
    const pool = stage.pool({ max: 1, maxWaiting: 0 });
    const lease = await pool.acquire();
    for (let index = 0; index < 50; index++) await expect(pool.acquire()).rejects.toThrow('wait already');
    expect(stage.told('pool.exhausted')).toMatchObject([{ refusals: 1, reason: 'queue_full', borrowed: 1 }]);
    await stage.advance(1_000);
    expect(stage.told('pool.exhausted').map(({ refusals }) => refusals)).toEqual([1, 49]);
    lease.release();
  });
});

describe('giving up', () => {
  it('by a signal ends the wait with its reason, and leaves no listener', async () => {
    const pool = stage.pool({ max: 1 });
    const lease = await pool.acquire();
    const controller = new AbortController();
    const { signal } = controller;
    const first = pool.acquire();
    const waits = [1, 2].map(() => pool.acquire({ signal }));
    const last = pool.acquire();
    expect(getEventListeners(signal, 'abort')).toHaveLength(2);
    controller.abort(new Error('enough'));
    for (const wait of waits) await expect(wait).rejects.toThrow('enough');
    await expect(pool.acquire({ signal })).rejects.toThrow('enough');
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    lease.release();
    (await first).release();
    (await last).release();
  });

  it('after being served changes nothing, and leaves no listener', async () => {
    const pool = stage.pool({ max: 1 });
    const lease = await pool.acquire();
    const controller = new AbortController();
    const wait = pool.acquire({ signal: controller.signal, timeoutMs: 500 });
    lease.release();
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    controller.abort();
    await stage.advance(1_000);
    (await wait).release();
  });

  it('while its object is made leaves the object to the next', async () => {
    let open = (): void => {};
    const create = () => new Promise<ReturnType<PoolStage['make']>>((resolve) => (open = () => resolve(stage.make())));
    const pool = stage.pool({ max: 1, create });
    const controller = new AbortController();
    const wait = pool.acquire({ signal: controller.signal });
    await stage.settle();
    controller.abort(new Error('enough'));
    await expect(wait).rejects.toThrow('enough');
    open();
    await stage.settle();
    expect(pool.statistics()).toMatchObject({ idle: 1, borrowed: 0 });
    expect(pool.tryAcquire()?.[Symbol.dispose]()).toBeUndefined();
  });

  it('in use ends the wait, not the work', async () => {
    const pool = stage.pool({ max: 1 });
    const controller = new AbortController();
    const working = pool.use(
      async () => {
        controller.abort(new Error('enough'));
        return 'done';
      },
      {
        signal: controller.signal,
      },
    );
    await expect(working).resolves.toBe('done');
    await expect(pool.use(() => 1, { signal: controller.signal })).rejects.toThrow('enough');
  });
});

describe('waits', () => {
  it('are told as quantiles within 19 %', () => {
    const waits = new WaitHistogram();
    expect(waits.quantileMs(0.99)).toBe(0);
    for (let ms = 1; ms <= 1_000; ms++) waits.record(ms);
    for (const share of [0.1, 0.5, 0.99]) {
      expect(waits.quantileMs(share)).toBeGreaterThanOrEqual(share * 1_000);
      expect(waits.quantileMs(share)).toBeLessThan(share * 1_190);
    }
    expect(waits.quantileMs(0.5, 1_000)).toBe(0);
    waits.record(1e12);
    waits.record(0);
    expect(waits.quantileMs(1)).toBeGreaterThan(50_000_000);
  });
});
