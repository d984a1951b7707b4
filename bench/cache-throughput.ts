/** How many get-or-set operations a second, against the most used cache package, both bounded by bytes? */
import { seededRandom } from '../src/base/random.ts';
import { Budget } from '../src/budget/budget.ts';
import { Cache } from '../src/holders/cache/cache.ts';
import { DEFAULT_POLICY, type PolicyName } from '../src/holders/cache/policies.ts';
import { zipfian } from './cache/zipf.ts';
import { median } from './data/percentile.ts';
import { loadRival } from './rivals/load.ts';
import type { Bench } from './table.ts';

/** The default, and the one with the cheapest hit. More in one process and the calls of none of them are inlined. */
const POLICIES = new Set<PolicyName>([DEFAULT_POLICY, 'sieve']);
const KEYS = 100_000;
const SKEW = 0.99;
const VALUE_BYTES = 1000;
/** Shares of the working set that fit. */
const SHARES = [0.1, 0.5, 1];

interface GetOrSet<K> {
  get(key: K): Value | undefined;
  set(key: K, value: Value): unknown;
}

interface Value {
  readonly sizeBytes: number;
}

type LruCacheModule = {
  LRUCache: new <K>(options: { maxSize: number; sizeCalculation: (value: Value) => number }) => GetOrSet<K>;
};

const KINDS: Readonly<Record<string, (index: number) => string | number>> = {
  strings: (index: number) => `user:${index}:profile`,
  numbers: (index: number) => index,
};

export const bench: Bench = {
  name: 'cache-throughput',
  question: 'How many get-or-set operations a second, against lru-cache, both bounded by bytes?',
  async run({ small }) {
    const { LRUCache } = await loadRival<LruCacheModule>('lru-cache');
    const rows: (string | number)[][] = [];
    for (const [kind, keyOf] of Object.entries(KINDS)) {
      for (const share of SHARES) {
        rows.push(...compare({ LRUCache, kind, keyOf, share, small }));
      }
    }
    return {
      columns: ['keys', 'fits', 'cache', 'hit ratio', 'million/s, median', '× lru-cache'],
      rows,
      notes: [
        `Zipf with exponent ${SKEW} over ${KEYS} keys, ${VALUE_BYTES} bytes a value: get, and set what was missed. Runs alternate, by processor time; the ratio is the median of the ratios within a round. Every cache of ours stands under a budget and tells it what its bytes are worth; lru-cache has maxSize and sizeCalculation.`,
        `Floor 1.0, aim 1.5 for the default policy, ${DEFAULT_POLICY}.`,
      ],
    };
  },
};

function compare<K>(options: {
  LRUCache: LruCacheModule['LRUCache'];
  kind: string;
  keyOf: (index: number) => K;
  share: number;
  small: boolean;
}): (string | number)[][] {
  const { LRUCache, kind, keyOf, share, small } = options;
  const rounds = small ? 2 : 7;
  const operations = small ? 100_000 : 500_000;
  const keys = Array.from({ length: KEYS }, (_, index) => keyOf(index));
  const requests = zipfian({ keys: KEYS, skew: SKEW, count: operations, random: seededRandom(1) });
  const value: Value = { sizeBytes: VALUE_BYTES };
  const maxBytes = share * KEYS * VALUE_BYTES;
  const sizeOf = ({ sizeBytes }: Value) => sizeBytes;
  const makers: Record<string, () => GetOrSet<K>> = {
    'lru-cache': () => new LRUCache<K>({ maxSize: maxBytes, sizeCalculation: sizeOf }),
  };
  for (const policy of POLICIES) {
    makers[policy] = () =>
      new Cache<K, Value>({
        name: policy,
        budget: new Budget({ limitBytes: 2 ** 32 }),
        overheadBytes: 0,
        ...{ policy, maxBytes, sizeOf },
      });
  }
  const names = Object.keys(makers);
  const caches = new Map(names.map((name) => [name, makers[name]!()]));
  const speeds = new Map<string, number[]>(names.map((name) => [name, []]));
  const hits = new Map<string, number>();
  for (let round = small ? 0 : -2; round < rounds; round++) {
    for (const [name, cache] of caches) {
      const started = process.cpuUsage();
      hits.set(name, replay(cache, { keys, requests, value }));
      const { user, system } = process.cpuUsage(started);
      if (round >= 0) speeds.get(name)!.push(operations / (user + system));
    }
  }
  const rival = speeds.get('lru-cache')!;
  return names.map((name) => {
    const own = speeds.get(name)!;
    const ratios = own.map((speed, round) => speed / rival[round]!);
    const hitRatio = Math.round((hits.get(name)! / operations) * 1000) / 1000;
    return [kind, `${share * 100} %`, name, hitRatio, round2(median(own)), round2(median(ratios))];
  });
}

function replay<K>(
  cache: GetOrSet<K>,
  { keys, requests, value }: { keys: readonly K[]; requests: Int32Array; value: Value },
): number {
  let hits = 0;
  for (let index = 0; index < requests.length; index++) {
    const key = keys[requests[index]!]!;
    if (cache.get(key) === undefined) cache.set(key, value);
    else hits++;
  }
  return hits;
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
