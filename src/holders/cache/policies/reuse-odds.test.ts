import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../base/random.ts';
import { cellOf, SEEN_ONCE, seenAgain } from './reuse-history.ts';
import { ReuseOdds } from './reuse-odds.ts';

const value = (odds: ReuseOdds, past: number, age: number) => odds.values[cellOf(past, age)]!;

/** Lives of entries seen once, each used at the age that `ageOfUse` tells. */
function taught(ageOfUse: () => number, lives = 2000): ReuseOdds {
  const odds = new ReuseOdds();
  for (let life = 0; life < lives; life++) odds.countUse(SEEN_ONCE, ageOfUse());
  odds.draw({ heldCount: 1000, calls: lives });
  return odds;
}

describe('what holding an entry is worth', () => {
  it('falls with age before anything was learnt, as with least recently used', () => {
    const odds = new ReuseOdds();
    const values = [1, 10, 100, 1000, 10_000, 100_000].map((age) => value(odds, SEEN_ONCE, age));
    expect(values).toEqual([...values].sort((one, other) => other - one));
    expect(new Set(values).size).toBe(values.length);
  });

  it('rises towards the return where all return after the same time: of a loop the newest is given up', () => {
    const odds = taught(() => 1000);
    const values = [0, 200, 400, 600, 800].map((age) => value(odds, SEEN_ONCE, age));
    expect(values).toEqual([...values].sort((one, other) => one - other));
    // One hit after at most 1,024 calls (the end of the step), so one for each of them at the start.
    expect(value(odds, SEEN_ONCE, 0)).toBeGreaterThan(0.9 / 1024);
    expect(value(odds, SEEN_ONCE, 0)).toBeLessThan(1.1 / 896);
  });

  it('is the rate of use, whatever the age, where use does not depend on age', () => {
    const random = seededRandom(5);
    const odds = taught(() => 1 + Math.floor(-Math.log(1 - random()) * 500), 20_000);
    for (const age of [4, 40, 400, 900]) {
      expect(value(odds, SEEN_ONCE, age)).toBeGreaterThan(0.8 / 500);
      expect(value(odds, SEEN_ONCE, age)).toBeLessThan(1.4 / 500);
    }
  });

  it('is never less than the rate of use now, nor more than the best rate to come', () => {
    const odds = taught(seededUses([10, 5000]));
    expect(value(odds, SEEN_ONCE, 0)).toBeGreaterThan(0.4 / 12);
    // Who has passed the first chance waits for the second.
    expect(value(odds, SEEN_ONCE, 100)).toBeLessThan(1.2 / 4000);
    expect(value(odds, SEEN_ONCE, 4000)).toBeGreaterThan(value(odds, SEEN_ONCE, 100));
  });

  it('falls when many wait in vain, and when many are forgotten unused', () => {
    const few = taught(() => 1000, 100);
    const waiting = new ReuseOdds();
    const forgotten = new ReuseOdds();
    for (let life = 0; life < 100; life++) {
      waiting.countUse(SEEN_ONCE, 1000);
      forgotten.countUse(SEEN_ONCE, 1000);
    }
    waiting.countWaiting(SEEN_ONCE, { age: 2000, weight: 900 });
    for (let life = 0; life < 900; life++) forgotten.countLoss(SEEN_ONCE, 2000);
    waiting.draw({ heldCount: 1000, calls: 100 });
    forgotten.draw({ heldCount: 1000, calls: 100 });
    expect(value(waiting, SEEN_ONCE, 0)).toBeLessThan(value(few, SEEN_ONCE, 0) / 5);
    expect(value(forgotten, SEEN_ONCE, 0)).toBeCloseTo(value(waiting, SEEN_ONCE, 0), 6);
  });

  it('says nothing of later ages from those who still wait at an early one', () => {
    const odds = new ReuseOdds();
    for (let life = 0; life < 100; life++) odds.countUse(SEEN_ONCE, 1000);
    odds.countWaiting(SEEN_ONCE, { age: 10, weight: 900 });
    odds.draw({ heldCount: 1000, calls: 100 });
    expect(value(odds, SEEN_ONCE, 900)).toBeCloseTo(
      value(
        taught(() => 1000, 100),
        SEEN_ONCE,
        900,
      ),
      6,
    );
  });

  it('leans on the entries of a like interval, then on all, where a class has no evidence of its own', () => {
    const odds = new ReuseOdds();
    const thrice = seenAgain(seenAgain(SEEN_ONCE, 700), 700);
    const once = seenAgain(SEEN_ONCE, 700);
    const guess = value(odds, once, 0);
    for (let life = 0; life < 500; life++) odds.countUse(thrice, 700);
    odds.draw({ heldCount: 1000, calls: 500 });
    expect(value(odds, once, 600)).toBeGreaterThan(0.5 * value(odds, thrice, 600));
    expect(value(odds, once, 0)).not.toBe(guess);
  });

  it('follows a change: what was learnt fades', () => {
    const odds = taught(() => 100, 20_000);
    const before = value(odds, SEEN_ONCE, 0);
    for (let turn = 0; turn < 40; turn++) {
      for (let life = 0; life < 4000; life++) odds.countUse(SEEN_ONCE, 3000);
      odds.draw({ heldCount: 1000, calls: 4000 });
    }
    expect(value(odds, SEEN_ONCE, 0)).toBeLessThan(before / 10);
  });

  it('forgets all when cleared', () => {
    const odds = taught(() => 100);
    odds.clear();
    expect(odds.values).toEqual(new ReuseOdds().values);
  });
});

function seededUses(ages: readonly number[]): () => number {
  const random = seededRandom(3);
  return () => ages[Math.floor(random() * ages.length)]!;
}
