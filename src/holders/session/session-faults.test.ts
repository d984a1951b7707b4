import { describe, expect, it, vi } from 'vitest';
import { KIB } from '../../base/bytes.ts';
import { nextTurn } from '../../base/clock.ts';
import { SessionWorld } from '../../testing/session-world.ts';
import type { SessionPoolOptions } from './session-options.ts';

const world = SessionWorld.forEachTest();
const writeBack = { durability: 'write-back' } as const;
const everything = { targetBytes: 1_000_000 };

describe('a store that fails', () => {
  it('refuses a change, which is then not there, in memory or on the disk', async () => {
    const pool = world.pool();
    await pool.create({ count: 1 }, { id: 'a' });
    world.faulty.failBefore.add('write').add('create');
    await expect(pool.update('a', { count: 2 })).rejects.toMatchObject({ code: 'STORE_IO' });
    await expect(pool.create({ count: 1 }, { id: 'b' })).rejects.toMatchObject({ code: 'STORE_IO' });
    world.faulty.mend();
    expect(await pool.get('a')).toMatchObject({ version: 1, value: { count: 1 } });
    expect(await pool.get('b')).toBeNull();
    expect((await pool.update('a', { count: 3 })).version).toBe(2);
  });

  it('that has written although it said no is asked, not guessed about', async () => {
    const pool = world.pool();
    await pool.create({ count: 1 }, { id: 'a' });
    world.faulty.failAfter.add('write');
    await expect(pool.update('a', { count: 2 })).rejects.toMatchObject({ code: 'STORE_IO' });
    world.faulty.mend();
    expect(await pool.get('a')).toMatchObject({ version: 2, value: { count: 2 } });
    expect((await pool.update('a', ({ count }) => ({ count: count + 1 }))).value.count).toBe(3);
  });

  it('cannot be read: that is told, and nothing else is disturbed', async () => {
    const pool = world.pool();
    await pool.create({ count: 1 }, { id: 'a' });
    await world.budget.reclaim(everything);
    await pool.create({ count: 1 }, { id: 'live' });
    world.faulty.failBefore.add('read');
    await expect(pool.get('a')).rejects.toMatchObject({ code: 'STORE_IO' });
    expect(await pool.get('live')).not.toBeNull();
    world.faulty.mend();
    expect(await pool.get('a')).not.toBeNull();
  });

  it('with errors of its own: it is counted and told all the same, and the process lives', async () => {
    const { store } = world.faulty;
    let isBroken = true;
    const foreign = new Proxy(store, {
      get: (target, name) =>
        name === 'write' && isBroken ? () => Promise.reject(new TypeError('gone')) : Reflect.get(target, name),
    });
    const pool = world.pool({ ...writeBack, store: foreign });
    await pool.create({ count: 1 }, { id: 'a' });
    await pool.update('a', { count: 2 });
    await world.clock.advance(1_000);
    await vi.waitFor(() => expect(pool.statistics().writeFailures).toBe(1));
    expect(world.eventsOf('sessions.write_failed')).toMatchObject([{ code: 'UNKNOWN', message: 'gone' }]);
    isBroken = false;
    await pool.flush();
    expect(pool.statistics().unwritten).toBe(0);
  });

  it('while sessions are to leave memory: they stay, it is counted and told, and later they leave', async () => {
    const pool = world.pool(writeBack);
    for (const id of ['a', 'b']) await pool.create({ count: 1 }, { id });
    await pool.update('a', { count: 2 });
    await pool.update('b', { count: 2 });
    world.faulty.failBefore.add('write');
    await world.budget.reclaim(everything);
    expect(pool.statistics()).toMatchObject({ live: 2, unwritten: 2, writeFailures: 2 });
    expect(world.eventsOf('sessions.write_failed')).toMatchObject([{ what: 'changes', code: 'STORE_IO' }]);
    expect((await pool.get('a'))?.value.count).toBe(2);
    world.faulty.mend();
    await world.budget.reclaim(everything);
    expect(pool.statistics()).toMatchObject({ live: 0, unwritten: 0 });
    expect((await pool.get('a'))?.value.count).toBe(2);
  });

  it('for a while: the flush is tried again, and told each time', async () => {
    const pool = world.pool({ ...writeBack, flushMs: 100 });
    await pool.create({ count: 1 }, { id: 'a' });
    await pool.update('a', { count: 2 });
    world.faulty.failBefore.add('write');
    await world.clock.advance(250);
    await vi.waitFor(() => expect(world.eventsOf('sessions.write_failed').length).toBeGreaterThanOrEqual(1));
    world.faulty.mend();
    await world.clock.advance(250);
    await vi.waitFor(() => expect(pool.statistics().unwritten).toBe(0));
    const there = await world.otherPool();
    expect((await there.get('a'))?.value.count).toBe(2);
  });

  it('while the pool closes: that is told, and all bytes are given back', async () => {
    const pool = world.pool(writeBack);
    await pool.create({ count: 1 }, { id: 'a' });
    await pool.update('a', { count: 2 });
    world.faulty.failBefore.add('write');
    await expect(pool.close()).rejects.toMatchObject({ code: 'SESSIONS_UNWRITTEN', sessions: 1 });
    expect(world.budget.reservedBytes).toBe(0);
  });

  it('while expiry is written or expired sessions are removed: told, tried again, nobody waits for it', async () => {
    const pool = world.pool({ ttlMs: 10_000, purgeMs: 60_000 });
    await pool.create({ count: 1 }, { id: 'a' });
    await world.clock.advance(1_000);
    world.faulty.failBefore.add('touch').add('removeExpired');
    await pool.get('a');
    await world.clock.advance(5_000);
    await vi.waitFor(() => expect(world.eventsOf('sessions.write_failed').map(({ what }) => what)).toContain('expiry'));
    await world.clock.advance(60_000);
    await vi.waitFor(() => expect(world.eventsOf('sessions.write_failed').map(({ what }) => what)).toContain('purge'));
  });

  it('by chance, anywhere, loses nothing that was acknowledged', async () => {
    const pool = world.pool({ max: 2 });
    const known = new Map<string, number>();
    for (const id of ['a', 'b', 'c', 'd']) known.set(id, (await pool.create({ count: 0 }, { id })).value.count);
    world.faulty.chance = 0.3;
    let refused = 0;
    for (let round = 0; round < 100; round++) {
      const id = ['a', 'b', 'c', 'd'][round % 4]!;
      try {
        await pool.update(id, { count: round });
        known.set(id, round);
      } catch (error) {
        expect(error).toMatchObject({ code: 'STORE_IO' });
        refused++;
        // It may be there or not; from now on what is there is known.
        world.faulty.chance = 0;
        const { count } = (await pool.get(id))!.value;
        expect([known.get(id), round]).toContain(count);
        known.set(id, count);
        world.faulty.chance = 0.3;
      }
    }
    world.faulty.mend();
    expect(refused).toBeGreaterThan(10);
    for (const [id, count] of known) expect((await pool.get(id))?.value.count).toBe(count);
  });
});

describe('what is kept of a session is damaged', () => {
  it('is told with a code, the others are fine, and it can be destroyed', async () => {
    const pool = world.pool();
    const database = await world.temporary.openDatabase();
    for (const id of ['a', 'b']) await pool.create({ count: 1 }, { id, items: ['x'] });
    await world.budget.reclaim(everything);
    await database.write((db) =>
      db.run(`UPDATE session_values SET bytes = x'7b' WHERE session_key = (SELECT key FROM sessions WHERE id = 'a')`),
    );
    await expect(pool.get('a')).rejects.toMatchObject({ code: 'SESSION_DAMAGED' });
    await expect(pool.update('a', { count: 1 })).rejects.toMatchObject({ code: 'SESSION_DAMAGED' });
    expect(await pool.get('b')).not.toBeNull();
    expect(world.eventsOf('sessions.damaged')[0]?.session).toMatch(/^[0-9a-f]{8}$/);
    expect(await pool.destroy('a')).toBe(true);
    await pool.create({ count: 2 }, { id: 'a' });
  });

  it.each([
    ["bytes = x'5b5d'", 'a list of another length'],
    ['form = 1', 'bytes that are not deflated'],
  ])('also in its items: %s, %s', async (damage) => {
    const pool = world.pool();
    const database = await world.temporary.openDatabase();
    await pool.create({ count: 1 }, { id: 'a', items: ['x'] });
    await world.budget.reclaim(everything);
    await database.write((db) => db.run(`UPDATE session_items SET ${damage}`));
    await expect(pool.get('a')).rejects.toMatchObject({ code: 'SESSION_DAMAGED' });
  });
});

describe('who waits for one session', () => {
  it('is refused beyond the bound, at once, and ten thousand are answered one way or the other', async () => {
    const pool = world.pool({ maxWaiting: 100 });
    await pool.create({ count: 0 }, { id: 'a' });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10_000 }, () => pool.update('a', ({ count }) => ({ count: count + 1 }))),
    );
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused).toHaveLength(10_000 - 101);
    expect(refused[0]?.reason).toMatchObject({ code: 'SESSION_BUSY', details: { waiting: 100 } });
    expect((await pool.get('a'))?.value.count).toBe(101);
    expect(pool.statistics().waiting).toBe(0);
  });

  it('may give up at every point, and the others go on', async () => {
    const pool = world.pool();
    await pool.create({ count: 0 }, { id: 'a' });
    const controller = new AbortController();
    const { signal } = controller;
    let release = () => {};
    const first = pool.update('a', () => new Promise((resolve) => (release = () => resolve({ count: 1 }))));
    const waiting = [
      pool.update('a', { count: 7 }, { signal }),
      pool.append('a', ['x'], { signal }),
      pool.regenerate('a', { signal }),
      pool.destroy('a', { signal }),
    ];
    const last = pool.update('a', ({ count }) => ({ count: count + 1 }));
    await nextTurn();
    controller.abort(new Error('enough'));
    for (const outcome of await Promise.allSettled(waiting)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { message: 'enough' } });
    }
    release();
    await first;
    expect((await last).value.count).toBe(2);
    for (const call of [
      () => pool.get('a', { signal }),
      () => pool.open('a', { signal }),
      () => pool.touch('a', { signal }),
      () => pool.create({ count: 1 }, { id: 'b', signal }),
    ]) {
      await expect(call()).rejects.toThrow('enough');
    }
    expect(await pool.get('b')).toBeNull();
  });

  it('gives up reading while others read on', async () => {
    const pool = world.pool();
    await pool.create({ count: 1 }, { id: 'a' });
    await world.budget.reclaim(everything);
    const controller = new AbortController();
    const given = pool.get('a', { signal: controller.signal });
    const stays = pool.get('a');
    controller.abort(new Error('enough'));
    await expect(given).rejects.toThrow('enough');
    expect(await stays).not.toBeNull();
  });

  it('is not held up for ever by a function that hangs, throws or is late', async () => {
    const pool = world.pool({ updateTimeoutMs: 500 });
    await pool.create({ count: 1 }, { id: 'a' });
    let late = () => {};
    const hangs = pool.update('a', () => new Promise((resolve) => (late = () => resolve({ count: 99 }))));
    const refusal = expect(hangs).rejects.toMatchObject({ code: 'TIMEOUT' });
    const next = pool.update('a', ({ count }) => ({ count: count + 1 }));
    await nextTurn();
    await world.clock.advance(500);
    await refusal;
    expect((await next).value.count).toBe(2);
    late();
    await nextTurn();
    expect((await pool.get('a'))?.value.count).toBe(2);
    const broken = () => {
      throw new Error('broken');
    };
    await expect(pool.update('a', broken)).rejects.toThrow('broken');
    await expect(pool.update('a', async () => broken())).rejects.toThrow('broken');
    expect((await pool.get('a'))?.version).toBe(2);
  });
});

describe('a pool that is closed', () => {
  it('finishes what has begun, writes what is not written, and takes nothing more', async () => {
    const pool = world.pool(writeBack);
    await pool.create({ count: 1 }, { id: 'a' });
    await pool.update('a', { count: 2 });
    const handle = await pool.open('a');
    const begun = pool.append('a', ['x']);
    const closed = pool.close();
    expect(pool.close()).toBe(closed);
    await closed;
    await begun;
    handle.close();
    for (const call of [
      () => pool.get('a'),
      () => pool.create({ count: 1 }),
      () => pool.update('a', { count: 1 }),
      () => pool.append('a', []),
      () => pool.touch('a'),
      () => pool.destroy('a'),
      () => pool.regenerate('a'),
      () => pool.open('a'),
      () => pool.clear(),
      () => pool.flush(),
      () => pool.list().next(),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'CLOSED' });
    }
    const there = await world.otherPool();
    expect(await there.get('a')).toMatchObject({ value: { count: 2 }, items: ['x'] });
  });
});

describe('arguments', () => {
  it('that are undefined are as if left out', () => {
    const pool = world.pool({ max: undefined, emit: undefined, idleMs: undefined } as never);
    expect(pool.statistics().max).toBe(500);
  });

  it.each<[string, Partial<SessionPoolOptions<{ count: number }>>]>([
    ['max', { max: 0 }],
    ['max', { max: Number.NaN }],
    ['idleMs', { idleMs: Number.NaN }],
    ['ttlMs', { ttlMs: Number.NaN }],
    ['ttlMs', { ttlMs: Number.POSITIVE_INFINITY }],
    ['ttlMs', { ttlMs: 0 }],
    ['flushMs', { flushMs: 2 ** 31 }],
    ['roomTimeoutMs', { roomTimeoutMs: -1 }],
    ['maxSessionBytes', { maxSessionBytes: 1.5 }],
    ['durability', { durability: 'maybe' as never }],
    ['codec', { codec: {} as never }],
    ['merge', { merge: 'theirs' as never }],
    ['maxWaiting', { maxWaiting: -1 }],
  ])('of the pool are refused: %s', (argument, options) => {
    expect(() => world.pool(options)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', details: expect.objectContaining({ argument }) }),
    );
  });

  it('of calls are refused, before anything is written', async () => {
    const pool = world.pool();
    await pool.create({ count: 1 }, { id: 'a' });
    for (const call of [
      () => pool.get(''),
      () => pool.get('x'.repeat(257)),
      () => pool.get('a\0'),
      () => pool.get('\ud800'),
      () => pool.get(5 as never),
      () => pool.create({ count: 1 }, { ttlMs: Number.NaN }),
      () => pool.create({ count: 1 }, { owner: '' }),
      () => pool.create({ count: 1 }, { items: 'x' as never }),
      () => pool.update('a', { count: 1 }, { version: 0 }),
      () => pool.update('a', { count: 1 }, { ttlMs: -1 }),
      () => pool.append('a', 'x' as never),
      () => pool.append('a', ['x'], { keepLast: Number.NaN }),
      () => pool.touch('a', { ttlMs: Number.NaN }),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    expect((await pool.get('a'))?.version).toBe(1);
  });

  it('that are too large are refused, and what is dropped makes room', async () => {
    const pool = world.pool({ maxSessionBytes: 10 * KIB });
    const text = 'x'.repeat(4 * KIB);
    await expect(pool.create({ count: 1, text: text.repeat(3) })).rejects.toMatchObject({ code: 'SESSION_TOO_LARGE' });
    await pool.create({ count: 1 }, { id: 'a', items: [text, text] });
    await expect(pool.append('a', [text])).rejects.toMatchObject({ code: 'SESSION_TOO_LARGE', limitBytes: 10 * KIB });
    expect((await pool.append('a', [text], { keepLast: 2 })).items).toHaveLength(2);
    for (let turn = 0; turn < 5; turn++) await pool.append('a', [text], { keepLast: 2 });
  });
});
