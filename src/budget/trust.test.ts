import { describe, expect, it } from 'vitest';
import { Trust } from './trust.ts';

const give = (trust: Trust, share: number, times = 1) => {
  for (let i = 0; i < times; i++) trust.kept({ askedBytes: 1_000, accountedBytes: 1_000 * share });
};

describe('Trust', () => {
  it('starts whole, and stays so while all is delivered', () => {
    const trust = new Trust();
    give(trust, 1, 10);
    give(trust, 1.5);
    expect(trust).toMatchObject({ yieldRatio: 1, strikes: 0 });
    expect(trust.isQuarantined(0)).toBe(false);
  });

  it('remembers under-delivery, and can win it back', () => {
    const trust = new Trust();
    give(trust, 0.5);
    expect(trust.yieldRatio).toBeCloseTo(0.85);
    give(trust, 0.5, 20);
    expect(trust.yieldRatio).toBeCloseTo(0.5, 2);
    give(trust, 0, 50);
    expect(trust.yieldRatio).toBe(0.05);
    give(trust, 1, 20);
    expect(trust.yieldRatio).toBeGreaterThan(0.99);
    expect(trust.strikes).toBe(0);
  });

  it('leaves a failing consumer alone for longer each time, from 1 s to 5 min', () => {
    const trust = new Trust();
    const broke = (nowMs: number) => trust.broke({ askedBytes: 1_000, accountedBytes: 0, nowMs });
    expect([broke(0), broke(0), broke(0)]).toEqual([1_000, 2_000, 4_000]);
    expect([trust.isQuarantined(3_999), trust.isQuarantined(4_000)]).toEqual([true, false]);
    for (let i = 0; i < 2_000; i++) broke(0);
    expect(broke(7)).toBe(300_000);
    expect(trust.yieldRatio).toBe(0.05);
  });

  it('learns nothing of the yield from one that failed before it was asked', () => {
    const trust = new Trust();
    expect(trust.broke({ askedBytes: 0, accountedBytes: 0, nowMs: 0 })).toBe(1_000);
    expect(trust).toMatchObject({ yieldRatio: 1, strikes: 1 });
  });

  it('takes one strike off for each full delivery', () => {
    const trust = new Trust();
    trust.broke({ askedBytes: 1_000, accountedBytes: 1_000, nowMs: 0 });
    trust.broke({ askedBytes: 1_000, accountedBytes: 1_000, nowMs: 0 });
    give(trust, 0.5);
    expect(trust.strikes).toBe(2);
    give(trust, 1);
    expect(trust.strikes).toBe(1);
    expect(trust.broke({ askedBytes: 1_000, accountedBytes: 1_000, nowMs: 0 })).toBe(2_000);
  });
});
