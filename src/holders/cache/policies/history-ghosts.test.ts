import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HistoryGhosts } from './history-ghosts.ts';
import { cellOf, SEEN_ONCE, seenAgain } from './reuse-history.ts';
import { ReuseOdds } from './reuse-odds.ts';

const spread = (index: number) => Math.imul(index + 1, 0x9e3779b1);

describe('ghosts', () => {
  it('gives the past of a key back, once', () => {
    const ghosts = new HistoryGhosts(new ReuseOdds());
    expect(ghosts.take(7)).toBe(0);
    const history = seenAgain(SEEN_ONCE, 20);
    ghosts.put(7, { lastUse: 30, history, now: 50, heldCount: 10 });
    expect(ghosts.take(8)).toBe(0);
    expect(ghosts.take(7)).toBe(history);
    expect(ghosts.lastUse).toBe(30);
    expect(ghosts.take(7)).toBe(0);
  });

  it('has room for at most twice what is held, and follows it both ways', () => {
    const ghosts = new HistoryGhosts(new ReuseOdds());
    fc.assert(
      fc.property(fc.integer({ min: 8, max: 5000 }), fc.nat(), (heldCount, hash) => {
        ghosts.put(hash | 0, { lastUse: 0, history: SEEN_ONCE, now: 9, heldCount });
        ghosts.check();
        expect(ghosts.room).toBeLessThanOrEqual(4 * heldCount);
        expect(ghosts.room).toBeGreaterThanOrEqual(heldCount);
      }),
      { seed: 1 },
    );
  });

  it('keeps what it remembers when the room grows', () => {
    const ghosts = new HistoryGhosts(new ReuseOdds());
    for (let index = 0; index < 40; index++) {
      ghosts.put(spread(index), { lastUse: index, history: SEEN_ONCE, now: 100, heldCount: 100 });
    }
    ghosts.put(spread(40), { lastUse: 40, history: SEEN_ONCE, now: 100, heldCount: 1000 });
    for (let index = 0; index <= 40; index++) {
      expect(ghosts.take(spread(index))).toBe(SEEN_ONCE);
      expect(ghosts.lastUse).toBe(index);
    }
  });

  it('forgets the least valuable of a full set, and counts it as forgotten', () => {
    const odds = new ReuseOdds();
    const ghosts = new HistoryGhosts(odds);
    const before = odds.values[cellOf(SEEN_ONCE, 100)]!;
    // Four sets; with small hashes all come into the first. By the first guess the oldest is worth least.
    for (let hash = 1; hash <= 5; hash++) {
      ghosts.put(hash, { lastUse: hash === 3 ? 0 : 950, history: SEEN_ONCE, now: 1000, heldCount: 8 });
    }
    expect(ghosts.take(3)).toBe(0);
    for (const hash of [1, 2, 4, 5]) expect(ghosts.take(hash)).toBe(SEEN_ONCE);
    odds.draw({ heldCount: 8, calls: 5 });
    expect(odds.values[cellOf(SEEN_ONCE, 100)]!).toBeLessThan(before);
  });
});
