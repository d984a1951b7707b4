import { afterEach, beforeEach, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { ScriptedConsumer } from '../testing/scripted-consumer.ts';
import { Budget } from './budget.ts';
import { BudgetExceededError } from './budget-errors.ts';

let clock: ManualClock;
let budget: Budget;

beforeEach(() => {
  clock = new ManualClock();
  budget = new Budget({ name: 'node', limitBytes: 1_000, clock, regrowthBytesPerSecond: Number.POSITIVE_INFINITY });
});

afterEach(() => {
  budget.close();
  expect(budget.reservedByResidence.heap).toBe(0);
  expect(budget.heapMinimumsBytes).toBe(0);
  expect(clock.pendingTimers).toBe(0);
});

it('bounds what consumers on the heap hold together, wherever they stand in the tree', () => {
  const tenant = budget.child({ name: 'tenant' });
  const one = new ScriptedConsumer(budget, { name: 'one' });
  const other = new ScriptedConsumer(tenant, { name: 'other' });
  const pages = new ScriptedConsumer(tenant, { name: 'pages', where: 'native' });
  expect(budget.heapLimitBytes).toBe(Number.POSITIVE_INFINITY);
  budget.setHeapLimit(300);
  expect(one.reservation.tryGrow(200)).toBe(true);
  expect(other.reservation.tryGrow(101)).toBe(false);
  expect(other.reservation.tryGrow(100)).toBe(true);
  expect(pages.reservation.tryGrow(700)).toBe(true);
});

it('lets nobody who lives elsewhere wait behind one who lacks room on the heap', async () => {
  const cache = new ScriptedConsumer(budget, { name: 'cache', bytes: 300, onReclaim: () => 0 });
  const pages = new ScriptedConsumer(budget, { name: 'pages', where: 'native' });
  budget.setHeapLimit(300);
  const work = new ScriptedConsumer(budget, { name: 'work' });
  const waiting = work.reservation.grow(100);
  expect(pages.reservation.tryGrow(600)).toBe(true);
  expect(cache.reservation.tryGrow(1)).toBe(false);
  cache.give(100);
  await waiting;
  expect([cache.bytes, work.bytes]).toEqual([200, 100]);
});

it('asks only consumers on the heap for room there', async () => {
  const cache = new ScriptedConsumer(budget, { name: 'cache', bytes: 300, priority: 6 });
  const pages = new ScriptedConsumer(budget, { name: 'pages', where: 'native', bytes: 500, priority: 10 });
  const work = new ScriptedConsumer(budget, { name: 'work' });
  budget.setHeapLimit(300);
  await work.reservation.grow(50);
  expect([cache.bytes, pages.bytes]).toEqual([250, 500]);
});

it('asks back what a lowered limit leaves no room for', async () => {
  const cache = new ScriptedConsumer(budget, { name: 'cache', bytes: 300 });
  const pages = new ScriptedConsumer(budget, { name: 'pages', where: 'native', bytes: 300 });
  budget.setHeapLimit(120);
  await clock.advance(1);
  expect([cache.bytes, pages.bytes]).toEqual([120, 300]);
});

it('holds back regrowth on the heap alone when only the heap was under pressure', async () => {
  using slow = new Budget({ limitBytes: 1_000, clock, regrowthBytesPerSecond: 10 });
  const cache = new ScriptedConsumer(slow, { name: 'cache', bytes: 300 });
  const pages = new ScriptedConsumer(slow, { name: 'pages', where: 'native' });
  slow.setHeapLimit(400);
  await slow.reclaim({ targetBytes: 100, level: 'moderate', where: ['heap'] });
  expect(cache.reservation.tryGrow(50)).toBe(false);
  expect(pages.reservation.tryGrow(700)).toBe(true);
  await clock.advance(5_000);
  expect(cache.reservation.tryGrow(50)).toBe(true);
});

it('keeps minimums: they are set aside there too, and a limit below them is refused', () => {
  const kept = new ScriptedConsumer(budget, { name: 'kept', minBytes: 100 });
  const cache = new ScriptedConsumer(budget, { name: 'cache' });
  expect(budget.heapMinimumsBytes).toBe(100);
  expect(() => budget.setHeapLimit(99)).toThrow(expect.objectContaining({ code: 'BUDGET_MINIMUMS' }));
  budget.setHeapLimit(150);
  expect(cache.reservation.tryGrow(51)).toBe(false);
  expect(kept.reservation.tryGrow(100)).toBe(true);
  expect(() => new ScriptedConsumer(budget, { name: 'more', minBytes: 51 })).toThrow(
    expect.objectContaining({ code: 'BUDGET_MINIMUMS', details: expect.objectContaining({ path: 'node (heap)' }) }),
  );
  expect(new ScriptedConsumer(budget, { name: 'native', minBytes: 51, where: 'native' }).bytes).toBe(0);
});

it('refuses at once what could never fit on the heap, and names who is there', async () => {
  const cache = new ScriptedConsumer(budget, { name: 'cache', bytes: 200 });
  budget.setHeapLimit(300);
  const refused: unknown = await cache.reservation.grow(301).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(BudgetExceededError);
  expect(refused).toMatchObject({
    path: 'node (heap)',
    reason: 'too_large',
    holders: [{ path: 'node/cache', bytes: 200 }],
  });
});
