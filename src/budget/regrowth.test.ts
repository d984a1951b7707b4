import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { ScriptedConsumer } from '../testing/scripted-consumer.ts';
import { Budget } from './budget.ts';

let clock: ManualClock;
let budget: Budget;

beforeEach(() => {
  clock = new ManualClock();
  budget = new Budget({ name: 'node', limitBytes: 1_000, regrowthBytesPerSecond: 10, clock });
});

afterEach(() => {
  budget.close();
  expect(clock.pendingTimers).toBe(0);
});

describe('after pressure', () => {
  it('what was reclaimed comes back at the configured rate, and the ceiling goes when it reaches the limit', async () => {
    const cache = new ScriptedConsumer(budget, { bytes: 1_000 });
    await budget.reclaim({ targetBytes: 200, level: 'moderate' });
    expect(cache.bytes).toBe(800);
    expect(cache.reservation.tryGrow(1)).toBe(false);
    await clock.advance(5_000);
    expect(budget.availableBytes).toBe(50);
    expect(cache.reservation.tryGrow(51)).toBe(false);
    expect(cache.reservation.tryGrow(50)).toBe(true);
    await clock.advance(15_000);
    expect(cache.reservation.tryGrow(150)).toBe(true);
    cache.reservation.shrink(900);
    expect(cache.reservation.tryGrow(900)).toBe(true);
  });

  it('churn below the ceiling is free', async () => {
    const cache = new ScriptedConsumer(budget, { bytes: 1_000 });
    await budget.reclaim({ targetBytes: 200, level: 'high' });
    cache.reservation.shrink(500);
    expect(cache.reservation.tryGrow(500)).toBe(true);
    expect(cache.reservation.tryGrow(1)).toBe(false);
  });

  it('a limit set below what is reserved counts as pressure, and growth starts when it rises again', async () => {
    const cache = new ScriptedConsumer(budget, { bytes: 1_000 });
    budget.setLimit(600);
    await clock.advance(60_000);
    expect(cache.bytes).toBe(600);
    expect(cache.reservation.tryGrow(1)).toBe(false);
    budget.setLimit(1_000);
    expect(cache.reservation.tryGrow(1)).toBe(false);
    await clock.advance(10_000);
    expect(budget.availableBytes).toBe(100);
    budget.setLimit(650);
    expect(budget.availableBytes).toBe(50);
  });

  it('a reclaim that nobody needed for pressure leaves growth alone', async () => {
    const cache = new ScriptedConsumer(budget, { bytes: 1_000 });
    await budget.reclaim({ targetBytes: 200 });
    expect(cache.reservation.tryGrow(200)).toBe(true);
  });

  it('serves those who wait as the ceiling rises, oldest first', async () => {
    const cache = new ScriptedConsumer(budget, { name: 'cache', bytes: 500 });
    await budget.reclaim({ targetBytes: 100, level: 'moderate' });
    cache.onReclaim = () => 0;
    const order: string[] = [];
    const waits = ['first', 'second'].map(async (name) => {
      const { reservation } = new ScriptedConsumer(budget, { name, onReclaim: () => 0 });
      await reservation.grow(50);
      order.push(name);
    });
    await clock.advance(4_900);
    expect(order).toEqual([]);
    await clock.advance(101);
    expect(order).toEqual(['first']);
    await clock.advance(5_000);
    expect(order).toEqual(['first', 'second']);
    await Promise.all(waits);
  });

  it('leaves no timer behind when the budget closes on those who wait', async () => {
    const cache = new ScriptedConsumer(budget, { name: 'cache', bytes: 500 });
    await budget.reclaim({ targetBytes: 100, level: 'moderate' });
    cache.onReclaim = () => 0;
    const waiting = new ScriptedConsumer(budget, { name: 'late' }).reservation.grow(50);
    const refused = expect(waiting).rejects.toThrow(expect.objectContaining({ code: 'CLOSED' }));
    budget.close();
    await refused;
    expect(clock.pendingTimers).toBe(0);
  });

  it('a minimum is had all the same', async () => {
    const safe = new ScriptedConsumer(budget, { name: 'safe', minBytes: 100 });
    new ScriptedConsumer(budget, { name: 'cache', bytes: 900 });
    await budget.reclaim({ targetBytes: 300, level: 'critical' });
    expect(safe.reservation.tryGrow(100)).toBe(true);
    expect(safe.reservation.tryGrow(1)).toBe(false);
  });
});

describe('the rate', () => {
  it('is the whole limit in a minute by default', async () => {
    using plain = new Budget({ limitBytes: 6_000, clock });
    const cache = new ScriptedConsumer(plain, { bytes: 6_000 });
    await plain.reclaim({ targetBytes: 3_000, level: 'moderate' });
    await clock.advance(1_000);
    expect(plain.availableBytes).toBe(100);
    await clock.advance(29_000);
    expect(cache.reservation.tryGrow(3_000)).toBe(true);
  });

  it('may be infinite', async () => {
    using fast = new Budget({ limitBytes: 1_000, regrowthBytesPerSecond: Number.POSITIVE_INFINITY, clock });
    const cache = new ScriptedConsumer(fast, { bytes: 1_000 });
    await fast.reclaim({ targetBytes: 500, level: 'critical' });
    expect(cache.reservation.tryGrow(500)).toBe(true);
  });

  it('does not depend on the wall clock', async () => {
    const cache = new ScriptedConsumer(budget, { bytes: 1_000 });
    await budget.reclaim({ targetBytes: 200, level: 'moderate' });
    clock.jumpWallClock(86_400_000);
    expect(cache.reservation.tryGrow(1)).toBe(false);
    clock.jumpWallClock(-2 * 86_400_000);
    await clock.advance(1_000);
    expect(cache.reservation.tryGrow(10)).toBe(true);
  });
});
