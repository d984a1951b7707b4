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
      grantCount: 1,
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
            grantCount: 1,
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
