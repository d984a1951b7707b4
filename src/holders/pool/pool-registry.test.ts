/** Pools by name. */
import { describe, expect, it } from 'vitest';
import { Budget } from '../../budget/budget.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { PoolRegistry } from './pool-registry.ts';

function registryOf() {
  const clock = new ManualClock();
  const budget = new Budget({ name: 'node', limitBytes: 2 ** 30, clock });
  return { clock, budget, registry: new PoolRegistry({ clock, budget }) };
}

describe('a registry of pools', () => {
  it('makes and finds pools, each once', async () => {
    const { registry, budget } = registryOf();
    const create = () => ({ model: 'small' });
    const pool = registry.pool('llm', { create, max: 2 });
    expect(registry.pool('llm', { create })).toBe(pool);
    expect(registry.pool<{ model: string }>('llm')).toBe(pool);
    expect(await pool.use(({ model }) => model)).toBe('small');
    expect(budget.reservedBytes).toBeGreaterThan(0);
    expect(() => registry.define('llm', { create })).toThrow(expect.objectContaining({ code: 'POOL_NAME_TAKEN' }));
    expect(() => registry.pool('http')).toThrow(
      expect.objectContaining({ code: 'POOL_UNKNOWN', details: { pool: 'http', known: ['llm'] } }),
    );
    expect(registry.names).toEqual(['llm']);
    expect(registry.has('llm')).toBe(true);
    expect(registry.statistics()).toMatchObject([{ name: 'llm', max: 2, size: 1 }]);
    await registry.close();
    await registry[Symbol.asyncDispose]();
    expect(budget.close().leakedBytes).toBe(0);
    expect(() => registry.define('late', { create })).toThrow(expect.objectContaining({ code: 'CLOSED' }));
  });

  it('forgets a pool that its user has closed, and frees its name', async () => {
    const { registry, budget } = registryOf();
    const create = () => ({});
    const first = registry.define('llm', { create });
    await first.close();
    expect([registry.names, registry.statistics(), registry.has('llm'), registry.get('llm')]).toEqual([
      [],
      [],
      false,
      undefined,
    ]);
    const second = registry.pool('llm', { create });
    expect(second.isClosed).toBe(false);
    (await second.acquire()).release();
    await registry.close();
    expect(budget.close().leakedBytes).toBe(0);
  });

  it('takes in pools made elsewhere, and closes all though some fail', async () => {
    const { registry, clock } = registryOf();
    const closed: string[] = [];
    const made = (name: string, isBad: boolean) => ({
      name,
      isClosed: false,
      statistics: () => registry.pool('own').statistics(),
      close: async () => {
        closed.push(name);
        if (isBad) throw new Error(`${name} is stuck`);
      },
    });
    registry.define('own', { create: () => ({}) });
    const database = registry.add(made('database', true));
    registry.add(made('http', true));
    expect(registry.get('database')).toBe(database);
    expect(() => registry.pool('database')).toThrow('take it with get()');
    expect(() => registry.add(made('http', false))).toThrow('already');
    await expect(registry.close()).rejects.toThrow('2 of 3 failed to close');
    expect(closed).toEqual(['database', 'http']);
    expect(clock.pendingTimers).toBe(0);
  });
});
