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
  budget = new Budget({ name: 'node', limitBytes: 64 * MIB, clock, emit: (event) => events.push(event) });
});

afterEach(() => {
  budget.close();
  expect(clock.pendingTimers).toBe(0);
});

describe('asking for those who wait', () => {
  it('never happens within the call to grow', async () => {
    const cache = new ScriptedConsumer(budget, { name: 'cache', bytes: 64 * MIB });
    const { reservation } = new ScriptedConsumer(budget, { name: 'grower' });
    const granted = reservation.grow(MIB);
    expect(cache.requests).toEqual([]);
    await granted;
    expect(cache.requests).toHaveLength(1);
  });

  it('costs few reclaims for many small requests, and takes no more than they want', async () => {
    const cache = new ScriptedConsumer(budget, { name: 'cache', bytes: 64 * MIB, priority: 9 });
    const { registration } = new ScriptedConsumer(budget, { name: 'crowd' });
    await Promise.all(Array.from({ length: 10_000 }, () => registration.reserve().grow(256)));
    expect(cache.bytes).toBe(64 * MIB - 10_000 * 256);
    expect(cache.requests.length).toBeLessThan(10);
  });

  it('asks those of the budget that is in the way, not others', async () => {
    const tenant = budget.child({ name: 'tenant', limitBytes: 10 * MIB });
    const inside = new ScriptedConsumer(tenant, { name: 'inside', bytes: 10 * MIB });
    const outside = new ScriptedConsumer(budget, { name: 'outside', bytes: 30 * MIB, priority: 10 });
    const { reservation } = new ScriptedConsumer(tenant, { name: 'grower' });
    await reservation.grow(MIB);
    expect([inside.bytes, outside.bytes]).toEqual([9 * MIB, 30 * MIB]);
    expect(events).toMatchObject([{ type: 'budget.reclaimed', path: 'node/tenant', targetBytes: MIB }]);
  });

  it('asks a consumer at its own maximum for its own bytes', async () => {
    const cache = new ScriptedConsumer(budget, { name: 'cache', maxBytes: 5 * MIB, bytes: 5 * MIB });
    const entry = cache.registration.reserve();
    await entry.grow(2 * MIB);
    expect([cache.bytes, entry.bytes]).toEqual([3 * MIB, 2 * MIB]);
  });

  it('asks again, less and less often, while nothing comes', async () => {
    const dry = new ScriptedConsumer(budget, { name: 'dry', bytes: 64 * MIB, onReclaim: () => 0 });
    const { reservation } = new ScriptedConsumer(budget, { name: 'grower' });
    const granted = reservation.grow(MIB);
    await clock.advance(0);
    await clock.advance(49);
    expect(dry.requests).toHaveLength(1);
    await clock.advance(1);
    expect(dry.requests).toHaveLength(2);
    await clock.advance(99);
    expect(dry.requests).toHaveLength(2);
    await clock.advance(10_001);
    const soFar = dry.requests.length;
    expect(soFar).toBeLessThan(18);
    dry.onReclaim = ({ targetBytes }) => dry.give(targetBytes);
    await clock.advance(1_000);
    await granted;
    expect(dry.requests).toHaveLength(soFar + 1);
    expect(reservation.bytes).toBe(MIB);
  });

  it('asks at once again for another who comes first', async () => {
    const cache = new ScriptedConsumer(budget, { name: 'cache', priority: 5, bytes: 64 * MIB, onReclaim: () => 0 });
    const [one, other] = ['one', 'other'].map((name) => new ScriptedConsumer(budget, { name }).reservation);
    const refused = one!.grow(MIB, { timeoutMs: 60 }).catch((error: { code: string }) => error.code);
    const granted = other!.grow(MIB);
    await clock.advance(55);
    const soFar = cache.requests.length;
    cache.onReclaim = ({ targetBytes }) => cache.give(targetBytes);
    await clock.advance(5);
    await granted;
    expect(await refused).toBe('BUDGET_EXCEEDED');
    expect(cache.requests).toHaveLength(soFar + 1);
  });

  it('lets unimportant work push out nothing of more importance, unless it stands in the way of important work', async () => {
    const cache = new ScriptedConsumer(budget, { name: 'cache', priority: 5, bytes: 64 * MIB });
    const scratch = new ScriptedConsumer(budget, { name: 'scratch', priority: 9 });
    const session = new ScriptedConsumer(budget, { name: 'session', priority: 1 });
    const background = scratch.reservation.grow(3 * MIB);
    await clock.advance(10_000);
    expect(cache.requests).toEqual([]);
    await Promise.all([background, session.reservation.grow(MIB)]);
    expect([cache.bytes, scratch.bytes, session.bytes]).toEqual([61 * MIB, 2 * MIB, MIB]);
  });

  it('claims a minimum from everybody, however unimportant its owner', async () => {
    const vital = new ScriptedConsumer(budget, { name: 'vital', priority: 0, bytes: 60 * MIB });
    const owner = new ScriptedConsumer(budget, { name: 'owner', priority: 10, minBytes: 4 * MIB });
    budget.setLimit(50 * MIB, { reclaim: false });
    await owner.reservation.grow(2 * MIB);
    expect(vital.bytes).toBe(48 * MIB);
  });

  it('asks for two budgets at a time: who is slow to answer one holds up no other', async () => {
    const [one, other] = ['one', 'other'].map((name) => budget.child({ name, limitBytes: 10 * MIB }));
    const slow = new ScriptedConsumer(one!, { name: 'slow', bytes: 10 * MIB });
    slow.onReclaim = ({ targetBytes, signal }) => wait(clock, 900, signal).then(() => slow.give(targetBytes));
    new ScriptedConsumer(other!, { name: 'quick', bytes: 10 * MIB });
    const late = new ScriptedConsumer(one!, { name: 'grower' }).reservation.grow(MIB);
    await new ScriptedConsumer(other!, { name: 'grower' }).reservation.grow(MIB);
    expect(slow.bytes).toBe(10 * MIB);
    await clock.advance(900);
    await late;
  });

  it('asks back what a lowered limit leaves no room for, and only that', async () => {
    const tenant = budget.child({ name: 'tenant' });
    const inside = new ScriptedConsumer(tenant, { name: 'inside', bytes: 30 * MIB });
    const outside = new ScriptedConsumer(budget, { name: 'outside', bytes: 10 * MIB, priority: 10 });
    tenant.setLimit(12 * MIB);
    expect(tenant.excessBytes).toBe(18 * MIB);
    await clock.advance(0);
    expect([tenant.excessBytes, inside.bytes, outside.bytes]).toEqual([0, 12 * MIB, 10 * MIB]);
    expect(events).toMatchObject([{ type: 'budget.reclaimed', cause: 'limit', path: 'node/tenant' }]);
  });

  it('goes on asking for a lowered limit while nothing comes, and leaves it alone when told to', async () => {
    const dry = new ScriptedConsumer(budget, { name: 'dry', bytes: 64 * MIB, onReclaim: () => 0 });
    budget.setLimit(60 * MIB, { reclaim: false });
    await clock.advance(10_000);
    expect(dry.requests).toEqual([]);
    budget.setLimit(60 * MIB);
    await clock.advance(0);
    await clock.advance(10_000);
    expect(dry.requests.length).toBeGreaterThan(5);
    dry.onReclaim = ({ targetBytes }) => dry.give(targetBytes);
    await clock.advance(1_000);
    expect(budget.excessBytes).toBe(0);
  });

  it('serves who has waited for regrowth alone, even when somebody looked at the books in between', async () => {
    const other = new Budget({ name: 'other', limitBytes: 1_000, regrowthBytesPerSecond: 100, clock });
    const cache = new ScriptedConsumer(other, { name: 'cache', bytes: 1_000 });
    await other.reclaim({ targetBytes: 500, level: 'moderate' });
    cache.onReclaim = () => 0;
    const granted = new ScriptedConsumer(other, { name: 'grower' }).reservation.grow(500);
    for (let look = 0; look < 60; look++) {
      await clock.advance(100);
      other.snapshot();
    }
    await granted;
    other.close();
  });

  it('stops when nobody waits any more', async () => {
    const dry = new ScriptedConsumer(budget, { name: 'dry', bytes: 64 * MIB, onReclaim: () => 0 });
    const { reservation } = new ScriptedConsumer(budget, { name: 'grower' });
    const controller = new AbortController();
    const ended = reservation.grow(MIB, { signal: controller.signal }).catch(() => 'ended');
    await clock.advance(10);
    controller.abort();
    expect(await ended).toBe('ended');
    await clock.advance(60_000);
    expect(dry.requests).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });
});
