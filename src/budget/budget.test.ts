import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { ScriptedConsumer } from '../testing/scripted-consumer.ts';
import { Budget } from './budget.ts';
import type { BudgetEvent } from './budget-events.ts';
import type { Consumer } from './consumer.ts';

const plainConsumer: Consumer = {
  name: 'plain',
  where: 'heap',
  priority: 5,
  weight: 1,
  minBytes: 0,
  reclaimableBytes: () => 0,
  reclaim: () => 0,
};

let clock: ManualClock;
let budget: Budget;
let events: BudgetEvent[];

beforeEach(() => {
  clock = new ManualClock();
  events = [];
  budget = new Budget({ name: 'node', limitBytes: 1_000, clock, emit: (event) => events.push(event) });
});

afterEach(() => {
  budget.close();
  expect(budget.reservedBytes).toBe(0);
  expect(budget.minimumsBytes).toBe(0);
  expect(clock.pendingTimers).toBe(0);
});

const withCode = (code: string) => expect.objectContaining({ code });

describe('a root', () => {
  it('has sensible defaults', () => {
    using plain = new Budget({ limitBytes: 10 });
    expect(plain).toMatchObject({
      name: 'budget',
      path: 'budget',
      limitBytes: 10,
      reservedBytes: 0,
      availableBytes: 10,
    });
    expect(plain).toMatchObject({ excessBytes: 0, minimumsBytes: 0, peakBytes: 0, grantCount: 0 });
  });

  it.each([
    { limitBytes: -1 },
    { limitBytes: 1.5 },
    { limitBytes: Number.NaN },
    { limitBytes: 2 ** 53 },
    { limitBytes: 10, name: '' },
    { limitBytes: 10, name: 'a/b' },
    { limitBytes: 10, name: 'x'.repeat(129) },
    { limitBytes: 10, regrowthBytesPerSecond: 0 },
    { limitBytes: 10, regrowthBytesPerSecond: Number.NaN },
  ])('is refused with %o', (options) => {
    expect(() => new Budget(options)).toThrow(withCode('INVALID_ARGUMENT'));
  });
});

describe('a child', () => {
  it('counts in every budget above it and has the tightest limit', () => {
    const outer = budget.child({ name: 'outer', limitBytes: 5_000 });
    const inner = outer.child({ name: 'inner', limitBytes: 300 });
    new ScriptedConsumer(inner, { name: 'cache', bytes: 200 });
    expect(inner.path).toBe('node/outer/inner');
    expect([inner.limitBytes, outer.limitBytes]).toEqual([300, 1_000]);
    expect([inner.reservedBytes, outer.reservedBytes, budget.reservedBytes]).toEqual([200, 200, 200]);
    expect([inner.availableBytes, outer.availableBytes, budget.availableBytes]).toEqual([100, 800, 800]);
  });

  it('may have its name again once it is closed', () => {
    budget.child({ name: 'tenant' }).close();
    const again = budget.child({ name: 'tenant' });
    expect(() => budget.child({ name: 'tenant' })).toThrow(withCode('BUDGET_NAME_TAKEN'));
    expect(() => new ScriptedConsumer(budget, { name: 'tenant' })).toThrow(withCode('BUDGET_NAME_TAKEN'));
    again.close();
    new ScriptedConsumer(budget, { name: 'tenant' });
  });

  it.each([
    { name: 'x', minBytes: -1 },
    { name: 'x', limitBytes: 0.5 },
    { name: 'x', weight: 0 },
    { name: 'x', weight: Number.POSITIVE_INFINITY },
    { name: 5 as unknown as string },
  ])('is refused with %o, and leaves nothing behind', (options) => {
    expect(() => budget.child(options)).toThrow(withCode('INVALID_ARGUMENT'));
    expect(budget.snapshot().children).toEqual([]);
  });
});

describe('a consumer', () => {
  it.each([
    { name: '' },
    { priority: 11 },
    { priority: -1 },
    { priority: 0.5 },
    { priority: Number.NaN },
    { weight: -1 },
    { weight: Number.NaN },
    { minBytes: -5 },
    { maxBytes: Number.NaN },
    { reclaim: undefined as unknown as Consumer['reclaim'] },
    { reclaimableBytes: 7 as unknown as Consumer['reclaimableBytes'] },
  ])('is refused with %o, and leaves nothing behind', (fields) => {
    expect(() => budget.register({ ...plainConsumer, ...fields })).toThrow(withCode('INVALID_ARGUMENT'));
    expect(budget.snapshot().consumers).toEqual([]);
  });

  it('knows its place', () => {
    const registration = budget.child({ name: 'tenant' }).register(plainConsumer);
    expect(registration).toMatchObject({
      name: 'plain',
      path: 'node/tenant/plain',
      reservedBytes: 0,
      peakBytes: 0,
      grantCount: 0,
    });
  });
});

describe('minimums', () => {
  it('are set aside from registration on, and had without waiting', () => {
    const greedy = new ScriptedConsumer(budget, { name: 'greedy' });
    const safe = new ScriptedConsumer(budget, { name: 'safe', minBytes: 300 });
    expect(greedy.reservation.tryGrow(701)).toBe(false);
    expect(greedy.reservation.tryGrow(700)).toBe(true);
    expect(budget.availableBytes).toBe(0);
    expect(safe.reservation.tryGrow(300)).toBe(true);
    expect(safe.reservation.tryGrow(1)).toBe(false);
    expect(budget.reservedBytes).toBe(1_000);
  });

  it('of a budget are shared by those under it', () => {
    const tenant = budget.child({ name: 'tenant', minBytes: 300 });
    const other = new ScriptedConsumer(budget, { name: 'other', bytes: 700 });
    const a = new ScriptedConsumer(tenant, { name: 'a', minBytes: 100 });
    const b = new ScriptedConsumer(tenant, { name: 'b' });
    expect(tenant.availableBytes).toBe(200);
    expect(b.reservation.tryGrow(201)).toBe(false);
    expect(b.reservation.tryGrow(200)).toBe(true);
    expect(a.reservation.tryGrow(100)).toBe(true);
    expect(other.bytes + tenant.reservedBytes).toBe(1_000);
  });

  it('may not add up to more than any limit above', () => {
    const tenant = budget.child({ name: 'tenant', limitBytes: 500, minBytes: 200 });
    expect(budget.minimumsBytes).toBe(200);
    new ScriptedConsumer(tenant, { name: 'a', minBytes: 400 });
    expect(budget.minimumsBytes).toBe(400);
    const code = 'BUDGET_MINIMUMS';
    expect(() => new ScriptedConsumer(tenant, { name: 'b', minBytes: 101 })).toThrow(
      expect.objectContaining({ code, details: { path: 'node/tenant', minimumsBytes: 501, limitBytes: 500 } }),
    );
    expect(() => budget.child({ name: 'c', minBytes: 601 })).toThrow(
      expect.objectContaining({ code, details: { path: 'node', minimumsBytes: 1_001, limitBytes: 1_000 } }),
    );
    expect(() => new ScriptedConsumer(budget, { name: 'd', minBytes: 10, maxBytes: 9 })).toThrow(withCode(code));
    expect(budget.minimumsBytes).toBe(400);
  });

  it('are given up at close', () => {
    const safe = new ScriptedConsumer(budget, { name: 'safe', minBytes: 300 });
    const greedy = new ScriptedConsumer(budget, { name: 'greedy', bytes: 700 });
    expect(greedy.reservation.tryGrow(1)).toBe(false);
    safe.registration.close();
    expect(greedy.reservation.tryGrow(300)).toBe(true);
  });

  it('of a newcomer stop the growth of others until they have made room, and are had through reclaim', async () => {
    const cache = new ScriptedConsumer(budget, { name: 'cache', bytes: 900 });
    const late = new ScriptedConsumer(budget, { name: 'late', minBytes: 400 });
    expect(budget.excessBytes).toBe(300);
    expect(late.reservation.tryGrow(100)).toBe(true);
    cache.reservation.shrink(50);
    expect(cache.reservation.tryGrow(1)).toBe(false);
    await late.reservation.grow(300);
    expect([late.bytes, cache.bytes]).toEqual([400, 600]);
  });
});

describe('setLimit', () => {
  it('lets nothing grow until reclaim has caught up', async () => {
    const cache = new ScriptedConsumer(budget, { name: 'cache', bytes: 800 });
    const other = new ScriptedConsumer(budget, { name: 'other' });
    budget.setLimit(600);
    expect(budget.excessBytes).toBe(200);
    expect(budget.availableBytes).toBe(0);
    expect(other.reservation.tryGrow(1)).toBe(false);
    const outcome = await budget.reclaim({ targetBytes: budget.excessBytes });
    expect(outcome.accountedBytes).toBe(200);
    expect(cache.bytes).toBe(600);
    expect(other.reservation.tryGrow(1)).toBe(false);
    cache.reservation.shrink(1);
    expect(other.reservation.tryGrow(1)).toBe(true);
  });

  it('serves those who wait when it rises', async () => {
    new ScriptedConsumer(budget, { name: 'full', bytes: 1_000, onReclaim: () => 0 });
    const late = new ScriptedConsumer(budget, { name: 'late' });
    const granted = late.reservation.grow(100);
    budget.setLimit(1_100);
    await granted;
    expect(late.bytes).toBe(100);
  });

  it('does not go below the minimums, nor take what is no size', () => {
    new ScriptedConsumer(budget, { name: 'safe', minBytes: 300 });
    expect(() => budget.setLimit(299)).toThrow(withCode('BUDGET_MINIMUMS'));
    expect(() => budget.setLimit(Number.NaN)).toThrow(withCode('INVALID_ARGUMENT'));
    expect(budget.limitBytes).toBe(1_000);
    budget.setLimit(budget.minimumsBytes);
    expect(budget.limitBytes).toBe(300);
  });

  it('lets claims on a minimum through first, as far as the limit goes', async () => {
    const pinned = new ScriptedConsumer(budget, { name: 'pinned', bytes: 700, onReclaim: () => 0 });
    const safe = new ScriptedConsumer(budget, { name: 'safe', minBytes: 300 });
    const other = new ScriptedConsumer(budget, { name: 'other' });
    budget.setLimit(900);
    const order: string[] = [];
    const waits = [
      other.reservation.grow(50).then(() => order.push('other')),
      safe.reservation.grow(250).then(() => order.push('safe')),
    ];
    expect(safe.registration.reserve().tryGrow(1)).toBe(false);
    pinned.reservation.shrink(50);
    await clock.advance(0);
    expect(order).toEqual(['safe']);
    pinned.reservation.shrink(650);
    await clock.advance(60_000);
    await Promise.all(waits);
    expect(order).toEqual(['safe', 'other']);
  });
});

describe('fairness', () => {
  it('lets a tenant over its own limit hold up nobody else', async () => {
    const tenant = budget.child({ name: 'tenant', limitBytes: 200 });
    const inside = new ScriptedConsumer(tenant, { name: 'inside', bytes: 200, onReclaim: () => 0 });
    const waiting = inside.registration.reserve().grow(100);
    const outside = new ScriptedConsumer(budget, { name: 'outside' });
    expect(outside.reservation.tryGrow(800)).toBe(true);
    outside.reservation.shrink(800);
    inside.reservation.shrink(100);
    await waiting;
    expect(tenant.reservedBytes).toBe(200);
  });

  it('keeps the age of one that has to wait a second time, further up', async () => {
    const tenant = budget.child({ name: 'tenant', limitBytes: 200 });
    const inside = new ScriptedConsumer(tenant, { name: 'inside', bytes: 200, onReclaim: () => 0 });
    const outside = new ScriptedConsumer(budget, { name: 'outside', bytes: 800, onReclaim: () => 0 });
    const order: string[] = [];
    const waits = [
      inside.registration
        .reserve()
        .grow(200)
        .then(() => order.push('older, held up by its tenant')),
      outside.registration
        .reserve()
        .grow(300)
        .then(() => order.push('younger')),
    ];
    outside.reservation.shrink(200);
    await clock.advance(0);
    expect(order).toEqual([]);
    inside.reservation.shrink(200);
    await clock.advance(0);
    expect(order).toEqual(['older, held up by its tenant']);
    outside.reservation.shrink(600);
    await Promise.all(waits);
  });

  it('does not let one that its minimum holds up stand in the way of others', async () => {
    const tenant = budget.child({ name: 'tenant', limitBytes: 200, minBytes: 40 });
    const inside = new ScriptedConsumer(tenant, { name: 'inside', onReclaim: () => 0 });
    const outside = new ScriptedConsumer(budget, { name: 'outside', bytes: 900, onReclaim: () => 0 });
    const older = inside.registration.reserve().grow(180);
    const younger = outside.registration.reserve().grow(50);
    expect(inside.reservation.tryGrow(30)).toBe(true);
    await younger;
    inside.reservation.shrink(30);
    outside.reservation.shrink(130);
    await older;
    expect(tenant.reservedBytes).toBe(180);
  });
});

describe('snapshot', () => {
  it('shows the tree as data', () => {
    const tenant = budget.child({ name: 'tenant', limitBytes: 500 });
    new ScriptedConsumer(tenant, {
      name: 'cache',
      bytes: 120,
      minBytes: 20,
      maxBytes: 400,
      idleBytes: 500,
      priority: 8,
    });
    const reclaimableBytes = () => {
      throw new Error('no word');
    };
    budget.register({ ...plainConsumer, name: 'liar', where: 'native', priority: 3, reclaimableBytes });
    const snapshot = budget.snapshot();
    expect(JSON.parse(JSON.stringify(snapshot))).toEqual({
      name: 'node',
      path: 'node',
      limitBytes: 1_000,
      reservedBytes: 120,
      availableBytes: 880,
      peakBytes: 120,
      consumers: [
        {
          ...{ name: 'liar', path: 'node/liar', where: 'native', priority: 3, bytes: 0, peakBytes: 0, minBytes: 0 },
          ...{ reclaimableBytes: 0, idleBytes: 0, yieldRatio: 1, grants: 0 },
        },
      ],
      children: [
        {
          ...{
            name: 'tenant',
            path: 'node/tenant',
            limitBytes: 500,
            reservedBytes: 120,
            availableBytes: 380,
            peakBytes: 120,
          },
          children: [],
          consumers: [
            {
              ...{ name: 'cache', path: 'node/tenant/cache', where: 'heap', priority: 8, bytes: 120, peakBytes: 120 },
              ...{ minBytes: 20, maxBytes: 400, reclaimableBytes: 100, idleBytes: 100, yieldRatio: 1, grants: 1 },
            },
          ],
        },
      ],
    });
    expect(events).toEqual([]);
  });
});

describe('close', () => {
  it('reports what was left, by event and in return, and takes it off the books', () => {
    const tenant = budget.child({ name: 'tenant' });
    const leaky = new ScriptedConsumer(tenant, { name: 'leaky', bytes: 70 });
    leaky.registration.reserve().tryGrow(30);
    new ScriptedConsumer(budget, { name: 'tidy' });
    const report = budget.close();
    expect(report).toEqual({
      path: 'node',
      leakedBytes: 100,
      leaks: [{ path: 'node/tenant/leaky', bytes: 100, reservations: 2 }],
    });
    expect(events).toEqual([
      { type: 'budget.leaked', atMs: clock.nowMs(), path: 'node/tenant/leaky', bytes: 100, reservations: 2 },
    ]);
    expect(budget.close()).toEqual({ path: 'node', leakedBytes: 0, leaks: [] });
    expect(leaky.reservation.bytes).toBe(0);
  });

  it('ends the use of everything under it', async () => {
    const tenant = budget.child({ name: 'tenant' });
    const { registration, reservation } = new ScriptedConsumer(tenant, { name: 'cache' });
    tenant.close();
    const closed = withCode('CLOSED');
    expect(() => tenant.child({ name: 'x' })).toThrow(closed);
    expect(() => tenant.setLimit(5)).toThrow(closed);
    await expect(tenant.reclaim({ targetBytes: 5 })).rejects.toThrow(closed);
    expect(() => new ScriptedConsumer(tenant, { name: 'y' })).toThrow(closed);
    expect(() => registration.reserve()).toThrow(closed);
    expect(() => reservation.tryGrow(1)).toThrow(closed);
    expect(registration.close()).toBeNull();
    expect(budget.snapshot().children).toEqual([]);
  });

  it('serves others with what it frees, but nobody under it', async () => {
    const tenant = budget.child({ name: 'tenant' });
    const holder = new ScriptedConsumer(tenant, { name: 'holder', bytes: 1_000, onReclaim: () => 0 });
    const inside = new ScriptedConsumer(tenant, { name: 'inside' });
    const outside = new ScriptedConsumer(budget, { name: 'outside' });
    const refused = [holder.registration.reserve().grow(1), inside.reservation.grow(1)];
    const served = outside.reservation.grow(1_000);
    tenant.close();
    await served;
    expect(outside.bytes).toBe(1_000);
    for (const each of refused) await expect(each).rejects.toThrow(withCode('CLOSED'));
  });

  it('is what using does', () => {
    const inner = budget.child({ name: 'inner' });
    {
      using closing = inner;
      using registration = closing.register(plainConsumer);
      registration.reserve().tryGrow(5);
    }
    expect(events.map((event) => event.type)).toEqual(['budget.leaked']);
    expect(() => inner.child({ name: 'x' })).toThrow(withCode('CLOSED'));
  });
});
