import { describe, expect, it } from 'vitest';
import { SessionWorld } from '../../testing/session-world.ts';

const world = SessionWorld.forEachTest();
const DAY_MS = 86_400_000;

describe('the end of a session', () => {
  it('is read and added to without bringing the session into memory', async () => {
    const pool = world.pool();
    await pool.create({ count: 1 }, { id: 'a', items: ['1', '2', '3'] });
    await world.budget.reclaim({ targetBytes: 1_000_000 });
    await pool.record('a', ['4', '5']);
    expect(await pool.last('a', 3)).toEqual(['3', '4', '5']);
    expect(await pool.last('a', 99)).toEqual(['1', '2', '3', '4', '5']);
    expect(world.faulty.calls.read).toBeUndefined();
    expect(pool.statistics()).toMatchObject({ live: 0, loaded: 0, misses: 2, written: 2 });
    expect(await pool.get('a')).toMatchObject({ version: 2, value: { count: 1 }, items: ['1', '2', '3', '4', '5'] });
  });

  it('is the memory of it where it is in memory', async () => {
    const pool = world.pool();
    await pool.create({ count: 1 }, { id: 'a', items: ['1'] });
    await pool.record('a', ['2']);
    expect(await pool.last('a', 1)).toEqual(['2']);
    expect((await pool.get('a'))?.items).toEqual(['1', '2']);
    expect(world.faulty.calls).toMatchObject({ write: 1 });
    expect(world.faulty.calls.readLast).toBeUndefined();
    expect(pool.statistics()).toMatchObject({ live: 1, hits: 2 });
  });

  it('is made with the session where there is none', async () => {
    const pool = world.pool();
    await expect(pool.record('a', ['1'])).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' });
    expect(await pool.last('a', 1)).toBeNull();
    await pool.record('a', ['1'], { initial: { count: 0 }, owner: 'ann' });
    await pool.record('a', ['2'], { initial: { count: 9 } });
    expect(await pool.get('a')).toMatchObject({ owner: 'ann', value: { count: 0 }, items: ['1', '2'] });
    await pool.record('a', []);
    expect(await pool.last('a', 2)).toEqual(['1', '2']);
  });

  it('has room for what many add at once, here and elsewhere, and each sees it', async () => {
    const [one, other] = [world.pool(), await world.otherPool()];
    await one.create({ count: 1 }, { id: 'a' });
    await one.get('a');
    const texts = Array.from({ length: 40 }, (_, index) => `${index}`);
    await Promise.all(
      texts.map((text, index) => (index % 2 ? one : other).record('a', [text], { initial: { count: 0 } })),
    );
    for (const pool of [one, other]) {
      expect([...(await pool.last('a', 99))!].sort()).toEqual([...texts].sort());
      expect((await pool.get('a'))?.items).toHaveLength(texts.length);
    }
  });

  it('begins its life anew when it is used', async () => {
    const pool = world.pool({ ttlMs: DAY_MS, idleMs: 1_000 });
    await pool.create({ count: 1 }, { id: 'a', items: ['1'] });
    await world.budget.reclaim({ targetBytes: 1_000_000 });
    await world.clock.advance(0.9 * DAY_MS);
    expect(await pool.last('a', 1)).toEqual(['1']);
    await world.clock.advance(0.9 * DAY_MS);
    await pool.record('a', ['2']);
    await world.clock.advance(0.9 * DAY_MS);
    expect(await pool.last('a', 2)).toEqual(['1', '2']);
    await world.clock.advance(DAY_MS);
    expect(await pool.last('a', 2)).toBeNull();
    await expect(pool.record('a', ['3'])).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' });
  });

  it('is bounded with the session, and refuses what is no count, no list, no item', async () => {
    const pool = world.pool({ maxSessionBytes: 40 });
    await pool.create({ count: 1 }, { id: 'a', items: ['x'.repeat(10)] });
    await world.budget.reclaim({ targetBytes: 1_000_000 });
    const tooMuch = pool.record('a', ['y'.repeat(20)]);
    await expect(tooMuch).rejects.toMatchObject({ code: 'SESSION_TOO_LARGE' });
    expect(await pool.last('a', 5)).toEqual(['x'.repeat(10)]);
    for (const count of [0, -1, 1.5, Number.NaN]) {
      await expect((async () => pool.last('a', count))()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    await expect((async () => pool.record('a', 'no' as never))()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(pool.record('a', [(() => {}) as never])).rejects.toMatchObject({ code: 'SESSION_VALUE' });
    await expect(pool.record('', ['z'])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('is not acknowledged when the store failed, and harms nothing', async () => {
    const pool = world.pool();
    await pool.create({ count: 1 }, { id: 'a', items: ['1'] });
    await world.budget.reclaim({ targetBytes: 1_000_000 });
    world.faulty.failBefore.add('append').add('readLast');
    await expect(pool.record('a', ['2'])).rejects.toMatchObject({ code: 'STORE_IO' });
    await expect(pool.last('a', 1)).rejects.toMatchObject({ code: 'STORE_IO' });
    world.faulty.mend();
    expect(await pool.last('a', 2)).toEqual(['1']);
    await pool.close();
    await expect((async () => pool.last('a', 1))()).rejects.toMatchObject({ code: 'CLOSED' });
    await expect((async () => pool.record('a', ['1']))()).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
