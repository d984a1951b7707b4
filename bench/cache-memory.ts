/** What does a cache take for each entry beside key and value, and how near is what it charges? */
import { Cache } from '../src/holders/cache/cache.ts';
import { POLICY_NAMES } from '../src/holders/cache/policies.ts';
import { loadRival } from './rivals/load.ts';
import type { Bench } from './table.ts';

const COUNTS = [10_000, 100_000, 130_000, 250_000];

type Fill = (count: number) => { cache: object; chargedBytes: number };
type LruCacheModule = {
  LRUCache: new (options: {
    maxSize: number;
    sizeCalculation: () => number;
  }) => { set(key: number, value: true): unknown };
};

export const bench: Bench = {
  name: 'cache-memory',
  question: 'What does a cache take for each entry beside key and value, and how near is what it charges?',
  async run({ small }) {
    const { LRUCache } = await loadRival<LruCacheModule>('lru-cache');
    const fills: Record<string, Fill> = {};
    for (const policy of POLICY_NAMES) {
      fills[policy] = (count) => {
        const cache = new Cache<number, true>({ name: policy, policy, maxBytes: 2 ** 40, sizeOf: () => 0 });
        for (let key = 0; key < count; key++) cache.set(key, true);
        return { cache, chargedBytes: cache.bytes };
      };
    }
    fills['lru-cache'] = (count) => {
      const cache = new LRUCache({ maxSize: 2 ** 40, sizeCalculation: () => 1 });
      for (let key = 0; key < count; key++) cache.set(key, true);
      return { cache, chargedBytes: 0 };
    };
    const counts = small ? COUNTS.slice(0, 1) : COUNTS;
    const rows = Object.entries(fills).map(([name, fill]) => [
      name,
      ...counts.map((count) => bytesPerEntry(fill, count).taken),
      bytesPerEntry(fill, counts.at(-1)!).charged || '',
    ]);
    return {
      columns: ['cache', ...counts.map((count) => `bytes an entry, ${count}`), 'charged'],
      rows,
      notes: [
        'Heap and array buffers after a collection, with keys and values that take nothing of their own. Room doubles as it fills, so the figure depends on how far the count is above the last doubling.',
      ],
    };
  },
};

function bytesPerEntry(fill: Fill, count: number): { taken: number; charged: number } {
  fill(count);
  const before = usedBytes();
  const { cache, chargedBytes } = fill(count);
  const after = usedBytes();
  void (cache as { size?: number }).size;
  return { taken: Math.round((after - before) / count), charged: Math.round(chargedBytes / count) };
}

function usedBytes(): number {
  globalThis.gc!();
  globalThis.gc!();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
