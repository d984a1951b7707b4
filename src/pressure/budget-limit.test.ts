import { describe, expect, it } from 'vitest';
import { MIB } from '../base/bytes.ts';
import { SimulatedProcess } from '../testing/simulated-process.ts';
import { budgetLimitBytes } from './budget-limit.ts';
import { LIMIT_BYTES } from './readings.ts';

describe('the limit of the budget', () => {
  it('is the limit less baseline, drift and head-room, never below 0', () => {
    expect(budgetLimitBytes({ limitBytes: 512, outsideBytes: 72, headroomBytes: 179.2 })).toBe(260);
    expect(budgetLimitBytes({ limitBytes: 100, outsideBytes: 90, headroomBytes: 35 })).toBe(0);
  });

  it('is set from the first reading on, and lets a full budget stay below moderate', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 10 * MIB });
    await simulated.step(1);
    const limitBytes = simulated.budget.limitBytes;
    expect(limitBytes).toBe(Math.floor(0.65 * LIMIT_BYTES) - 60 * MIB);
    while (simulated.grow(MIB));
    await simulated.step(100);
    expect(simulated.events).toEqual([]);
    expect(simulated.budget.limitBytes).toBe(limitBytes);
  });

  it('shrinks by what grows outside the books, and comes back when that goes', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 10 * MIB });
    await simulated.step(130);
    const before = simulated.budget.limitBytes;
    simulated.extraBytes = 50 * MIB;
    await simulated.step(130);
    expect(simulated.responder.books).toMatchObject({ baselineBytes: 60 * MIB, driftBytes: 50 * MIB });
    expect(before - simulated.budget.limitBytes).toBe(50 * MIB);
    simulated.extraBytes = 0;
    await simulated.step(1);
    expect(simulated.budget.limitBytes).toBe(before);
  });

  it('is not moved by garbage that comes and goes', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 10 * MIB });
    await simulated.step(130);
    const before = simulated.budget.limitBytes;
    for (let step = 0; step < 300; step++) {
      simulated.extraBytes = (step % 60) * MIB;
      await simulated.step();
    }
    expect(simulated.budget.limitBytes).toBe(before);
  });

  it('never falls below the minimums consumers were promised', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 100 * MIB, minBytes: 90 * MIB });
    simulated.extraBytes = 500 * MIB;
    await simulated.step(200);
    expect(simulated.budget.limitBytes).toBe(90 * MIB);
    expect(simulated.cacheBytes).toBe(90 * MIB);
  });
});

describe('a leak beside a cache', () => {
  it('is met by what the cache can give, again and again, and is not taken for retained bytes', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 250 * MIB });
    await simulated.step(200);
    for (let step = 0; step < 3_000 && simulated.cacheBytes > 20 * MIB; step++) {
      simulated.extraBytes += MIB / 10;
      expect(await simulated.stepAndTell()).not.toBe('critical');
      expect(simulated.heldBytes).toBeLessThan(0.8 * LIMIT_BYTES);
    }
    expect(simulated.cacheBytes).toBeLessThan(20 * MIB);
    expect(simulated.asked.length).toBeGreaterThan(8);
    const { driftBytes, retainedBytes } = simulated.responder.books;
    expect(driftBytes).toBeGreaterThan(0.85 * simulated.extraBytes);
    expect(retainedBytes).toBeLessThan(0.1 * simulated.extraBytes);
  });
});
