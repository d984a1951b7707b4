import { describe, expect, it, vi } from 'vitest';
import { nextTurn } from '../../base/clock.ts';
import { collect } from '../../testing/collect.ts';
import { SessionWorld } from '../../testing/session-world.ts';

const world = SessionWorld.forEachTest();
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

describe('a session', () => {
  it('is made, read, changed, appended to and destroyed', async () => {
    const pool = world.pool();
    const made = await pool.create({ count: 1 }, { id: 'a', owner: 'ann', items: ['hello'] });
    expect(made).toMatchObject({ id: 'a', owner: 'ann', version: 1, value: { count: 1 }, items: ['hello'] });
    expect(made.expiresAtMs).toBe(world.clock.nowMs() + 30 * DAY_MS);
    expect((await pool.update('a', ({ count }) => ({ count: count + 1 }))).version).toBe(2);
    expect((await pool.update('a', { count: 9 }, { version: 2 })).version).toBe(3);
    expect((await pool.append('a', ['how', 'are', 'you'], { keepLast: 3 })).items).toEqual(['how', 'are', 'you']);
    expect(await pool.get('a')).toMatchObject({ version: 4, value: { count: 9 }, items: ['how', 'are', 'you'] });
    expect(await pool.destroy('a')).toBe(true);
    expect(await pool.destroy('a')).toBe(false);
    expect(await pool.get('a')).toBeNull();
    await expect(pool.update('a', { count: 1 })).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' });
    expect(await pool.touch('a')).toBe(false);
  });

  it('gets an id nobody can guess, and no second session gets it', async () => {
    const pool = world.pool();
    const { id } = await pool.create({ count: 1 });
    expect(id).toMatch(/^[\w-]{32}$/);
    const again = pool.create({ count: 2 }, { id });
    await expect(again).rejects.toMatchObject({ code: 'SESSION_CONFLICT', expectedVersion: null, actualVersion: 1 });
    expect((await pool.get(id))?.value).toEqual({ count: 1 });
  });

  it('is the same to a reader whether it was on the disk in between or not, and cannot be changed by him', async () => {
    const pool = world.pool();
    const given = { count: 1, text: undefined } as unknown as { count: number };
    await pool.create(given, { id: 'a', items: ['x'] });
    given.count = 5;
    const live = (await pool.get('a'))!;
    expect(Object.keys(live.value)).toEqual(['count']);
    expect(() => Object.assign(live.value, { count: 7 })).toThrow(TypeError);
    expect(() => (live.items as string[]).push('y')).toThrow(TypeError);
    await world.budget.reclaim({ targetBytes: 1_000_000 });
    expect(pool.statistics()).toMatchObject({ live: 0, spilled: 1 });
    expect(await pool.get('a')).toEqual(live);
    expect(pool.statistics()).toMatchObject({ live: 1, loaded: 1 });
  });

  it('keeps what a reader has when it goes on changing', async () => {
    const pool = world.pool();
    const before = await pool.create({ count: 1 }, { id: 'a', items: ['x'] });
    await pool.append('a', ['y']);
    expect(before.items).toEqual(['x']);
  });

  it('gets a new id at a log-in, and its old one is worth nothing any more', async () => {
    const pool = world.pool();
    await pool.create({ count: 3 }, { id: 'planted', owner: 'ann', items: ['x'] });
    const { id } = await pool.regenerate('planted');
    expect(id).not.toBe('planted');
    expect(await pool.get('planted')).toBeNull();
    expect(await pool.get(id)).toMatchObject({ version: 2, owner: 'ann', value: { count: 3 }, items: ['x'] });
    await expect(pool.regenerate('planted')).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' });
    await world.budget.reclaim({ targetBytes: 1_000_000 });
    expect(await pool.get(id)).toMatchObject({ version: 2, items: ['x'] });
  });

  it('is listed with others a page at a time, of one owner too', async () => {
    const pool = world.pool({ max: 2 });
    for (let index = 0; index < 5; index++)
      await pool.create({ count: index }, { id: `s${index}`, owner: index < 2 ? 'ann' : null });
    const ids: string[] = [];
    const live: string[] = [];
    for await (const info of pool.list()) {
      ids.push(info.id);
      if (info.isLive) live.push(info.id);
    }
    expect(ids).toEqual(['s0', 's1', 's2', 's3', 's4']);
    expect(live).toEqual(['s3', 's4']);
    const ofAnn: string[] = [];
    for await (const { id } of pool.list({ owner: 'ann' })) ofAnn.push(id);
    expect(ofAnn).toEqual(['s0', 's1']);
    expect(await pool.totals()).toMatchObject({ sessions: 5 });
    expect(await pool.clear()).toBe(5);
    expect(await pool.get('s4')).toBeNull();
    expect(pool.statistics().live).toBe(0);
  });
});

describe('memory', () => {
  it('lets a session go whose handle was dropped without being closed', async () => {
    const pool = world.pool();
    await pool.create({ count: 1 }, { id: 'a' });
    const drop = async () => {
      await pool.open('a');
    };
    await drop();
    expect(pool.statistics().pinned).toBe(1);
    await collect();
    expect(pool.statistics().pinned).toBe(0);
    await world.budget.reclaim({ targetBytes: 1_000_000 });
    expect(pool.statistics().live).toBe(0);
  });

  it('holds so many sessions and no more; the one used least recently leaves first, and comes back intact', async () => {
    const pool = world.pool({ max: 3 });
    for (const id of ['a', 'b', 'c']) await pool.create({ count: 1, text: id }, { id });
    await pool.get('a');
    await pool.create({ count: 1, text: 'd' }, { id: 'd' });
    expect(pool.statistics()).toMatchObject({ live: 3, spilled: 1, misses: 0 });
    await pool.get('a');
    expect(pool.statistics().misses).toBe(0);
    expect((await pool.get('b'))?.value.text).toBe('b');
    expect(pool.statistics()).toMatchObject({ live: 3, spilled: 2, misses: 1, loaded: 1 });
  });

  it('holds no more even when many come at once', async () => {
    const pool = world.pool({ max: 3 });
    await Promise.all(Array.from({ length: 20 }, (_, index) => pool.create({ count: index }, { id: `s${index}` })));
    expect(pool.statistics().live).toBe(3);
    const read = await Promise.all(Array.from({ length: 20 }, (_, index) => pool.get(`s${index}`)));
    expect(read.map((session) => session?.value.count)).toEqual(Array.from({ length: 20 }, (_, index) => index));
    expect(pool.statistics().live).toBe(3);
  });

  it('is left by who is idle, not by who is in use, and timers are not set for each', async () => {
    const pool = world.pool({ idleMs: 30 * MINUTE_MS });
    await pool.create({ count: 1 }, { id: 'a' });
    await pool.create({ count: 1 }, { id: 'b' });
    expect(world.clock.pendingTimers).toBeLessThan(4);
    await world.clock.advance(20 * MINUTE_MS);
    await pool.get('b');
    await world.clock.advance(15 * MINUTE_MS);
    expect(pool.statistics()).toMatchObject({ live: 1, spilled: 1 });
    expect(world.eventsOf('sessions.spilled')).toMatchObject([{ cause: 'idle', sessions: 1, pool: 'sessions' }]);
    await world.clock.advance(30 * MINUTE_MS);
    expect(pool.statistics()).toMatchObject({ live: 0, spilled: 2, bytes: 0 });
    expect(await pool.get('a')).not.toBeNull();
  });

  it('keeps what a handle is open on, whatever is asked', async () => {
    const pool = world.pool({ max: 1 });
    await pool.create({ count: 1 }, { id: 'a' });
    {
      await using handle = await pool.open('a');
      await world.clock.advance(60 * MINUTE_MS);
      await world.budget.reclaim({ targetBytes: 1_000_000, level: 'critical' });
      expect(pool.statistics()).toMatchObject({ live: 1, pinned: 1, idleBytes: 0 });
      await pool.create({ count: 2 }, { id: 'b' });
      expect(pool.statistics()).toMatchObject({ live: 1, through: 1 });
      await pool.update('b', { count: 3 });
      expect((await pool.get('b'))?.value.count).toBe(3);
      await handle.append(['x']);
      await handle.update({ count: 5 });
      expect(handle).toMatchObject({ version: 3, value: { count: 5 }, items: ['x'] });
      await pool.update('a', { count: 6 });
      await expect(handle.update({ count: 7 })).rejects.toMatchObject({ code: 'SESSION_CONFLICT' });
    }
    expect(pool.statistics().pinned).toBe(0);
    await world.budget.reclaim({ targetBytes: 1_000_000 });
    expect(pool.statistics().live).toBe(0);
  });

  it('makes a session that is opened and is not there, once', async () => {
    const pool = world.pool();
    await expect(pool.open('a')).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' });
    const handles = await Promise.all([1, 2, 3].map(() => pool.open('a', { initial: { count: 1 }, owner: 'ann' })));
    expect(handles.map(({ version }) => version)).toEqual([1, 1, 1]);
    for (const handle of handles) handle.close();
    handles[0]!.close();
    expect(pool.statistics()).toMatchObject({ created: 1, pinned: 0 });
  });

  it('reads a session from the disk once for all who ask, who are no line that could be too long', async () => {
    const pool = world.pool({ maxWaiting: 10 });
    await pool.create({ count: 1 }, { id: 'a' });
    await world.budget.reclaim({ targetBytes: 1_000_000 });
    const read = await Promise.all(Array.from({ length: 10_000 }, () => pool.get('a')));
    expect(read.every((session) => session?.value.count === 1)).toBe(true);
    expect(world.faulty.calls.read).toBe(1);
  });
});

describe('the end of a session', () => {
  it('comes so long after its last use, in memory and on the disk', async () => {
    const pool = world.pool({ ttlMs: 10 * MINUTE_MS, idleMs: 5 * MINUTE_MS });
    await pool.create({ count: 1 }, { id: 'live' });
    await pool.create({ count: 1 }, { id: 'cold' });
    for (let minutes = 0; minutes < 20; minutes += 4) {
      await world.clock.advance(4 * MINUTE_MS);
      expect(await pool.get('live')).not.toBeNull();
    }
    expect(await pool.get('cold')).toBeNull();
    await world.clock.advance(11 * MINUTE_MS);
    expect(await pool.get('live')).toBeNull();
    await world.clock.advance(10 * MINUTE_MS);
    await vi.waitFor(() => expect(pool.statistics().purged).toBe(2));
    expect(await pool.totals()).toEqual({ sessions: 0, bytes: 0 });
  });

  it('is kept in sight of the disk although each use does not write', async () => {
    const pool = world.pool({ ttlMs: 1_000 });
    await pool.create({ count: 1 }, { id: 'a' });
    for (let use = 0; use < 30; use++) {
      await world.clock.advance(90);
      await pool.get('a');
    }
    expect(world.faulty.calls.touch).toBeLessThan(8);
    await world.budget.reclaim({ targetBytes: 1_000_000 });
    expect(await pool.get('a')).not.toBeNull();
  });

  it('is not moved by uses when the pool does not roll, only by a touch', async () => {
    const pool = world.pool({ ttlMs: 1_000, isRolling: false });
    await pool.create({ count: 1 }, { id: 'a' });
    await world.clock.advance(600);
    await pool.update('a', { count: 2 });
    await world.clock.advance(300);
    expect(await pool.touch('a', { ttlMs: 2_000 })).toBe(true);
    await world.clock.advance(1_900);
    expect(await pool.get('a')).not.toBeNull();
    await world.clock.advance(200);
    expect(await pool.get('a')).toBeNull();
  });

  it.each([-400 * DAY_MS, 400 * DAY_MS])(
    'does not come early or late for a live one when the clock jumps by %d ms',
    async (jumpMs) => {
      const pool = world.pool({ ttlMs: 60 * MINUTE_MS });
      await pool.create({ count: 1 }, { id: 'a' });
      world.clock.jumpWallClock(jumpMs);
      expect(await pool.get('a', { isRolling: false })).not.toBeNull();
      await world.budget.reclaim({ targetBytes: 1_000_000 });
      expect(await pool.get('a', { isRolling: false })).not.toBeNull();
      await world.clock.advance(12 * MINUTE_MS);
      expect(await pool.totals()).toMatchObject({ sessions: 1 });
      await world.budget.reclaim({ targetBytes: 1_000_000 });
      expect(await pool.get('a', { isRolling: false })).not.toBeNull();
      await world.clock.advance(49 * MINUTE_MS);
      expect(await pool.get('a')).toBeNull();
    },
  );
});

describe('a wall clock that was set', () => {
  it.each([-400 * DAY_MS, 400 * DAY_MS])(
    'by %d ms removes nothing that is in use, nor at once what is not',
    async (jumpMs) => {
      const pool = world.pool({ ttlMs: 60 * MINUTE_MS });
      await pool.create({ count: 1 }, { id: 'cold' });
      await world.budget.reclaim({ targetBytes: 1_000_000 });
      await pool.create({ count: 1 }, { id: 'live' });
      world.clock.jumpWallClock(jumpMs);
      await world.clock.advance(11 * MINUTE_MS);
      await pool.flush();
      expect(await pool.totals()).toMatchObject({ sessions: 2 });
      await world.clock.advance(11 * MINUTE_MS);
      await pool.update('live', { count: 2 });
      expect((await pool.get('live'))?.value.count).toBe(2);
    },
  );
});

describe('several processes', () => {
  it('see what another has written, at once and wherever it was', async () => {
    const here = world.pool();
    const there = await world.otherPool();
    await here.create({ count: 1 }, { id: 'a' });
    expect((await there.get('a'))?.value.count).toBe(1);
    await here.update('a', { count: 2 });
    await nextTurn();
    expect((await there.get('a'))?.value.count).toBe(2);
    await there.destroy('a');
    await nextTurn();
    expect(await here.get('a')).toBeNull();
  });

  it('see another session that was made under the same id for somebody else, and not its predecessor', async () => {
    const here = world.pool();
    const there = await world.otherPool();
    await here.create({ count: 1 }, { id: 'a', owner: 'ann' });
    await world.clock.advance(10);
    await there.destroy('a');
    const made = await there.create({ count: 2 }, { id: 'a', owner: 'ben' });
    await nextTurn();
    expect(await here.get('a')).toEqual(made);
  });

  it('refuse a write from a version that is not the newest, and say both', async () => {
    const here = world.pool();
    const there = await world.otherPool();
    const { version } = await here.create({ count: 1 }, { id: 'a' });
    await there.get('a');
    await here.update('a', { count: 2 });
    const stale = there.update('a', { count: 9 }, { version });
    await expect(stale).rejects.toMatchObject({ code: 'SESSION_CONFLICT', expectedVersion: 1, actualVersion: 2 });
    await expect(there.append('a', ['x'], { version })).rejects.toMatchObject({ code: 'SESSION_CONFLICT' });
    expect((await here.get('a'))?.value.count).toBe(2);
    expect(there.statistics().conflicts).toBe(2);
  });

  it('lose no change that is made by a function, nor an item', async () => {
    const pools = [world.pool(), await world.otherPool(), await world.otherPool({ name: 'third' })];
    await pools[0]!.create({ count: 0 }, { id: 'a' });
    await Promise.all(
      pools.flatMap((pool, index) =>
        Array.from({ length: 15 }, async (_, n) => {
          await pool.update('a', ({ count }) => ({ count: count + 1 }));
          await pool.append('a', [`${index}.${n}`]);
        }),
      ),
    );
    await nextTurn();
    for (const pool of pools) {
      const session = (await pool.get('a'))!;
      expect(session).toMatchObject({ version: 91, value: { count: 45 } });
      expect(new Set(session.items).size).toBe(45);
    }
  });

  it('merge two values when told how', async () => {
    const merge = ({ theirs, mine }: { theirs: { count: number }; mine: { count: number } }) => ({
      count: theirs.count + mine.count,
    });
    const here = world.pool({ merge });
    const there = await world.otherPool({ merge });
    const { version } = await here.create({ count: 1 }, { id: 'a' });
    await here.update('a', { count: 10 }, { version });
    expect(await there.update('a', { count: 5 }, { version })).toMatchObject({ version: 3, value: { count: 15 } });
    expect(there.statistics()).toMatchObject({ conflicts: 1, merged: 1 });
  });

  it('do not take a session for one that had its id before', async () => {
    const here = world.pool();
    const there = await world.otherPool();
    const { version } = await here.create({ count: 1 }, { id: 'a' });
    await there.destroy('a');
    await there.create({ count: 2 }, { id: 'a' });
    await nextTurn();
    expect((await here.get('a'))?.value.count).toBe(2);
    await expect(here.update('a', { count: 9 }, { version })).rejects.toMatchObject({ code: 'SESSION_CONFLICT' });
  });
});
