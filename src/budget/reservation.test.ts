import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { ScriptedConsumer } from '../testing/scripted-consumer.ts';
import { Budget } from './budget.ts';
import { BudgetExceededError } from './budget-errors.ts';
import type { BudgetEvent } from './budget-events.ts';

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
  expect(clock.pendingTimers).toBe(0);
});

describe('tryGrow and shrink', () => {
  it('move the books of the consumer and of every budget above it', () => {
    const tenant = budget.child({ name: 'tenant', limitBytes: 600 });
    const { reservation, registration } = new ScriptedConsumer(tenant, { name: 'cache' });
    expect(reservation.tryGrow(500)).toBe(true);
    reservation.shrink(200);
    expect(reservation.bytes).toBe(300);
    for (const account of [registration, tenant, budget]) {
      expect(account.reservedBytes).toBe(300);
      expect(account.peakBytes).toBe(500);
      expect(account.grantCount).toBe(1);
    }
  });

  it('refuse what exceeds any limit on the path, and change nothing', () => {
    const tenant = budget.child({ name: 'tenant', limitBytes: 600 });
    const inner = new ScriptedConsumer(tenant, { name: 'inner', maxBytes: 400 });
    const other = new ScriptedConsumer(budget, { name: 'other', bytes: 700 });
    expect(inner.reservation.tryGrow(401)).toBe(false);
    expect(inner.reservation.tryGrow(301)).toBe(false);
    expect(inner.reservation.tryGrow(300)).toBe(true);
    expect(budget.reservedBytes).toBe(1_000);
    expect(other.reservation.tryGrow(1)).toBe(false);
    expect(events).toEqual([]);
  });

  it('take nothing for nothing', () => {
    const { reservation } = new ScriptedConsumer(budget, { bytes: 1_000 });
    expect(reservation.tryGrow(0)).toBe(true);
    reservation.shrink(0);
    expect(reservation.bytes).toBe(1_000);
  });

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '5' as unknown as number])(
    'reject %s as a size',
    async (size) => {
      const { reservation } = new ScriptedConsumer(budget, { bytes: 10 });
      const invalid = expect.objectContaining({ code: 'INVALID_ARGUMENT' });
      expect(() => reservation.tryGrow(size)).toThrow(invalid);
      expect(() => reservation.shrink(size)).toThrow(invalid);
      await expect(reservation.grow(size)).rejects.toThrow(invalid);
      expect(budget.reservedBytes).toBe(10);
    },
  );

  it('do not shrink by more than is held', () => {
    const { reservation } = new ScriptedConsumer(budget, { bytes: 10 });
    expect(() => reservation.shrink(11)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(reservation.bytes).toBe(10);
  });
});

describe('free', () => {
  it('gives everything back; freeing twice is an error, disposing twice is not', () => {
    const { registration } = new ScriptedConsumer(budget);
    const reservation = registration.reserve();
    reservation.tryGrow(100);
    reservation.free();
    expect(budget.reservedBytes).toBe(0);
    const closed = expect.objectContaining({ code: 'CLOSED' });
    expect(() => reservation.free()).toThrow(closed);
    expect(() => reservation.tryGrow(1)).toThrow(closed);
    expect(() => reservation.shrink(0)).toThrow(closed);
    reservation[Symbol.dispose]();
    expect(budget.reservedBytes).toBe(0);
  });

  it('happens at the end of a using block', () => {
    const { registration } = new ScriptedConsumer(budget);
    {
      using reservation = registration.reserve();
      reservation.tryGrow(100);
      expect(budget.reservedBytes).toBe(100);
    }
    expect(budget.reservedBytes).toBe(0);
  });

  it('rejects a grow that still waits', async () => {
    new ScriptedConsumer(budget, { name: 'full', bytes: 1_000, onReclaim: () => 0 });
    const { reservation } = new ScriptedConsumer(budget, { name: 'late' });
    const waiting = reservation.grow(1);
    reservation.free();
    await expect(waiting).rejects.toThrow(expect.objectContaining({ code: 'CLOSED' }));
    await expect(reservation.grow(1)).rejects.toThrow(expect.objectContaining({ code: 'CLOSED' }));
  });
});

describe('grow', () => {
  it('is granted at once where there is room', async () => {
    const { reservation } = new ScriptedConsumer(budget);
    await reservation.grow(1_000);
    expect(reservation.bytes).toBe(1_000);
    expect(clock.pendingTimers).toBe(0);
  });

  it('asks others for room', async () => {
    const cache = new ScriptedConsumer(budget, { name: 'cache', priority: 9, bytes: 900 });
    const { reservation } = new ScriptedConsumer(budget, { name: 'session' });
    await reservation.grow(300);
    expect(reservation.bytes).toBe(300);
    expect(cache.bytes).toBe(700);
    expect(events).toMatchObject([
      {
        type: 'budget.reclaimed',
        cause: 'growth',
        path: 'node',
        targetBytes: 200,
        accountedBytes: 200,
        asked: ['node/cache'],
      },
    ]);
  });

  it('never takes live bytes of a consumer that gives later than the one that asks', async () => {
    const sessions = new ScriptedConsumer(budget, { name: 'sessions', priority: 2, bytes: 1_000, idleBytes: 100 });
    const { reservation } = new ScriptedConsumer(budget, { name: 'scratch', priority: 9 });
    await reservation.grow(100);
    expect(sessions.bytes).toBe(900);
    const refused = expect(reservation.grow(1, { timeoutMs: 500 })).rejects.toThrow(BudgetExceededError);
    sessions.onReclaim = () => 0;
    await clock.advance(500);
    await refused;
    expect(sessions.bytes).toBe(900);
  });

  it('waits for bytes that come free, oldest first', async () => {
    const holder = new ScriptedConsumer(budget, { name: 'holder', bytes: 1_000, onReclaim: () => 0 });
    const order: string[] = [];
    const grow = async (name: string, bytes: number) => {
      const { reservation } = new ScriptedConsumer(budget, { name, onReclaim: () => 0 });
      await reservation.grow(bytes);
      order.push(name);
    };
    const all = [grow('first', 400), grow('second', 100), grow('third', 100)];
    await clock.advance(10);
    holder.reservation.shrink(300);
    await clock.advance(0);
    expect(order).toEqual([]);
    expect(holder.reservation.tryGrow(1)).toBe(false);
    holder.reservation.shrink(200);
    await clock.advance(0);
    expect(order).toEqual(['first', 'second']);
    holder.reservation.shrink(100);
    await Promise.all(all);
    expect(order).toEqual(['first', 'second', 'third']);
  });

  it('refuses after its time, saying who holds what', async () => {
    new ScriptedConsumer(budget, { name: 'small', bytes: 100, onReclaim: () => 0 });
    new ScriptedConsumer(budget, { name: 'large', bytes: 800, onReclaim: () => 0 });
    const { reservation } = new ScriptedConsumer(budget, { name: 'late' });
    const outcome = reservation.grow(150, { timeoutMs: 2_000 }).catch((error: unknown) => error);
    await clock.advance(1_999);
    expect(clock.pendingTimers).toBeGreaterThan(0);
    await clock.advance(1);
    const error = await outcome;
    expect(error).toBeInstanceOf(BudgetExceededError);
    expect(error).toMatchObject({
      code: 'BUDGET_EXCEEDED',
      path: 'node',
      consumer: 'node/late',
      requestBytes: 150,
      limitBytes: 1_000,
      reservedBytes: 900,
      reason: 'timeout',
      waitedMs: 2_000,
      holders: [
        { path: 'node/large', bytes: 800 },
        { path: 'node/small', bytes: 100 },
      ],
    });
    expect((error as Error).message).toContain('node/large 800 B, node/small 100 B');
    const refusals = events.filter((event) => event.type === 'budget.refused');
    expect(refusals).toMatchObject([
      { path: 'node', consumer: 'node/late', requestBytes: 150, waitedMs: 2_000, reason: 'timeout' },
    ]);
  });

  it('refuses at once what could never fit, naming the budget in the way', async () => {
    const tenant = budget.child({ name: 'tenant', limitBytes: 300 });
    new ScriptedConsumer(tenant, { name: 'reserved', minBytes: 100 });
    const inner = new ScriptedConsumer(tenant, { name: 'inner', maxBytes: 250 });
    new ScriptedConsumer(budget, { name: 'outer', minBytes: 900 });
    const tooLarge = (path: string) =>
      expect.objectContaining({ code: 'BUDGET_EXCEEDED', path, reason: 'too_large', waitedMs: 0 });
    await expect(inner.reservation.grow(251)).rejects.toThrow(tooLarge('node/tenant/inner'));
    await expect(inner.reservation.grow(201)).rejects.toThrow(tooLarge('node/tenant'));
    await expect(inner.reservation.grow(1)).rejects.toThrow(tooLarge('node'));
    expect(clock.pendingTimers).toBe(0);
  });

  it('ends with the signal, before and while it waits', async () => {
    new ScriptedConsumer(budget, { name: 'full', bytes: 1_000, onReclaim: () => 0 });
    const { reservation } = new ScriptedConsumer(budget, { name: 'late' });
    const controller = new AbortController();
    const waiting = reservation.grow(1, { signal: controller.signal });
    controller.abort(new Error('no longer wanted'));
    await expect(waiting).rejects.toThrow('no longer wanted');
    await expect(reservation.grow(1, { signal: controller.signal })).rejects.toThrow('no longer wanted');
    expect(events.filter((event) => event.type === 'budget.refused')).toEqual([]);
  });

  it('lets those behind pass when the first gives up', async () => {
    const holder = new ScriptedConsumer(budget, { name: 'holder', bytes: 900, onReclaim: () => 0 });
    const big = new ScriptedConsumer(budget, { name: 'big' });
    const small = new ScriptedConsumer(budget, { name: 'small' });
    const refused = expect(big.reservation.grow(200, { timeoutMs: 100 })).rejects.toThrow(BudgetExceededError);
    const granted = small.reservation.grow(100);
    await clock.advance(99);
    expect(small.bytes).toBe(0);
    await clock.advance(1);
    await granted;
    await refused;
    expect(holder.bytes + small.bytes).toBe(1_000);
  });

  it.each([-1, Number.NaN, 2 ** 31])('rejects %s as a time', async (timeoutMs) => {
    const { reservation } = new ScriptedConsumer(budget);
    await expect(reservation.grow(1, { timeoutMs })).rejects.toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
    expect(reservation.bytes).toBe(0);
  });

  it('serves 10,000 waiters in order', async () => {
    const holder = new ScriptedConsumer(budget, { name: 'holder', bytes: 1_000, onReclaim: () => 0 });
    const { registration } = new ScriptedConsumer(budget, { name: 'crowd' });
    const order: number[] = [];
    const all = Array.from({ length: 10_000 }, async (_, index) => {
      using reservation = registration.reserve();
      await reservation.grow(10);
      order.push(index);
    });
    await clock.advance(10);
    holder.reservation.shrink(1_000);
    await Promise.all(all);
    expect(order).toEqual(Array.from({ length: 10_000 }, (_, index) => index));
  });

  it('rejects 10,000 waiters when the budget closes', async () => {
    new ScriptedConsumer(budget, { name: 'holder', bytes: 1_000, onReclaim: () => 0 });
    const { registration } = new ScriptedConsumer(budget, { name: 'crowd' });
    const all = Array.from({ length: 10_000 }, () => registration.reserve().grow(10));
    const settled = Promise.allSettled(all);
    await clock.advance(1);
    budget.close();
    const reasons = (await settled).map((result) => (result.status === 'rejected' ? result.reason.code : 'granted'));
    expect(new Set(reasons)).toEqual(new Set(['CLOSED']));
  });
});

describe('moveTo', () => {
  it('hands bytes to another reservation of the same consumer, unseen by the books', () => {
    const { reservation, registration } = new ScriptedConsumer(budget, { bytes: 500 });
    const other = registration.reserve();
    reservation.moveTo(other, 200);
    expect([reservation.bytes, other.bytes, budget.reservedBytes]).toEqual([300, 200, 500]);
    expect(registration.grantCount).toBe(1);
    other.free();
    expect(budget.reservedBytes).toBe(300);
  });

  it('refuses more than is held, strangers and what is freed', () => {
    const { reservation, registration } = new ScriptedConsumer(budget, { bytes: 500 });
    const stranger = new ScriptedConsumer(budget, { name: 'stranger' });
    const freed = registration.reserve();
    freed.free();
    expect(() => reservation.moveTo(registration.reserve(), 501)).toThrow('only 500 are held');
    expect(() => reservation.moveTo(stranger.reservation, 1)).toThrow('one of node/stranger');
    expect(() => reservation.moveTo(freed, 1)).toThrow('closed');
    expect(reservation.bytes).toBe(500);
  });
});
