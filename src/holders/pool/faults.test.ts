/** Factories, validators and destroyers that throw, hang, lie, or come late. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PoolStage, type Thing } from '../../testing/pool-stage.ts';

let stage: PoolStage;
beforeEach(() => {
  stage = new PoolStage();
});
afterEach(async () => {
  expect(await stage.close()).toEqual([]);
});

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'served',
    (error: { code: string }) => error.code,
  );

describe('a factory', () => {
  const failing: [string, () => never | Promise<never>][] = [
    [
      'throws',
      () => {
        throw new Error('refused');
      },
    ],
    ['rejects', () => Promise.reject(new Error('refused'))],
  ];
  it.each(failing)(
    'that %s is tried again with growing pauses, then who waits is told, with the cause',
    async (_, create) => {
      const attemptsMs: number[] = [];
      const pool = stage.pool({
        ...{ max: 5, createAttempts: 3, backoffMs: 100 },
        create: () => {
          attemptsMs.push(stage.clock.monotonicMs());
          return create();
        },
      });
      const wait = pool.acquire().catch((error: unknown) => error);
      await stage.advance(1_000);
      expect(await wait).toMatchObject({ code: 'POOL_CREATE_FAILED', attempts: 3, cause: { message: 'refused' } });
      expect(attemptsMs).toHaveLength(3);
      expect(attemptsMs[1]! - attemptsMs[0]!).toBeGreaterThanOrEqual(50);
      expect(attemptsMs[2]! - attemptsMs[1]!).toBeGreaterThanOrEqual(100);
      expect(stage.told('pool.create_failed').map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    },
  );

  it('that stays down does not spin, whoever waits', async () => {
    let attempts = 0;
    const pool = stage.pool({
      ...{ min: 2, max: 5, acquireTimeoutMs: 60_000, longestBackoffMs: 2_000 },
      create: () => {
        attempts++;
        return Promise.reject(new Error('down'));
      },
    });
    const waits = Array.from({ length: 100 }, () => codeOf(pool.acquire()));
    await stage.advance(60_000);
    expect(new Set(await Promise.all(waits))).toEqual(new Set(['POOL_CREATE_FAILED']));
    // Five or two side by side at first, then one at a time, every 1 to 2 s.
    expect(attempts).toBeGreaterThan(30);
    expect(attempts).toBeLessThan(75);
    expect(stage.told('pool.create_failed').length).toBeLessThanOrEqual(attempts);
  });

  it('that recovers serves who waits, and is not held to its past', async () => {
    let isUp = false;
    const pool = stage.pool({ max: 3, create: () => (isUp ? stage.make() : Promise.reject(new Error('down'))) });
    const first = codeOf(pool.acquire());
    await stage.advance(300);
    isUp = true;
    await stage.advance(1_000);
    expect(['served', 'POOL_CREATE_FAILED']).toContain(await first);
    const leases = await Promise.all([pool.acquire(), pool.acquire()]);
    for (const lease of leases) lease.release();
    isUp = false;
    expect(pool.statistics().size).toBeGreaterThanOrEqual(2);
  });

  it('that fails leaves those waiting who can be served by a return', async () => {
    let made = 0;
    const pool = stage.pool({
      max: 2,
      createAttempts: 1,
      create: () => (made++ === 0 ? stage.make() : Promise.reject(new Error('down'))),
    });
    const lease = await pool.acquire();
    const waits = [codeOf(pool.acquire()), pool.acquire()];
    await stage.settle();
    expect(await waits[0]).toBe('POOL_CREATE_FAILED');
    lease.release();
    ((await waits[1]) as typeof lease).release();
    await stage.advance(1_000);
  });

  it('that hangs is given up on, and what it makes at last is destroyed', async () => {
    const opens: (() => void)[] = [];
    const signals: AbortSignal[] = [];
    const pool = stage.pool({
      ...{ max: 1, createTimeoutMs: 1_000, createAttempts: 2, backoffMs: 10 },
      create: (signal) => {
        signals.push(signal);
        return new Promise<Thing>((resolve) => opens.push(() => resolve(stage.make())));
      },
    });
    const wait = pool.acquire().catch((error: unknown) => error);
    await stage.advance(5_000);
    expect(await wait).toMatchObject({ code: 'POOL_CREATE_FAILED', cause: { code: 'TIMEOUT' } });
    expect(signals.every((signal) => signal.aborted)).toBe(true);
    expect(stage.budget.reservedBytes).toBeLessThan(10_000);
    for (const open of opens) open();
    await stage.settle();
    expect(stage.things.every(({ destroyed }) => destroyed === 1)).toBe(true);
    expect(pool.statistics()).toMatchObject({ size: 0, destroyed: expect.objectContaining({ late: 2 }) });
  });

  it.each([[null], [undefined]])('that returns %s has failed', async (nothing) => {
    const pool = stage.pool({ createAttempts: 1, create: () => nothing as never });
    const error = await pool.acquire().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'POOL_CREATE_FAILED', cause: { code: 'POOL_BAD_OBJECT' } });
  });

  it('that returns the same object again has failed, and the object stays with who has it', async () => {
    const thing = stage.make();
    const pool = stage.pool({ createAttempts: 1, create: () => thing });
    const waits = [codeOf(pool.acquire()), codeOf(pool.acquire()), codeOf(pool.acquire())];
    await stage.advance(5_000);
    expect((await Promise.all(waits)).sort()).toEqual(['POOL_CREATE_FAILED', 'POOL_CREATE_FAILED', 'served']);
    expect(thing.destroyed).toBe(0);
    expect(pool.statistics()).toMatchObject({ size: 1, borrowed: 1 });
  });

  it('may use the pool it makes for', async () => {
    const pool = stage.pool({
      max: 2,
      create: async () => {
        if (stage.things.length > 0) return stage.make();
        const thing = stage.make();
        queueMicrotask(() => void pool.use(() => {}));
        return thing;
      },
    });
    (await pool.acquire()).release();
    await stage.settle();
    expect(pool.statistics().borrowed).toBe(0);
  });
});

it('that is told of events and throws disturbs nobody', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const pool = stage.pool({
    ...{ max: 1, check: () => false, checkAfterIdleMs: 0 },
    emit: () => {
      throw new Error('told');
    },
  });
  (await pool.acquire()).release();
  const second = pool.acquire();
  await stage.settle();
  (await second).release();
  expect(pool.statistics()).toMatchObject({ checkErrors: 1, created: 2, borrowed: 0 });
  expect(warn).toHaveBeenCalledWith(expect.stringContaining('pool.check_failed'));
});

describe('a validator', () => {
  const failing: [string, () => boolean | Promise<boolean>, string][] = [
    [
      'throws',
      () => {
        throw new Error('broken');
      },
      'broken',
    ],
    ['rejects', () => Promise.reject(new Error('broken')), 'broken'],
    ['answers false', () => false, 'answered false'],
    ['hangs', () => new Promise(() => {}), 'did not finish within 5000 ms'],
  ];
  it('that closes the pool when it is called off ends with it, and so do those after it', async () => {
    const pool = stage.pool({
      ...{ max: 3, checkAfterIdleMs: 0, checkTimeoutMs: 100 },
      check: (_, signal) =>
        new Promise<boolean>(() => signal.addEventListener('abort', () => void pool.close({ timeoutMs: 0 }))),
    });
    const leases = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()]);
    for (const lease of leases) lease.release();
    const outcomes = Promise.all(leases.map(() => codeOf(pool.acquire())));
    await stage.advance(100);
    expect(await outcomes).toEqual(['CLOSED', 'CLOSED', 'CLOSED']);
    expect(stage.things.map(({ destroyed }) => destroyed)).toEqual([1, 1, 1]);
    expect(pool.statistics()).toMatchObject({ size: 0, bytes: 0 });
  });

  it('that hangs for several at a time costs each of them its object', async () => {
    let hangs = true;
    const pool = stage.pool({
      ...{ max: 3, checkAfterIdleMs: 0, checkTimeoutMs: 100 },
      check: () => (hangs ? new Promise<boolean>(() => {}) : true),
    });
    const lendAll = () => Promise.all([pool.acquire(), pool.acquire(), pool.acquire()]);
    for (const lease of await lendAll()) lease.release();
    const waits = lendAll();
    await stage.advance(100);
    hangs = false;
    for (const lease of await waits) lease.release();
    expect(pool.statistics()).toMatchObject({ checkErrors: 3, size: 3 });
    expect(stage.things.map(({ destroyed }) => destroyed)).toEqual([1, 1, 1, 0, 0, 0]);
  });

  it('is never called from within a call of the pool', async () => {
    let calls = 0;
    const count = () => ++calls > 0;
    const pool = stage.pool({ max: 1, checkAfterIdleMs: 0, check: count, reset: count });
    (await pool.acquire()).release();
    expect(calls).toBe(0);
    await stage.settle();
    expect(calls).toBe(1);
    const wait = pool.acquire();
    expect(calls).toBe(1);
    (await wait).release();
    await stage.settle();
    expect(calls).toBe(3);
  });

  it('that answers after it was given up changes nothing', async () => {
    const answers: ((isGood: boolean) => void)[] = [];
    const pool = stage.pool({
      ...{ max: 1, checkAfterIdleMs: 0, checkTimeoutMs: 100 },
      check: () => new Promise<boolean>((resolve) => answers.push(resolve)),
    });
    (await pool.acquire()).release();
    const wait = pool.acquire();
    await stage.advance(100);
    const lease = await wait;
    answers[0]!(true);
    await stage.settle();
    expect(pool.statistics()).toMatchObject({ borrowed: 1, idle: 0, size: 1, checkErrors: 1 });
    expect(stage.things.map(({ destroyed }) => destroyed)).toEqual([1, 0]);
    lease.release();
  });

  it.each(failing)('that %s costs the object, not the borrower', async (_, check, message) => {
    const pool = stage.pool({ max: 1, check, checkAfterIdleMs: 0, checkIntervalMs: Number.POSITIVE_INFINITY });
    (await pool.acquire()).release();
    const wait = pool.acquire();
    await stage.advance(5_000);
    const lease = await wait;
    expect(lease.object.id).toBe(1);
    expect(stage.told('pool.check_failed')[0]?.message).toContain(message);
    expect(pool.statistics().checkErrors).toBe(1);
    lease.release();
  });
});

describe('a destroyer', () => {
  const failing: [string, (thing: Thing) => unknown][] = [
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no'))],
    ['hangs', () => new Promise(() => {})],
  ];
  it.each(failing)('that %s is counted, and its object is out of the pool and the books', async (_, fail) => {
    const pool = stage.pool({
      max: 1,
      destroy: (thing) => {
        thing.destroyed++;
        return fail(thing);
      },
    });
    (await pool.acquire()).destroy();
    const wait = pool.acquire();
    await stage.advance(5_000);
    (await wait).release();
    expect(pool.statistics()).toMatchObject({ size: 1, destroyErrors: 1, bytes: 1_000_000 });
    expect(stage.told('pool.destroy_failed')).toMatchObject([{ cause: 'broken' }]);
  });

  it('that takes its time holds the place: no more than max are alive', async () => {
    let done = (): void => {};
    const pool = stage.pool({
      max: 1,
      destroy: (thing) => {
        thing.destroyed++;
        return new Promise<void>((resolve) => (done = resolve));
      },
    });
    (await pool.acquire()).destroy();
    const wait = pool.acquire();
    await stage.settle();
    expect(stage.things).toHaveLength(1);
    expect(pool.statistics()).toMatchObject({ size: 1, borrowed: 0, waiting: 1, bytes: 1_000_000 });
    done();
    (await wait).release();
    const closing = pool.close();
    await stage.settle();
    done();
    await closing;
  });
});
