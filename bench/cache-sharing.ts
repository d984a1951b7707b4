/** Do caches under one budget divide it better than walls between them would? */

import { DEFAULT_POLICY, type PolicyName } from '../src/holders/cache/policies.ts';
import { bestSplit, ENTRY_BYTES, type Load, loopLoad, scanLoad, shared, split, zipfLoad } from './cache/sharing.ts';
import type { Bench } from './table.ts';

const LIMIT_BYTES = 1000 * ENTRY_BYTES;

const PAIRS: Readonly<Record<string, () => readonly Load[]>> = {
  'small and hot, large and flat': () => [
    zipfLoad('hot', { perSecond: 500, keys: 2000, skew: 1.1, seed: 1 }),
    zipfLoad('flat', { perSecond: 500, keys: 5000, skew: 0.6, seed: 2 }),
  ],
  'busy and quiet, alike': () => [
    zipfLoad('busy', { perSecond: 1000, keys: 3000, skew: 0.9, seed: 3 }),
    zipfLoad('quiet', { perSecond: 50, keys: 3000, skew: 0.9, seed: 4 }),
  ],
  'useful and scan': () => [
    zipfLoad('useful', { perSecond: 300, keys: 3000, skew: 0.8, seed: 5 }),
    scanLoad('scan', 600),
  ],
  'useful and loop that fits': () => [
    zipfLoad('useful', { perSecond: 300, keys: 5000, skew: 0.8, seed: 6 }),
    loopLoad('loop', { perSecond: 300, keys: 400 }),
  ],
};

export const bench: Bench = {
  name: 'cache-sharing',
  question: 'Do caches under one budget divide it better than walls between them would?',
  async run({ small }) {
    const rows: (string | number)[][] = [];
    const policies: PolicyName[] = small ? [DEFAULT_POLICY] : [...new Set<PolicyName>(['lru', DEFAULT_POLICY])];
    for (const policy of policies) {
      for (const [name, makeLoads] of Object.entries(PAIRS).slice(0, small ? 1 : undefined)) {
        const loads = makeLoads();
        const options = { policy, limitBytes: LIMIT_BYTES };
        const together = await shared(loads, options);
        const equal = await split(loads, { ...options, shares: [0.5, 0.5] });
        const best = await bestSplit(loads, options);
        rows.push([
          name,
          policy,
          ...[equal, best, together].map(({ hitRatio }) => percent(hitRatio)),
          `${percent(best.shares[0]!)} : ${percent(best.shares[1]!)}`,
          `${percent(together.shares[0]!)} : ${percent(together.shares[1]!)}`,
        ]);
      }
    }
    return {
      columns: [
        'two caches',
        'policy',
        'hits %, equal split',
        'hits %, best split',
        'hits %, one budget',
        'best split',
        'held under one budget, %',
      ],
      rows,
      notes: [
        'Simulated: four minutes, of which the second half counts; a limit of 1,000 entries. Under one budget a reclaim takes 4 % every two seconds from where it costs the fewest hits per second, and whoever misses takes it again. The best split is the best of 21, found by trying them all on the same requests.',
      ],
    };
  },
};

function percent(ratio: number): number {
  return Math.round(ratio * 1000) / 10;
}
