/** Borrowing and returning: who gets what, for how long, and what is made and destroyed for it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PoolStage, type Thing } from '../../testing/pool-stage.ts';
import { ObjectPool } from './object-pool.ts';
import type { PoolOptions } from './pool-options.ts';

let stage: PoolStage;
beforeEach(() => {
  stage = new PoolStage();
});
afterEach(async () => {
  expect(await stage.close()).toEqual([]);
});

describe('borrowing', () => {
  it('makes an object when none is idle, and lends the one returned last when some are', async () => {
    const pool = stage.pool();
    const [one, two] = [await pool.acquire(), await pool.acquire()];
    expect([one.object.id, two.object.id]).toEqual([0, 1]);
    one.release();
    two.release();
    const again = await pool.acquire();
    expect(again.object.id).toBe(1);
    again.release();
    expect(pool.statistics()).toMatchObject({
      size: 2,
      borrowed: 0,
      idle: 2,
      created: 2,
      borrows: 3,
      bytes: 2_000_000,
    });
  });

  it('never has more than max, and serves who waits in the order they came', async () => {
    const pool = stage.pool({ max: 2 });
    const leases = [await pool.acquire(), await pool.acquire()];
    const served: number[] = [];
    const waits = [0, 1, 2].map(async (index) => {
      const lease = await pool.acquire();
      served.push(index);
      return lease;
    });
    await stage.settle();
    expect(pool.statistics()).toMatchObject({ size: 2, waiting: 3 });
    leases[0]!.release();
    leases[1]!.release();
    await stage.settle();
    expect(served).toEqual([0, 1]);
    (await waits[0]!).release();
    (await waits[2]!).release();
    (await waits[1]!).release();
    expect(served).toEqual([0, 1, 2]);
    expect(stage.things).toHaveLength(2);
  });

  it('tryAcquire lends what is idle and never waits or makes', async () => {
    const pool = stage.pool();
    expect(pool.tryAcquire()).toBeNull();
    (await pool.acquire()).release();
    const lease = pool.tryAcquire()!;
    expect(lease.object.id).toBe(0);
    expect(pool.tryAcquire()).toBeNull();
    lease.release();
  });

  it('keeps min objects, made in the background', async () => {
    const pool = stage.pool({ min: 3, idleTimeoutMs: 1_000 });
    await stage.settle();
    expect(pool.statistics()).toMatchObject({ size: 3, idle: 3 });
    const leases = await Promise.all([1, 2, 3, 4].map(() => pool.acquire()));
    for (const lease of leases) lease.release();
    await stage.advance(2_000);
    expect(pool.statistics()).toMatchObject({ size: 3, destroyed: expect.objectContaining({ idle: 1 }) });
    pool.discard(stage.things[3]!);
    await stage.settle();
    expect(pool.statistics().size).toBe(3);
  });

  it('use returns the object whatever happens, and hands on what the work returns or throws', async () => {
    const pool = stage.pool({ max: 1 });
    expect(await pool.use((thing) => thing.id)).toBe(0);
    await expect(pool.use(() => Promise.reject(new Error('mine')))).rejects.toThrow('mine');
    await pool.use((_, lease) => lease.destroy());
    expect(await pool.use(async (thing) => thing.id)).toBe(1);
    await expect(pool.use('no' as never)).rejects.toThrow('must be a function');
    expect(pool.statistics().borrowed).toBe(0);
  });

  it('returns by using and await using, also when a block throws', async () => {
    const pool = stage.pool({ max: 1 });
    const work = async () => {
      await using lease = await pool.acquire();
      throw new Error(`with ${lease.object.id}`);
    };
    await expect(work()).rejects.toThrow('with 0');
    {
      using lease = await pool.acquire();
      expect(lease.object.id).toBe(0);
    }
    expect(pool.statistics()).toMatchObject({ borrowed: 0, idle: 1 });
  });
});

describe('a lease that is over', () => {
  it('gives no object, says so on a second return, and may be disposed again', async () => {
    const pool = stage.pool({ max: 1 });
    const lease = await pool.acquire();
    lease.release();
    expect(lease.isReturned).toBe(true);
    expect(() => lease.object).toThrow(expect.objectContaining({ code: 'POOL_LEASE_RETURNED' }));
    expect(() => lease.release()).toThrow(expect.objectContaining({ code: 'POOL_LEASE_RETURNED' }));
    expect(() => lease.destroy()).toThrow(expect.objectContaining({ code: 'POOL_LEASE_RETURNED' }));
    lease[Symbol.dispose]();
    await lease[Symbol.asyncDispose]();
    expect(pool.statistics()).toMatchObject({ returnedTwice: 2, idle: 1 });
    expect(stage.told('pool.lease_returned_twice')).toHaveLength(2);
  });

  it('cannot return the object of the one who has it now', async () => {
    const pool = stage.pool({ max: 1 });
    const first = await pool.acquire();
    first.release();
    const second = await pool.acquire();
    expect(() => first.release()).toThrow('returned already');
    first[Symbol.dispose]();
    expect(() => first.object).toThrow('returned already');
    expect(second.object.id).toBe(0);
    expect(pool.statistics().borrowed).toBe(1);
    second.release();
  });
});

describe('objects that go', () => {
  const cases: [string, Partial<PoolOptions<Thing>>, string][] = [
    ['after their uses', { maxUses: 2 }, 'uses'],
    ['after their lifetime', { maxLifetimeMs: 5_000, lifetimeJitter: 0 }, 'lifetime'],
    ['idle for too long', { idleTimeoutMs: 5_000 }, 'idle'],
  ];
  it.each(cases)('%s', async (_, options, cause) => {
    const pool = stage.pool(options);
    (await pool.acquire()).release();
    (await pool.acquire()).release();
    await stage.advance(7_000);
    expect(pool.statistics()).toMatchObject({ size: 0, destroyed: expect.objectContaining({ [cause]: 1 }) });
    const lease = await pool.acquire();
    expect(lease.object.id).toBe(1);
    lease.release();
  });

  it('past their lifetime are not lent, though no sweep has seen them', async () => {
    const pool = stage.pool({ maxLifetimeMs: 1_500, lifetimeJitter: 0, check: () => true });
    (await pool.acquire()).release();
    await stage.advance(1_499);
    const destroyed = pool.statistics().destroyed.lifetime;
    await stage.advance(1);
    const lease = await pool.acquire();
    expect(destroyed).toBe(0);
    expect(lease.object.id).toBe(1);
    lease.release();
  });

  it('do not all end together', async () => {
    const pool = stage.pool({
      max: 20,
      maxLifetimeMs: 100_000,
      lifetimeJitter: 0.5,
      idleTimeoutMs: Number.POSITIVE_INFINITY,
    });
    const leases = await Promise.all(Array.from({ length: 20 }, () => pool.acquire()));
    for (const lease of leases) lease.release();
    await stage.advance(75_000);
    expect(pool.statistics().size).toBeGreaterThan(3);
    expect(pool.statistics().size).toBeLessThan(17);
    await stage.advance(26_000);
    expect(pool.statistics().size).toBe(0);
  });

  it('broken, said by the borrower or by anybody, are never lent again', async () => {
    const pool = stage.pool();
    (await pool.acquire()).destroy();
    const lease = await pool.acquire();
    expect(lease.object.id).toBe(1);
    expect(pool.discard(lease.object)).toBe(true);
    lease.release();
    await stage.settle();
    (await pool.acquire()).release();
    expect(pool.discard(stage.things[2]!)).toBe(true);
    expect(pool.discard(stage.things[2]!)).toBe(false);
    await stage.settle();
    expect(pool.statistics()).toMatchObject({ size: 0, destroyed: expect.objectContaining({ broken: 3 }) });
    expect(pool.discard(stage.things[0]!)).toBe(false);
  });

  it('above max after a resize go as they come back, and more are made after one upwards', async () => {
    const pool = stage.pool({ max: 3 });
    const leases = await Promise.all([1, 2, 3].map(() => pool.acquire()));
    pool.resize({ max: 1 });
    leases[0]!.release();
    leases[1]!.release();
    await stage.settle();
    expect(pool.statistics()).toMatchObject({ size: 1, destroyed: expect.objectContaining({ surplus: 2 }) });
    const waiting = pool.acquire();
    pool.resize({ max: 2 });
    (await waiting).release();
    leases[2]!.release();
    pool.resize({ max: 1 });
    await stage.settle();
    expect(pool.statistics()).toMatchObject({ size: 1, idle: 1 });
    expect(() => pool.resize({ min: 2 })).toThrow('min');
  });
});

describe('checking', () => {
  it('is done on borrow for what has not been known to be good for a while', async () => {
    const checked: number[] = [];
    const check = (thing: Thing) => {
      checked.push(thing.id);
      return thing.isGood;
    };
    const pool = stage.pool({ check, checkAfterIdleMs: 500, checkIntervalMs: Number.POSITIVE_INFINITY });
    (await pool.acquire()).release();
    (await pool.acquire()).release();
    expect(checked).toEqual([]);
    await stage.advance(500);
    (await pool.acquire()).release();
    expect(checked).toEqual([0]);
    await stage.advance(500);
    stage.things[0]!.isGood = false;
    const lease = await pool.acquire();
    expect(lease.object.id).toBe(1);
    lease.release();
    expect(stage.told('pool.check_failed')).toMatchObject([{ action: 'check', message: 'answered false' }]);
  });

  it('is done every time where that is asked, also between one borrower and the next', async () => {
    let checks = 0;
    const pool = stage.pool({ max: 1, checkAfterIdleMs: 0, check: () => ++checks > 0 });
    const lease = await pool.acquire();
    const next = pool.acquire();
    lease.release();
    (await next).release();
    expect(pool.tryAcquire()).toBeNull();
    (await pool.acquire()).release();
    expect(checks).toBe(2);
  });

  it('is done while idle, and does not make an object younger', async () => {
    let checks = 0;
    const pool = stage.pool({ check: () => ++checks > 0, checkIntervalMs: 1_000, idleTimeoutMs: 5_000 });
    (await pool.acquire()).release();
    await stage.advance(4_000);
    expect(checks).toBeGreaterThanOrEqual(2);
    await stage.advance(2_000);
    expect(pool.statistics().destroyed.idle).toBe(1);
  });

  it('while idle destroys what fails it, and never takes all away at once', async () => {
    let atOnce = 0;
    let mostAtOnce = 0;
    const check = async (thing: Thing) => {
      mostAtOnce = Math.max(mostAtOnce, ++atOnce);
      await new Promise((resolve) => setImmediate(resolve));
      atOnce--;
      return thing.isGood;
    };
    const pool = stage.pool({ check, checkIntervalMs: 1_000 });
    const leases = await Promise.all([1, 2, 3, 4].map(() => pool.acquire()));
    for (const lease of leases) lease.release();
    stage.things[1]!.isGood = false;
    await stage.advance(5_000);
    expect(mostAtOnce).toBe(2);
    expect(pool.statistics()).toMatchObject({ size: 3, destroyed: expect.objectContaining({ check: 1 }) });
  });

  it('lets nobody overtake who waits for a check, though another is known to be good', async () => {
    const answers = new Map<number, (isGood: boolean) => void>();
    const check = (thing: Thing) => new Promise<boolean>((resolve) => answers.set(thing.id, resolve));
    const pool = stage.pool({ max: 2, check, checkAfterIdleMs: 500, checkIntervalMs: 700 });
    const leases = await Promise.all([pool.acquire(), pool.acquire()]);
    leases[0]!.release();
    await stage.advance(600);
    leases[1]!.release();
    await stage.advance(300);
    answers.get(0)!(true);
    await stage.advance(250);
    const order: string[] = [];
    const waits = ['a', 'b'].map((name) =>
      pool.acquire().then((lease) => {
        order.push(name);
        return lease;
      }),
    );
    await stage.settle();
    for (const answer of answers.values()) answer(true);
    for (const wait of waits) (await wait).release();
    expect(order).toEqual(['a', 'b']);
  });

  it('lets who waits have whatever passes first', async () => {
    const answers = new Map<number, (isGood: boolean) => void>();
    const check = (thing: Thing) => new Promise<boolean>((resolve) => answers.set(thing.id, resolve));
    const pool = stage.pool({ max: 2, check, checkAfterIdleMs: 10 });
    const leases = await Promise.all([pool.acquire(), pool.acquire()]);
    for (const lease of leases) lease.release();
    await stage.advance(10);
    const order: string[] = [];
    const waits = ['a', 'b'].map((name) =>
      pool.acquire().then((lease) => {
        order.push(name);
        return lease;
      }),
    );
    await stage.settle();
    expect([...answers.keys()]).toEqual([1, 0]);
    answers.get(0)!(true);
    await stage.settle();
    expect(order).toEqual(['a']);
    answers.get(1)!(false);
    (await waits[1]!).release();
    (await waits[0]!).release();
    expect(pool.statistics().created).toBe(3);
  });
});

describe('resetting', () => {
  it('comes between one borrower and the next', async () => {
    const done: string[] = [];
    const pool = stage.pool({ max: 1, reset: (thing) => Promise.resolve().then(() => done.push(`reset ${thing.id}`)) });
    const lease = await pool.acquire();
    const next = pool.acquire().then((one) => {
      done.push('next');
      return one;
    });
    lease.release();
    expect(done).toEqual([]);
    (await next).release();
    await stage.settle();
    expect(done).toEqual(['reset 0', 'next', 'reset 0']);
    expect(pool.statistics().idle).toBe(1);
  });

  it('that fails costs the object, not the next', async () => {
    const pool = stage.pool({ max: 1, reset: () => Promise.reject(new Error('in a transaction')) });
    const lease = await pool.acquire();
    const next = pool.acquire();
    lease.release();
    expect((await next).object.id).toBe(1);
    (await next).release();
    expect(stage.told('pool.check_failed')[0]).toMatchObject({ action: 'reset', message: 'in a transaction' });
  });
});

describe('options', () => {
  const bad: [string, Record<string, unknown>][] = [
    ['name', { name: '' }],
    ['create', { create: undefined }],
    ['check', { check: true }],
    ['max', { max: 0 }],
    ['max', { max: Number.NaN }],
    ['min', { min: 11 }],
    ['min', { min: -1 }],
    ['maxWaiting', { maxWaiting: 0.5 }],
    ['acquireTimeoutMs', { acquireTimeoutMs: -1 }],
    ['closeTimeoutMs', { closeTimeoutMs: '500' as never }],
    ['createTimeoutMs', { createTimeoutMs: Number.NaN }],
    ['idleTimeoutMs', { idleTimeoutMs: 0 }],
    ['checkAfterIdleMs', { checkAfterIdleMs: Number.NaN }],
    ['lifetimeJitter', { lifetimeJitter: 2 }],
    ['maxUses', { maxUses: 0 }],
    ['bytesPerObject', { bytesPerObject: -1 }],
    ['trackBorrowers', { trackBorrowers: 'often' }],
    ['createAttempts', { createAttempts: 0 }],
  ];
  it.each(bad)('refuses a bad %s: %o', (argument, options) => {
    const make = () => new ObjectPool({ name: 'bad', create: () => ({}), ...options } as PoolOptions<object>);
    expect(make).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(argument) }),
    );
  });

  it('refuses a bad time to wait', async () => {
    const pool = stage.pool();
    await expect(pool.acquire({ timeoutMs: -1 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(pool.acquire({ timeoutMs: Number.NaN })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('may be an object with methods', async () => {
    const maker = {
      made: 0,
      name: 'made',
      create() {
        return { id: this.made++ };
      },
    };
    await using pool = new ObjectPool(maker);
    await using lease = await pool.acquire();
    expect(lease.object.id).toBe(0);
  });
});
