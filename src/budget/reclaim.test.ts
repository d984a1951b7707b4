import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MIB } from '../base/bytes.ts';
import { wait } from '../base/clock.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { ScriptedConsumer } from '../testing/scripted-consumer.ts';
import { Budget } from './budget.ts';
import type { BudgetEvent } from './budget-events.ts';

let clock: ManualClock;
let budget: Budget;
let events: BudgetEvent[];

beforeEach(() => {
  clock = new ManualClock();
  events = [];
  const emit = (event: BudgetEvent) => events.push(event);
  budget = new Budget({
    name: 'node',
    limitBytes: 1_000 * MIB,
    clock,
    emit,
    regrowthBytesPerSecond: Number.POSITIVE_INFINITY,
  });
});

afterEach(() => {
  budget.close();
  expect(budget.reservedBytes).toBe(0);
  expect(clock.pendingTimers).toBe(0);
});

const failures = () => events.filter((event) => event.type === 'budget.consumer_failed');

describe('reclaim', () => {
  it('asks in the order of the plan and stops when enough has come', async () => {
    const cheap = new ScriptedConsumer(budget, { name: 'cheap', priority: 9, bytes: 10 * MIB });
    const dear = new ScriptedConsumer(budget, { name: 'dear', priority: 3, bytes: 100 * MIB });
    const spared = new ScriptedConsumer(budget, { name: 'spared', priority: 1, bytes: 100 * MIB });
    const outcome = await budget.reclaim({ targetBytes: 30 * MIB, level: 'high' });
    expect(outcome).toEqual({
      ...{ path: 'node', level: 'high', targetBytes: 30 * MIB, claimedBytes: 30 * MIB, accountedBytes: 30 * MIB },
      ...{ residentDropBytes: null, tookMs: 0, end: 'reached' },
      answers: [
        { path: 'node/cheap', askedBytes: 10 * MIB, claimedBytes: 10 * MIB, accountedBytes: 10 * MIB, tookMs: 0 },
        { path: 'node/dear', askedBytes: 20 * MIB, claimedBytes: 20 * MIB, accountedBytes: 20 * MIB, tookMs: 0 },
      ],
    });
    expect(cheap.requests).toMatchObject([{ targetBytes: 10 * MIB, level: 'high' }]);
    expect([cheap.bytes, dear.bytes, spared.bytes]).toEqual([0, 80 * MIB, 100 * MIB]);
    expect(events).toEqual([
      {
        ...{
          type: 'budget.reclaimed',
          atMs: clock.nowMs(),
          path: 'node',
          cause: 'request',
          level: 'high',
          end: 'reached',
          tookMs: 0,
        },
        ...{
          targetBytes: 30 * MIB,
          claimedBytes: 30 * MIB,
          accountedBytes: 30 * MIB,
          asked: ['node/cheap', 'node/dear'],
        },
      },
    ]);
  });

  it('takes idle bytes of the last resort before live ones of the first', async () => {
    const sessions = new ScriptedConsumer(budget, {
      name: 'sessions',
      priority: 0,
      bytes: 20 * MIB,
      idleBytes: 5 * MIB,
    });
    const cache = new ScriptedConsumer(budget, { name: 'cache', priority: 10, bytes: 20 * MIB, usedBytes: 17 * MIB });
    await budget.reclaim({ targetBytes: 10 * MIB });
    expect([sessions.bytes, cache.bytes]).toEqual([15 * MIB, 15 * MIB]);
    expect([sessions, cache].map(({ requests }) => requests.map((request) => request.targetBytes / MIB))).toEqual([
      [5],
      [3, 2],
    ]);
  });

  it('asks nobody below its minimum, and no budget below its own', async () => {
    const tenant = budget.child({ name: 'tenant', minBytes: 15 * MIB });
    const inside = new ScriptedConsumer(tenant, { name: 'inside', bytes: 20 * MIB, minBytes: 2 * MIB });
    const other = new ScriptedConsumer(budget, { name: 'other', bytes: 20 * MIB, minBytes: 12 * MIB });
    const outcome = await budget.reclaim({ targetBytes: 500 * MIB });
    expect([inside.bytes, other.bytes]).toEqual([15 * MIB, 12 * MIB]);
    expect(outcome).toMatchObject({ end: 'exhausted', accountedBytes: 13 * MIB });
    const within = await tenant.reclaim({ targetBytes: 500 * MIB });
    expect(inside.bytes).toBe(2 * MIB);
    expect(within).toMatchObject({ path: 'node/tenant', accountedBytes: 13 * MIB });
  });

  it('asks for no more than a consumer can still spare when its turn comes', async () => {
    const second = new ScriptedConsumer(budget, { name: 'second', priority: 5, bytes: 50 * MIB, minBytes: 10 * MIB });
    const first = new ScriptedConsumer(budget, { name: 'first', priority: 9, bytes: 10 * MIB });
    first.onReclaim = ({ targetBytes }) => {
      second.reservation.shrink(35 * MIB);
      return first.give(targetBytes);
    };
    await budget.reclaim({ targetBytes: 40 * MIB });
    expect(second.requests).toMatchObject([{ targetBytes: 5 * MIB }]);
    expect(second.bytes).toBe(10 * MIB);
  });

  it('makes up with others for what one withholds, and asks it later for more', async () => {
    const stingy = new ScriptedConsumer(budget, { name: 'stingy', priority: 9, bytes: 100 * MIB });
    stingy.onReclaim = ({ targetBytes }) => stingy.give(targetBytes / 2);
    const other = new ScriptedConsumer(budget, { name: 'other', priority: 5, bytes: 100 * MIB });
    const outcome = await budget.reclaim({ targetBytes: 20 * MIB });
    expect(outcome).toMatchObject({ end: 'reached', accountedBytes: 20 * MIB });
    expect([stingy.bytes, other.bytes]).toEqual([90 * MIB, 90 * MIB]);
    expect(failures()).toEqual([]);
    expect(budget.snapshot().consumers[0]).toMatchObject({ name: 'stingy', yieldRatio: 0.85 });
    await budget.reclaim({ targetBytes: 10 * MIB });
    expect(stingy.requests.at(-1)?.targetBytes).toBe(Math.ceil((10 * MIB) / 0.85));
  });

  it('gives each time enough to write to a disk, however many are still to be asked', async () => {
    const spiller = new ScriptedConsumer(budget, { name: 'spiller', priority: 10, bytes: 2 * MIB });
    spiller.onReclaim = ({ targetBytes }) => wait(clock, 60).then(() => spiller.give(targetBytes));
    for (let index = 0; index < 200; index++) new ScriptedConsumer(budget, { name: `c${index}`, bytes: MIB });
    const outcome = budget.reclaim({ targetBytes: 100 * MIB });
    await clock.advance(60);
    expect(await outcome).toMatchObject({ end: 'reached', accountedBytes: 100 * MIB });
    expect(failures()).toEqual([]);
  });

  it('says what kind of bytes is wanted', async () => {
    const cache = new ScriptedConsumer(budget, { bytes: 10 * MIB, idleBytes: MIB, usedBytes: 8 * MIB });
    await budget.reclaim({ targetBytes: 4 * MIB });
    expect(cache.requests.map(({ kind, targetBytes }) => [kind, targetBytes / MIB])).toEqual([
      ['idle', 1],
      ['unused', 2],
      ['live', 1],
    ]);
  });

  it('asks only where the bytes live that are wanted', async () => {
    const slab = new ScriptedConsumer(budget, { name: 'vectors', where: 'slab', priority: 10, bytes: 50 * MIB });
    const heap = new ScriptedConsumer(budget, { name: 'objects', where: 'heap', bytes: 50 * MIB });
    expect(budget.reservedByResidence).toEqual({ heap: 50 * MIB, slab: 50 * MIB, native: 0, 'disk-cache': 0 });
    const outcome = await budget.reclaim({ targetBytes: 60 * MIB, where: ['heap'] });
    expect(outcome).toMatchObject({ end: 'exhausted', accountedBytes: 50 * MIB });
    expect([slab.bytes, heap.bytes]).toEqual([50 * MIB, 0]);
    expect(budget.reservedByResidence).toMatchObject({ heap: 0, slab: 50 * MIB });
  });

  it('asks one that gives in pieces for whole ones, and blames it for none', async () => {
    const index = new ScriptedConsumer(budget, { name: 'index', bytes: 128 * MIB, pieceBytes: 64 * MIB });
    index.onReclaim = ({ targetBytes }) => index.give(Math.ceil(targetBytes / (64 * MIB)) * 64 * MIB);
    expect(await budget.reclaim({ targetBytes: 4 * MIB })).toMatchObject({ accountedBytes: 64 * MIB });
    expect(failures()).toEqual([]);
  });

  it('asks those who broke their word too at critical, when the others have nothing left', async () => {
    const doubted = new ScriptedConsumer(budget, { name: 'doubted', bytes: 50 * MIB, priority: 10 });
    doubted.onReclaim = () => Number.NaN;
    await budget.reclaim({ targetBytes: MIB });
    doubted.onReclaim = ({ targetBytes }) => doubted.give(targetBytes);
    const trusted = new ScriptedConsumer(budget, { name: 'trusted', bytes: 10 * MIB });
    expect(await budget.reclaim({ targetBytes: 5 * MIB, level: 'high' })).toMatchObject({ accountedBytes: 5 * MIB });
    expect(await budget.reclaim({ targetBytes: 20 * MIB, level: 'high' })).toMatchObject({ accountedBytes: 5 * MIB });
    const outcome = await budget.reclaim({ targetBytes: 20 * MIB, level: 'critical' });
    expect(outcome.end).toBe('reached');
    expect(doubted.bytes).toBeLessThanOrEqual(30 * MIB);
    expect(trusted.bytes).toBe(0);
  });

  it('tells when there is nobody to ask', async () => {
    const outcome = await budget.reclaim({ targetBytes: 1 });
    expect(outcome).toMatchObject({ end: 'exhausted', accountedBytes: 0, answers: [] });
    expect(events).toMatchObject([{ type: 'budget.reclaimed', end: 'exhausted', asked: [] }]);
    expect(await budget.reclaim({ targetBytes: 0 })).toMatchObject({ end: 'reached' });
    expect(events).toHaveLength(1);
  });

  it.each([
    { targetBytes: -1 },
    { targetBytes: Number.NaN },
    { targetBytes: 1, deadlineMs: -1 },
    { targetBytes: 1, level: 'panic' as 'high' },
  ])('rejects %o', async (options) => {
    await expect(budget.reclaim(options)).rejects.toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('a consumer that is being asked', () => {
  it('cannot grow within the call: refused clearly, without deadlock', async () => {
    const eager = new ScriptedConsumer(budget, { name: 'eager', bytes: 50 * MIB });
    const refusals: unknown[] = [];
    eager.onReclaim = ({ targetBytes }) => {
      refusals.push(eager.reservation.tryGrow(1));
      eager.reservation.grow(1).catch((error: unknown) => refusals.push(error));
      return eager.give(targetBytes);
    };
    const outcome = await budget.reclaim({ targetBytes: 10 * MIB });
    const reentry = expect.objectContaining({ code: 'BUDGET_REENTRY', details: { path: 'node/eager' } });
    expect(refusals).toEqual([false, reentry]);
    expect(outcome).toMatchObject({ end: 'reached', accountedBytes: 10 * MIB });
    expect(eager.reservation.tryGrow(1)).toBe(true);
  });

  it('and takes its time lets its own requests wait for its answer, and those of others pass', async () => {
    const spiller = new ScriptedConsumer(budget, { name: 'spiller', bytes: 50 * MIB });
    const other = new ScriptedConsumer(budget, { name: 'other' });
    spiller.onReclaim = ({ targetBytes, signal }) => wait(clock, 80, signal).then(() => spiller.give(targetBytes));
    const outcome = budget.reclaim({ targetBytes: 10 * MIB });
    await clock.advance(10);
    const granted: string[] = [];
    const grown = spiller.registration
      .reserve()
      .grow(MIB)
      .then(() => granted.push('spiller'));
    await other.reservation.grow(MIB).then(() => granted.push('other'));
    expect(spiller.reservation.tryGrow(1)).toBe(false);
    await clock.advance(60);
    expect(granted).toEqual(['other']);
    await clock.advance(10);
    await grown;
    expect(await outcome).toMatchObject({ end: 'reached', accountedBytes: 10 * MIB });
    expect(failures()).toEqual([]);
  });

  it('and waits for others in vain is cut off by its time', async () => {
    const full = new ScriptedConsumer(budget, { name: 'full', bytes: 900 * MIB, onReclaim: () => 0 });
    const spiller = new ScriptedConsumer(budget, { name: 'spiller', priority: 9, bytes: 100 * MIB });
    const buffer = new ScriptedConsumer(budget, { name: 'buffer', priority: 9 });
    spiller.onReclaim = async ({ targetBytes }) => {
      await buffer.reservation.grow(MIB, { timeoutMs: 5_000 });
      return spiller.give(targetBytes);
    };
    const outcome = budget.reclaim({ targetBytes: 10 * MIB, deadlineMs: 200 });
    await clock.advance(6_000);
    expect(await outcome).toMatchObject({ accountedBytes: 0 });
    expect(failures()[0]).toMatchObject({ path: 'node/spiller', failure: 'hung' });
    expect(full.bytes).toBe(900 * MIB);
  });

  it('is asked by nobody else at the same time', async () => {
    const slow = new ScriptedConsumer(budget, { name: 'slow', priority: 9, bytes: 50 * MIB });
    slow.onReclaim = ({ targetBytes, signal }) => wait(clock, 50, signal).then(() => slow.give(targetBytes));
    const quick = new ScriptedConsumer(budget, { name: 'quick', bytes: 50 * MIB });
    const first = budget.reclaim({ targetBytes: 10 * MIB });
    const second = await budget.reclaim({ targetBytes: 10 * MIB });
    expect(second.answers.map((answer) => answer.path)).toEqual(['node/quick']);
    await clock.advance(50);
    expect((await first).answers.map((answer) => answer.path)).toEqual(['node/slow']);
    expect([slow.bytes, quick.bytes]).toEqual([40 * MIB, 40 * MIB]);
  });

  it('may be closed meanwhile', async () => {
    const slow = new ScriptedConsumer(budget, { name: 'slow', priority: 9, bytes: 50 * MIB });
    slow.onReclaim = ({ targetBytes, signal }) => wait(clock, 50, signal).then(() => slow.give(targetBytes));
    const outcome = budget.reclaim({ targetBytes: 10 * MIB });
    expect(slow.registration.close()).toMatchObject({ bytes: 50 * MIB });
    await clock.advance(2_000);
    expect((await outcome).end).toBe('reached');
    expect(failures()).toEqual([]);
  });
});

describe('calling off', () => {
  it('by signal ends the asking at once, and blames nobody', async () => {
    const controller = new AbortController();
    const slow = new ScriptedConsumer(budget, { name: 'slow', bytes: 50 * MIB });
    slow.onReclaim = () => new Promise(() => {});
    const outcome = budget.reclaim({ targetBytes: 10 * MIB, signal: controller.signal });
    controller.abort(new Error('enough'));
    expect(await outcome).toMatchObject({ end: 'aborted', accountedBytes: 0 });
    expect(slow.requests[0]?.signal.reason).toMatchObject({ message: 'enough' });
    expect(failures()).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
    await expect(budget.reclaim({ targetBytes: 1, signal: controller.signal })).rejects.toThrow('enough');
  });

  it('from within the asked consumer works too', async () => {
    const controller = new AbortController();
    const slow = new ScriptedConsumer(budget, { name: 'slow', bytes: 50 * MIB });
    slow.onReclaim = () => {
      controller.abort(new Error('enough'));
      return new Promise(() => {});
    };
    expect(await budget.reclaim({ targetBytes: 10 * MIB, signal: controller.signal })).toMatchObject({
      end: 'aborted',
    });
  });

  it('by closing the root leaves nothing pending', async () => {
    const slow = new ScriptedConsumer(budget, { name: 'slow', bytes: 50 * MIB });
    slow.onReclaim = () => new Promise(() => {});
    const outcome = budget.reclaim({ targetBytes: 10 * MIB, level: 'critical' });
    expect(budget.close().leakedBytes).toBe(50 * MIB);
    expect((await outcome).end).toBe('aborted');
    expect(slow.requests[0]?.signal.reason).toMatchObject({ code: 'CLOSED' });
    expect(clock.pendingTimers).toBe(0);
  });
});
