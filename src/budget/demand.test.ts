import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MIB } from '../base/bytes.ts';
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
    const cache = new ScriptedConsumer(budget, { name: 'cache', priority: 5, bytes: 64 * MIB });
    const scratch = new ScriptedConsumer(budget, { name: 'scratch', priority: 9 });
    const session = new ScriptedConsumer(budget, { name: 'session', priority: 1 });
    const refused = scratch.reservation.grow(MIB, { timeoutMs: 60 }).catch((error: { code: string }) => error.code);
    const granted = session.reservation.grow(MIB);
    await clock.advance(0);
    await clock.advance(59);
    expect(cache.requests).toEqual([]);
    await clock.advance(1);
    await granted;
    expect(await refused).toBe('BUDGET_EXCEEDED');
    expect(cache.bytes).toBe(63 * MIB);
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
