/** BUD-3 with real caches: one budget divides better than equal walls, and about as well as the best walls there are. */
import { expect, it } from 'vitest';
import { bestSplit, ENTRY_BYTES, loopLoad, scanLoad, shared, split, zipfLoad } from '../../bench/cache/sharing.ts';

const options = { policy: 'lru', limitBytes: 600 * ENTRY_BYTES } as const;

it.each([
  [
    'a busy and a quiet cache',
    [
      zipfLoad('busy', { perSecond: 200, keys: 1500, skew: 0.9, seed: 3 }),
      zipfLoad('quiet', { perSecond: 10, keys: 1500, skew: 0.9, seed: 4 }),
    ],
  ],
  [
    'a useful cache and a scan',
    [zipfLoad('useful', { perSecond: 80, keys: 2000, skew: 0.8, seed: 5 }), scanLoad('scan', 150)],
  ],
  [
    'a loop that fits and a flat cache',
    [
      loopLoad('loop', { perSecond: 100, keys: 350 }),
      zipfLoad('flat', { perSecond: 100, keys: 2000, skew: 0.7, seed: 6 }),
    ],
  ],
] as const)(
  '%s share a budget better than by halves, and as well as the best split',
  { timeout: 60_000 },
  async (_, loads) => {
    const together = await shared(loads, options);
    const equal = await split(loads, { ...options, shares: [0.5, 0.5] });
    const best = await bestSplit(loads, options);
    expect(together.hitRatio).toBeGreaterThan(equal.hitRatio + 0.01);
    expect(together.hitRatio).toBeGreaterThan(best.hitRatio - 0.01);
  },
);
