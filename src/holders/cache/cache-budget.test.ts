import { afterEach, describe, expect, it } from 'vitest';
import { seededRandom } from '../../base/random.ts';
import { Budget } from '../../budget/budget.ts';
import { Quotas } from '../../budget/quota.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { ScriptedConsumer } from '../../testing/scripted-consumer.ts';
import { Cache } from './cache.ts';
import type { CacheOptions } from './cache-options.ts';
import { POLICY_NAMES } from './policies.ts';

const KB = 1024;
const opened: Cache<number, number>[] = [];
const budgets: Budget[] = [];

function makeBudget(limitBytes: number) {
  const clock = new ManualClock();
  const budget = new Budget({ limitBytes, clock, regrowthBytesPerSecond: 10 * KB });
  budgets.push(budget);
  return { budget, clock };
}

function makeCache(budget: Budget, clock: ManualClock, options: Partial<CacheOptions<number, number>> = {}) {
  const cache = new Cache<number, number>({
    ...{ name: 'cache', budget, clock, overheadBytes: 0, sizeOf: () => KB, random: seededRandom(3) },
    ...options,
  });
  opened.push(cache);
  return cache;
}

afterEach(() => {
  for (const cache of opened.splice(0)) {
    cache.validate();
    cache.close();
  }
  for (const budget of budgets.splice(0)) expect(budget.close().leakedBytes).toBe(0);
});

function fill(cache: Cache<number, number>, count: number, from = 0): void {
  for (let key = from; key < from + count; key++) cache.set(key, key);
}

describe('a cache under a budget', () => {
  it.each(POLICY_NAMES)('evicts its own when the budget has no room (%s)', (policy) => {
    const { budget, clock } = makeBudget(100 * KB);
    const cache = makeCache(budget, clock, { policy });
    fill(cache, 1000);
    expect(cache.bytes).toBeGreaterThan(90 * KB);
    expect(budget.reservedBytes).toBeLessThanOrEqual(100 * KB);
    // A policy may let the newcomer go instead of another.
    const { evictions, refusals } = cache.statistics();
    expect(evictions.capacity + refusals.policy).toBeGreaterThan(890);
  });

  it('refuses when the budget has no room and it has nothing to give', () => {
    const { budget, clock } = makeBudget(100 * KB);
    const other = new ScriptedConsumer(budget, { name: 'other', bytes: 100 * KB });
    const cache = makeCache(budget, clock);
    expect(cache.set(1, 1)).toBe(false);
    expect(cache.statistics()).toMatchObject({ entries: 0, refusals: { budget: 1 } });
    other.reservation.shrink(50 * KB);
    expect(cache.set(1, 1)).toBe(true);
    expect(cache.set(1, 2, { sizeBytes: 90 * KB })).toBe(false);
    expect(cache.has(1)).toBe(false);
    other.reservation.free();
  });

  it('gives what it is asked for, and grows back at the budget’s rate', async () => {
    const { budget, clock } = makeBudget(100 * KB);
    const cache = makeCache(budget, clock);
    fill(cache, 100);
    const outcome = await budget.reclaim({ targetBytes: 60 * KB, level: 'high' });
    expect(outcome).toMatchObject({ end: 'reached', accountedBytes: 60 * KB });
    expect(budget.reservedBytes).toBe(40 * KB);
    cache.validate();
    fill(cache, 100, 1000);
    expect(budget.reservedBytes).toBe(40 * KB);
    await clock.advance(3000);
    fill(cache, 100, 2000);
    expect(cache.bytes).toBeGreaterThanOrEqual(69 * KB);
    expect(budget.reservedBytes).toBeLessThanOrEqual(70 * KB);
    expect(cache.statistics().evictions.pressure).toBeGreaterThan(50);
  });

  it('never falls below its minimum', async () => {
    const { budget, clock } = makeBudget(100 * KB);
    const cache = makeCache(budget, clock, { minBytes: 30 * KB });
    fill(cache, 90);
    await budget.reclaim({ targetBytes: 100 * KB, level: 'critical' });
    expect(budget.reservedBytes).toBe(30 * KB);
    expect(cache.size).toBeGreaterThanOrEqual(25);
  });

  it('may be used from onEvict while it gives, without taking what it has just given', async () => {
    const { budget, clock } = makeBudget(100 * KB);
    const cache: Cache<number, number> = makeCache(budget, clock, {
      onEvict: (key, value, cause) => {
        if (cause === 'pressure') cache.set(key + 5000, value);
      },
    });
    fill(cache, 80);
    const outcome = await budget.reclaim({ targetBytes: 40 * KB, level: 'high' });
    expect(outcome).toMatchObject({ end: 'reached', accountedBytes: 40 * KB });
    expect(outcome.answers.every(({ failure }) => failure === null || failure === undefined)).toBe(true);
    await clock.advance(1);
    expect(budget.reservedBytes).toBeLessThanOrEqual(61 * KB);
  });

  it('is asked by a reclaim that another consumer’s onEvict started', async () => {
    const { budget, clock } = makeBudget(200 * KB);
    const inner: Promise<unknown>[] = [];
    const first: Cache<number, number> = makeCache(budget, clock, {
      name: 'first',
      onEvict: () => {
        if (inner.length === 0) inner.push(budget.reclaim({ targetBytes: 10 * KB, level: 'high' }));
      },
    });
    const second = makeCache(budget, clock, { name: 'second' });
    fill(first, 90);
    fill(second, 90);
    await budget.reclaim({ targetBytes: 50 * KB, level: 'high' });
    await clock.advance(1);
    await Promise.all(inner);
    expect(inner).toHaveLength(1);
    expect(budget.reservedBytes).toBeLessThanOrEqual(140 * KB);
    first.validate();
    second.validate();
  });

  it('frees its arrays with its bytes', async () => {
    const { budget, clock } = makeBudget(100_000 * KB);
    const cache = makeCache(budget, clock);
    fill(cache, 50_000);
    await budget.reclaim({ targetBytes: 49_900 * KB, level: 'high' });
    cache.validate();
    expect(cache.size).toBeGreaterThan(90);
    for (const [key] of cache) expect(cache.get(key)).toBe(key);
  });

  it('a cache that nobody reads gives before one that is read, whatever they hold', async () => {
    const { budget, clock } = makeBudget(1000 * KB);
    const idle = makeCache(budget, clock, { name: 'idle' });
    const busy = makeCache(budget, clock, { name: 'busy' });
    fill(idle, 400);
    fill(busy, 400);
    for (let round = 0; round < 20; round++) {
      for (let key = 0; key < 400; key++) busy.get(key);
      await clock.advance(500);
    }
    await budget.reclaim({ targetBytes: 380 * KB, level: 'high' });
    expect(busy.size).toBeGreaterThan(390);
    expect(idle.size).toBeLessThan(30);
  });

  it('counts a miss for what it costs', async () => {
    const { budget, clock } = makeBudget(1000 * KB);
    const cheap = makeCache(budget, clock, { name: 'cheap' });
    const dear = makeCache(budget, clock, { name: 'dear', missCost: 100 });
    fill(cheap, 400);
    fill(dear, 400);
    for (let round = 0; round < 20; round++) {
      for (let key = 0; key < 400; key++) {
        cheap.get(key);
        if (round % 4 === 0) dear.get(key);
      }
      await clock.advance(500);
    }
    await budget.reclaim({ targetBytes: 380 * KB, level: 'high' });
    expect(dear.size).toBeGreaterThan(390);
  });

  it('forgets old merit', async () => {
    const { budget, clock } = makeBudget(1000 * KB);
    const was = makeCache(budget, clock, { name: 'was' });
    const is = makeCache(budget, clock, { name: 'is' });
    fill(was, 400);
    fill(is, 400);
    for (let round = 0; round < 40; round++) for (let key = 0; key < 400; key++) was.get(key);
    await clock.advance(600_000);
    for (let key = 0; key < 400; key++) is.get(key);
    await clock.advance(1000);
    await budget.reclaim({ targetBytes: 300 * KB, level: 'high' });
    expect(is.size).toBeGreaterThan(380);
  });
});

describe('owners', () => {
  function shared(limitBytes: number) {
    const { budget, clock } = makeBudget(1000 * KB);
    const quotas = new Quotas({ limitBytes });
    const told: string[] = [];
    const cache = makeCache(budget, clock, {
      quotas,
      onEvict: (key, _, cause) => told.push(`${key} ${cause}`),
    });
    return { budget, quotas, cache, told };
  }

  it('make room among their own, oldest first, and push nobody out', () => {
    const { cache, quotas, told } = shared(3 * KB);
    cache.set(1, 1, { owner: 'ada' });
    cache.set(2, 2, { owner: 'bob' });
    for (const key of [3, 4]) cache.set(key, key, { owner: 'ada' });
    cache.get(1);
    cache.set(5, 5, { owner: 'ada' });
    expect(told).toEqual(['3 quota']);
    expect(cache.has(2)).toBe(true);
    expect(quotas.usedBytes('ada')).toBe(3 * KB);
    expect(cache.set(6, 6, { owner: 'ada', sizeBytes: 4 * KB })).toBe(false);
    expect(cache.statistics().refusals.quota).toBe(1);
    expect(cache.has(2)).toBe(true);
  });

  it('do not lose everything for what could never fit', () => {
    const { cache, quotas } = shared(10 * KB);
    for (let key = 0; key < 10; key++) cache.set(key, key, { owner: 'ada' });
    quotas.tryCharge('ada', 0);
    expect(cache.set(99, 99, { owner: 'ada', sizeBytes: 11 * KB })).toBe(false);
    expect(cache.set(98, 98, { owner: 'ada', sizeBytes: 3 * KB })).toBe(true);
    expect(quotas.usedBytes('ada')).toBeLessThanOrEqual(10 * KB);
  });

  it('lose nothing for what does not fit because of what they hold elsewhere', () => {
    const { cache, quotas } = shared(10 * KB);
    quotas.tryCharge('ada', 7 * KB);
    for (let key = 0; key < 3; key++) cache.set(key, key, { owner: 'ada' });
    expect(cache.set(99, 99, { owner: 'ada', sizeBytes: 5 * KB })).toBe(false);
    expect(cache.size).toBe(3);
    quotas.refund('ada', 7 * KB);
  });

  it('give first when their limit was lowered', async () => {
    const { budget, cache, quotas, told } = shared(100 * KB);
    for (let key = 0; key < 40; key++) cache.set(key, key, { owner: key % 2 === 0 ? 'ada' : 'bob' });
    quotas.setLimit('bob', 5 * KB);
    await budget.reclaim({ targetBytes: 20 * KB });
    const left = [...cache.keys()];
    expect(left.filter((key) => key % 2 === 1).length).toBeLessThanOrEqual(8);
    expect(told.slice(0, 12).every((each) => each.endsWith('quota'))).toBe(true);
  });

  it('may change with the value; the books follow', () => {
    const { cache, quotas } = shared(100 * KB);
    cache.set(1, 1, { owner: 'ada' });
    cache.set(1, 2, { owner: 'bob' });
    expect([quotas.usedBytes('ada'), quotas.usedBytes('bob')]).toEqual([0, KB]);
    cache.set(1, 3);
    expect(quotas.largest(5)).toEqual([]);
    cache.set(2, 2, { owner: 'ada' });
    cache.delete(2);
    cache.set(3, 3, { owner: 'ada' });
    cache.clear();
    expect(quotas.largest(5)).toEqual([]);
    cache.set(4, 4, { owner: 'ada' });
    cache.close();
    expect(quotas.largest(5)).toEqual([]);
    opened.splice(0);
  });

  it('are refunded when the value is refused after all', () => {
    const { budget, clock } = makeBudget(10 * KB);
    const other = new ScriptedConsumer(budget, { name: 'other', bytes: 10 * KB });
    const quotas = new Quotas({ limitBytes: 100 * KB });
    const cache = makeCache(budget, clock, { quotas });
    expect(cache.set(1, 1, { owner: 'ada' })).toBe(false);
    expect(quotas.usedBytes('ada')).toBe(0);
    other.registration.close();
  });

  it.each(['', 5, 'x'.repeat(300)])('refuses %o as an owner before anything changes', (owner) => {
    const { cache } = shared(10 * KB);
    cache.set(1, 1);
    expect(() => cache.set(1, 2, { owner: owner as string })).toThrow(/owner/);
    expect(cache.get(1)).toBe(1);
  });
});
