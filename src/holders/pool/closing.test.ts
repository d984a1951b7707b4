/** Closing: with leases out, with objects on their way, twice, and in the middle of anything. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PoolStage, type Thing } from '../../testing/pool-stage.ts';
import { ObjectPool } from './object-pool.ts';

let stage: PoolStage;
beforeEach(() => {
  stage = new PoolStage();
});
afterEach(async () => {
  expect(await stage.close()).toEqual([]);
});

describe('close', () => {
  it('destroys what is idle, refuses who waits and who comes, and is harmless twice', async () => {
    const pool = stage.pool({ max: 1 });
    const lease = await pool.acquire();
    const wait = pool.acquire();
    const closing = pool.close();
    await expect(wait).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(pool.acquire()).rejects.toMatchObject({ code: 'CLOSED' });
    expect(pool.tryAcquire()).toBeNull();
    expect(() => pool.resize({ max: 2 })).toThrow('closed');
    expect(lease.object.destroyed).toBe(0);
    lease.release();
    expect(await closing).toEqual({ name: 'things', leases: 0, sites: [] });
    expect(await pool.close()).toEqual(await closing);
    await pool[Symbol.asyncDispose]();
    expect(stage.things[0]!.destroyed).toBe(1);
    expect(pool.isClosed).toBe(true);
  });

  it('waits for leases as long as it may, then takes their objects away and reports it', async () => {
    const pool = stage.pool({ trackBorrowers: true });
    const lease = await pool.acquire();
    const kept = await pool.acquire();
    const closing = pool.close({ timeoutMs: 2_000 });
    await stage.advance(1_999);
    lease.release();
    expect(kept.object.destroyed).toBe(0);
    await stage.advance(1);
    const report = await closing;
    expect(report).toMatchObject({ leases: 1, sites: [expect.stringContaining('closing.test.ts')] });
    expect(stage.things.map(({ destroyed }) => destroyed)).toEqual([1, 1]);
    expect(() => kept.object).toThrow(expect.objectContaining({ code: 'CLOSED' }));
    kept.release();
    kept[Symbol.dispose]();
    expect(pool.statistics().returnedTwice).toBe(0);
    expect(stage.told('pool.leases_left')).toMatchObject([{ leases: 1 }]);
  });

  it('waits no longer when its signal aborts', async () => {
    const pool = stage.pool();
    const lease = await pool.acquire();
    const controller = new AbortController();
    const closing = pool.close({ signal: controller.signal });
    await stage.settle();
    controller.abort();
    expect(await closing).toMatchObject({ leases: 1 });
    expect(lease.isReturned).toBe(true);
  });

  it('while an object is made does not wait for it; it is destroyed when it comes', async () => {
    let open = (): void => {};
    let signal: AbortSignal | undefined;
    const pool = stage.pool({
      create: (given) => {
        signal = given;
        return new Promise<Thing>((resolve) => (open = () => resolve(stage.make())));
      },
    });
    const wait = pool.acquire();
    await stage.settle();
    const closing = pool.close();
    await expect(wait).rejects.toMatchObject({ code: 'CLOSED' });
    expect(await closing).toMatchObject({ leases: 0 });
    expect(signal?.aborted).toBe(true);
    open();
    await stage.settle();
    expect(stage.things[0]!.destroyed).toBe(1);
  });

  it('while an object is checked or reset does not wait for that', async () => {
    const forever = () => new Promise<never>(() => {});
    const pools = [stage.pool({ check: forever, checkAfterIdleMs: 0 }), stage.pool({ reset: forever })];
    for (const pool of pools) {
      (await pool.acquire()).release();
      const wait = pool.acquire().catch((error: { code: string }) => error.code);
      await stage.settle();
      await pool.close();
      expect(['CLOSED', undefined]).toContain(await Promise.race([wait, undefined]));
    }
    expect(pools[0]!.statistics()).toMatchObject({ checkErrors: 0, size: 0 });
  });

  it('between attempts leaves no timer', async () => {
    const pool = stage.pool({ create: () => Promise.reject(new Error('down')) });
    const wait = pool.acquire().catch((error: { code: string }) => error.code);
    await stage.settle();
    await pool.close();
    expect(await wait).toBe('CLOSED');
  });

  it('is bounded though a destroyer hangs', async () => {
    const pool = stage.pool({
      destroy: (thing) => {
        thing.destroyed++;
        return new Promise(() => {});
      },
      destroyTimeoutMs: 3_000,
    });
    (await pool.acquire()).release();
    let isClosed = false;
    void pool.close().then(() => {
      isClosed = true;
    });
    await stage.advance(2_999);
    expect(isClosed).toBe(false);
    await stage.advance(1);
    expect(isClosed).toBe(true);
    expect(pool.statistics()).toMatchObject({ size: 0, destroyErrors: 1 });
  });

  it('refuses a bad time', async () => {
    const pool = new ObjectPool({ name: 'own', create: () => ({}) });
    await expect(pool.close({ timeoutMs: Number.NaN })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await pool.close();
  });

  it('of the budget before the pool does no harm', async () => {
    const pool = stage.pool();
    const lease = await pool.acquire();
    (await pool.acquire()).release();
    stage.budget.close();
    lease.release();
    (await pool.acquire()).destroy();
    const waits = [1, 2, 3].map(() => pool.acquire().catch((error: { code: string }) => error.code));
    await stage.advance(30_000);
    expect(await Promise.all(waits)).toContain('POOL_CREATE_FAILED');
    expect(await waits[2]).not.toBe('CLOSED');
  });
});
