import { describe, expect, it } from 'vitest';
import { randomInteger, seededRandom } from './random.ts';
import { uuidV7 } from './uuid.ts';

describe('seededRandom', () => {
  it('repeats itself for a seed and differs between seeds', () => {
    const take = (seed: number) => Array.from({ length: 5 }, seededRandom(seed));
    expect(take(7)).toEqual(take(7));
    expect(take(7)).not.toEqual(take(8));
  });

  it('spreads evenly over [0, 1)', () => {
    const random = seededRandom(1);
    const counts = new Array<number>(10).fill(0);
    for (let draw = 0; draw < 10_000; draw++) counts[randomInteger(random, { low: 0, high: 10 })]!++;
    expect(Math.min(...counts)).toBeGreaterThan(850);
    expect(Math.max(...counts)).toBeLessThan(1150);
  });
});

describe('uuidV7', () => {
  it('sorts by time and never repeats', () => {
    const early = uuidV7(1_700_000_000_000);
    expect(uuidV7(1_700_000_000_001) > early).toBe(true);
    expect(new Set(Array.from({ length: 1000 }, () => uuidV7(5))).size).toBe(1000);
  });

  it('holds the time in its first 48 bits', () => {
    expect(Number.parseInt(uuidV7(1_700_000_000_123).replace('-', '').slice(0, 12), 16)).toBe(1_700_000_000_123);
  });
});
