import { describe, expect, it, vi } from 'vitest';
import { KIB, MIB } from '../../base/bytes.ts';
import { nextTurn } from '../../base/clock.ts';
import { estimateBytes } from '../../budget/estimator.ts';
import { Quotas } from '../../budget/quota.ts';
import { ScriptedConsumer } from '../../testing/scripted-consumer.ts';
import { SessionWorld } from '../../testing/session-world.ts';
import { LiveSession } from './live-session.ts';

const world = SessionWorld.forEachTest({ limitBytes: MIB });
const text = 'x'.repeat(50 * KIB);
const MINUTE_MS = 60_000;

describe('bytes', () => {
  it('are what a session takes in memory, more and less as it changes', async () => {
    const pool = world.pool();
    await pool.create({ count: 1 }, { id: 'a' });
    const small = pool.statistics().bytes;
    expect(small).toBeGreaterThan(estimateBytes({ count: 1 }));
    await pool.update('a', { count: 1, text });
    expect(pool.statistics().bytes - small).toBeGreaterThan(50 * KIB);
    await pool.append('a', [text, text]);
    expect(pool.statistics().bytes - small).toBeGreaterThan(150 * KIB);
    await pool.append('a', [], { keepLast: 0 });
    await pool.update('a', { count: 1 });
    expect(pool.statistics().bytes).toBeLessThanOrEqual(small);
    expect(world.budget.reservedBytes).toBeLessThan(small + 8 * KIB);
  });

  it('are asked of others first when they are worth less, and nobody is refused when there are none', async () => {
    const cache = new ScriptedConsumer(world.budget, { name: 'cache', priority: 8, bytes: MIB });
    const pool = world.pool();
    await pool.create({ count: 1, text }, { id: 'a' });
    expect(pool.statistics()).toMatchObject({ live: 1, through: 0 });
    cache.reservation.free();
  });

  it('that are not to be had: a session is served without being kept', async () => {
    const rock = new ScriptedConsumer(world.budget, { name: 'rock', priority: 0, bytes: MIB, onReclaim: () => 0 });
    const pool = world.pool();
    await world.ticking(async () => {
      await pool.create({ count: 1, text }, { id: 'a', items: ['x'] });
      expect(await pool.update('a', ({ count }) => ({ count: count + 1 }))).toMatchObject({ version: 2 });
      await pool.append('a', ['y']);
      await using handle = await pool.open('a');
      await handle.append(['z']);
      expect(await pool.get('a')).toMatchObject({ version: 4, value: { count: 2 }, items: ['x', 'y', 'z'] });
    });
    const { through, live } = pool.statistics();
    expect(live).toBe(0);
    expect(through).toBeGreaterThan(3);
    // The budget was asked once, not by each of them.
    expect(world.budgetEvents.filter(({ type }) => type === 'budget.refused')).toHaveLength(1);
    rock.reservation.free();
  });

  it('come from the session used least recently when the others give nothing', async () => {
    const bytes = MIB - 200 * KIB;
    const rock = new ScriptedConsumer(world.budget, { name: 'rock', priority: 0, bytes, onReclaim: () => 0 });
    const pool = world.pool();
    await world.ticking(async () => {
      for (const id of ['a', 'b', 'c', 'd', 'e']) await pool.create({ count: 1, text }, { id });
      expect(pool.statistics()).toMatchObject({ live: 3, through: 0 });
      await pool.get('e');
      expect(pool.statistics().misses).toBe(0);
      await pool.append('e', [text, text]);
      expect(pool.statistics()).toMatchObject({ live: 1, through: 0 });
      await pool.append('e', [text, text]);
      expect(pool.statistics().live).toBe(0);
      expect((await pool.get('e'))?.items).toHaveLength(4);
    });
    rock.reservation.free();
  });

  it('of idle sessions are known, and are given before live ones of anybody', async () => {
    const cache = new ScriptedConsumer(world.budget, { name: 'cache', priority: 10, bytes: 100 * KIB });
    const pool = world.pool({ idleMs: 30 * MINUTE_MS });
    await pool.create({ count: 1, text }, { id: 'a' });
    // Held in its lane, so that it cannot leave when it becomes idle.
    let release = () => {};
    world.faulty.gate = new Promise((resolve) => {
      release = resolve;
    });
    const held = pool.update('a', { count: 2, text });
    await world.clock.advance(31 * MINUTE_MS);
    expect(pool.statistics()).toMatchObject({ live: 1 });
    expect(pool.statistics().idleBytes).toBe(pool.statistics().bytes);
    release();
    await held;
    expect(pool.statistics().idleBytes).toBe(0);
    await world.clock.advance(29 * MINUTE_MS);
    world.faulty.gate = new Promise((resolve) => {
      release = resolve;
    });
    const again = pool.update('a', { count: 3, text });
    await world.clock.advance(2 * MINUTE_MS);
    world.faulty.gate = null;
    release();
    await again;
    cache.reservation.free();
  });

  it('are given at once when the disk has them, and after writing when it does not', async () => {
    const pool = world.pool({ durability: 'write-back' });
    for (const id of ['a', 'b']) await pool.create({ count: 1, text }, { id });
    await pool.update('a', { count: 2, text });
    const clean = await world.budget.reclaim({ targetBytes: 40 * KIB });
    expect(clean.accountedBytes).toBeGreaterThanOrEqual(40 * KIB);
    expect(world.faulty.calls.write).toBeUndefined();
    const dirty = await world.budget.reclaim({ targetBytes: 40 * KIB });
    expect(dirty.accountedBytes).toBeGreaterThanOrEqual(40 * KIB);
    expect(world.faulty.calls.write).toBe(1);
    expect(pool.statistics()).toMatchObject({ live: 0, unwritten: 0 });
    expect((await pool.get('a'))?.value.count).toBe(2);
    expect(world.eventsOf('sessions.spilled')).toMatchObject([
      { cause: 'pressure', sessions: 1 },
      { cause: 'pressure', sessions: 1 },
    ]);
  });

  it('are worth more the sooner somebody is likely to want them', async () => {
    const seldom = world.pool({ name: 'seldom' });
    const often = world.pool({ name: 'often', store: await world.temporary.openSessionStore({ pool: 'often' }) });
    for (let index = 0; index < 5; index++) await seldom.create({ count: 1, text }, { id: `s${index}` });
    await world.clock.advance(10 * MINUTE_MS);
    for (let index = 0; index < 5; index++) await often.create({ count: 1, text }, { id: `o${index}` });
    await world.budget.reclaim({ targetBytes: 150 * KIB });
    expect(seldom.statistics().live).toBeLessThan(4);
    expect(often.statistics().live).toBe(5);
  });
});

describe('quotas', () => {
  it('have an owner make room among his own, and never push another out', async () => {
    const quotas = new Quotas({ limitBytes: 120 * KIB });
    const pool = world.pool({ quotas });
    await pool.create({ count: 1, text }, { id: 'ben', owner: 'ben' });
    for (let index = 0; index < 5; index++) await pool.create({ count: 1, text }, { id: `ann${index}`, owner: 'ann' });
    expect(pool.statistics()).toMatchObject({ live: 3, spilled: 3, through: 0 });
    expect(quotas.usedBytes('ann')).toBeLessThanOrEqual(120 * KIB);
    await pool.get('ben');
    expect(pool.statistics().misses).toBe(0);
    await pool.create({ count: 1, text: text.repeat(3) }, { id: 'large', owner: 'ann' });
    expect(pool.statistics().through).toBe(1);
    expect((await pool.get('large'))?.value.text).toHaveLength(150 * KIB);
    quotas.setLimit('ben', 0);
    await world.budget.reclaim({ targetBytes: 10 * KIB });
    await pool.get('ben');
    expect(pool.statistics().misses).toBeGreaterThan(0);
    await pool.close();
    expect(quotas.largest(5)).toEqual([]);
  });
});

describe('writing back', () => {
  const writeBack = { durability: 'write-back', flushMs: 1_000 } as const;

  it('acknowledges in memory, and writes many changes at once', async () => {
    const pool = world.pool(writeBack);
    await pool.create({ count: 0 }, { id: 'a' });
    for (let turn = 1; turn <= 20; turn++) {
      await pool.update('a', { count: turn });
      await pool.append('a', [`${turn}`], { keepLast: 5 });
    }
    expect(pool.statistics()).toMatchObject({ unwritten: 1, written: 1 });
    await world.clock.advance(1_000);
    await vi.waitFor(() => expect(pool.statistics().unwritten).toBe(0));
    expect(world.faulty.calls.write).toBe(1);
    const there = await world.otherPool();
    const session = { version: 41, value: { count: 20 }, items: ['16', '17', '18', '19', '20'] };
    expect(await there.get('a')).toMatchObject(session);
    await world.budget.reclaim({ targetBytes: MIB });
    expect(await pool.get('a')).toMatchObject(session);
  });

  it('keeps what another process wrote, appends behind it, and tells what gave way', async () => {
    const pool = world.pool(writeBack);
    const there = await world.otherPool();
    await pool.create({ count: 0 }, { id: 'a' });
    await pool.update('a', { count: 1 });
    await there.update('a', { count: 100 });
    await there.append('a', ['theirs']);
    await pool.append('a', ['mine']);
    await pool.flush();
    expect(pool.statistics()).toMatchObject({ lost: 1, unwritten: 0 });
    expect(world.eventsOf('sessions.write_lost')).toMatchObject([{ expectedVersion: 1, actualVersion: 3 }]);
    await nextTurn();
    for (const each of [pool, there]) {
      expect(await each.get('a')).toMatchObject({ value: { count: 100 }, items: ['theirs', 'mine'] });
    }
  });

  it('merges when told how; a merge that throws loses nothing', async () => {
    let isBroken = true;
    const pool = world.pool({
      ...writeBack,
      merge: ({ theirs, mine }) => {
        if (isBroken) throw new Error('broken');
        return { count: theirs.count + mine.count };
      },
    });
    const there = await world.otherPool();
    await pool.create({ count: 0 }, { id: 'a' });
    await pool.update('a', { count: 1 });
    await there.update('a', { count: 100 });
    await expect(pool.flush()).rejects.toMatchObject({ code: 'SESSION_MERGE' });
    expect(pool.statistics().unwritten).toBe(1);
    isBroken = false;
    await pool.flush();
    await nextTurn();
    expect((await there.get('a'))?.value.count).toBe(101);
    expect(pool.statistics()).toMatchObject({ merged: 1, lost: 0 });
  });

  it('loses nothing that is too large together with what another process wrote', async () => {
    const pool = world.pool({ ...writeBack, maxSessionBytes: 100 * KIB });
    const there = await world.otherPool();
    await pool.create({ count: 0 }, { id: 'a' });
    await pool.append('a', [text]);
    await there.append('a', [text]);
    await expect(pool.flush()).rejects.toMatchObject({ code: 'SESSION_TOO_LARGE' });
    expect(pool.statistics()).toMatchObject({ unwritten: 1, lost: 0 });
    expect((await pool.get('a'))?.items).toEqual([text]);
    await there.update('a', { count: 7 }, { keepLast: 0 });
    await pool.flush();
    await nextTurn();
    expect(await there.get('a')).toMatchObject({ value: { count: 7 }, items: [text] });
  });

  it('does not pile up what was dropped again before it was written', async () => {
    const session = new LiveSession<null, string>({
      ...{ id: 'a', owner: null, version: 1, value: null, valueBytes: 4, items: [], itemsBytes: 0, createdAtMs: 0 },
      ...{ ttlMs: 1, expiresAtMs: 1, nowMs: 0, deadlineMs: 1, mark: null, isPacked: false },
    });
    for (let turn = 0; turn < 50; turn++) {
      const change = { append: { bytes: new Uint8Array(4), value: [`${turn}`] }, keepLast: 2 };
      session.noteUnwritten(change);
      session.adopt(change, turn + 2);
    }
    expect(session.items).toEqual(['48', '49']);
    expect(session.unwritten?.append).toEqual(['48', '49']);
  });

  it('tells when another process has destroyed what was changed', async () => {
    const pool = world.pool(writeBack);
    const there = await world.otherPool();
    await pool.create({ count: 0 }, { id: 'a' });
    await pool.update('a', { count: 1 });
    await there.destroy('a');
    await pool.flush();
    expect(world.eventsOf('sessions.write_lost')).toMatchObject([{ expectedVersion: 1, actualVersion: null }]);
    expect(await pool.get('a')).toBeNull();
  });
});

describe('compression', () => {
  it('makes idle sessions smaller on the disk, and they come back as they were', async () => {
    const pool = world.pool({ compressAboveBytes: 10 * KIB });
    await pool.create({ count: 1, text }, { id: 'large', items: [text, 'y'] });
    await pool.create({ count: 1 }, { id: 'small' });
    const { bytes } = await pool.totals();
    await world.clock.advance(31 * MINUTE_MS);
    await vi.waitFor(() => expect(pool.statistics().live).toBe(0));
    expect((await pool.totals()).bytes).toBeLessThan(bytes / 50);
    expect(await pool.get('large')).toMatchObject({ version: 1, value: { text }, items: [text, 'y'] });
    await pool.append('large', ['z']);
    await world.budget.reclaim({ targetBytes: MIB });
    expect((await pool.get('large'))?.items).toEqual([text, 'y', 'z']);
  });
});
