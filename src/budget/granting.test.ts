import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { ScriptedConsumer } from '../testing/scripted-consumer.ts';
import { Budget } from './budget.ts';

let clock: ManualClock;
let budget: Budget;

beforeEach(() => {
  clock = new ManualClock();
  budget = new Budget({ name: 'node', limitBytes: 1_000, clock });
});

afterEach(() => {
  budget.close();
  expect(budget.reservedBytes).toBe(0);
  expect(budget.minimumsBytes).toBe(0);
  expect(clock.pendingTimers).toBe(0);
});

const withCode = (code: string) => expect.objectContaining({ code });

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

  it('nor one that has to wait again because its minimum went to somebody younger', async () => {
    const tenant = budget.child({ name: 'tenant', limitBytes: 200, minBytes: 100 });
    const inside = new ScriptedConsumer(tenant, { name: 'inside', bytes: 80, onReclaim: () => 0 });
    const outside = new ScriptedConsumer(budget, { name: 'outside', bytes: 880, onReclaim: () => 0 });
    const older = inside.registration.reserve().grow(120, { timeoutMs: 1_000 });
    const within = inside.registration.reserve().grow(30);
    const behind = outside.registration.reserve().grow(15);
    inside.reservation.shrink(15);
    await Promise.all([within, behind]);
    expect([tenant.reservedBytes, outside.registration.reservedBytes]).toEqual([95, 895]);
    const refused = expect(older).rejects.toThrow(withCode('BUDGET_EXCEEDED'));
    await clock.advance(1_000);
    await refused;
  });

  it('nor one that a newcomer’s minimum holds up', async () => {
    const tenant = budget.child({ name: 'tenant', limitBytes: 200 });
    const inside = new ScriptedConsumer(tenant, { name: 'inside', onReclaim: () => 0 });
    const outside = new ScriptedConsumer(budget, { name: 'outside', bytes: 850, onReclaim: () => 0 });
    const older = inside.reservation.grow(200, { timeoutMs: 1_000 });
    const younger = outside.registration.reserve().grow(50);
    new ScriptedConsumer(tenant, { name: 'newcomer', minBytes: 10 });
    await younger;
    const refused = expect(older).rejects.toThrow(withCode('BUDGET_EXCEEDED'));
    await clock.advance(1_000);
    await refused;
  });

  it('serves claims on a minimum in order of age too', async () => {
    const pinned = new ScriptedConsumer(budget, { name: 'pinned', bytes: 800, onReclaim: () => 0 });
    const safe = new ScriptedConsumer(budget, { name: 'safe', minBytes: 200 });
    budget.setLimit(850);
    const older = safe.reservation.grow(60);
    const order: string[] = [];
    const waits = [
      older.then(() => order.push('older')),
      safe.registration
        .reserve()
        .grow(40)
        .then(() => order.push('younger')),
    ];
    expect(safe.registration.reserve().tryGrow(1)).toBe(false);
    pinned.reservation.shrink(5);
    await clock.advance(0);
    expect(order).toEqual([]);
    pinned.reservation.shrink(5);
    await clock.advance(0);
    expect(order).toEqual(['older']);
    pinned.reservation.shrink(790);
    await Promise.all(waits);
  });

  it('grants no claim in a budget that is closing', async () => {
    const tenant = budget.child({ name: 'tenant', limitBytes: 500 });
    new ScriptedConsumer(tenant, { name: 'pinned', bytes: 300, onReclaim: () => 0 });
    const safe = new ScriptedConsumer(tenant, { name: 'safe', minBytes: 200 });
    tenant.setLimit(250);
    const claim = safe.reservation.grow(100);
    expect(tenant.close().leakedBytes).toBe(300);
    await expect(claim).rejects.toThrow(withCode('CLOSED'));
  });
});
