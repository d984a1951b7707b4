/**
 * Several caches under one budget that is always too small: each loads what it misses, and a reclaim every few seconds takes a share from
 * where it costs the fewest hits. Compared with walls between them: an equal split, and the best of all splits, found by trying them.
 */
import { seededRandom } from '../../src/base/random.ts';
import { Budget } from '../../src/budget/budget.ts';
import { Cache } from '../../src/holders/cache/cache.ts';
import type { PolicyName } from '../../src/holders/cache/policies.ts';
import { ManualClock } from '../../src/testing/manual-clock.ts';
import { zipfian } from './zipf.ts';

export const ENTRY_BYTES = 1024;
const SECONDS = 240;
const RECLAIM_SECONDS = 2;
const RECLAIM_SHARE = 0.04;
const STEPS = 20;

/** What one cache is asked for. */
export interface Load {
  readonly name: string;
  readonly perSecond: number;
  /** The key of each request, from 0. */
  readonly keys: Int32Array;
}

export function zipfLoad(name: string, options: { perSecond: number; keys: number; skew: number; seed: number }): Load {
  const { perSecond, keys, skew, seed } = options;
  return { name, perSecond, keys: zipfian({ keys, skew, count: perSecond * SECONDS, random: seededRandom(seed) }) };
}

/** Keys in turn, again and again. */
export function loopLoad(name: string, options: { perSecond: number; keys: number }): Load {
  const { perSecond, keys } = options;
  return { name, perSecond, keys: Int32Array.from({ length: perSecond * SECONDS }, (_, index) => index % keys) };
}

/** Every key once: nothing is ever worth keeping. */
export function scanLoad(name: string, perSecond: number): Load {
  return { name, perSecond, keys: Int32Array.from({ length: perSecond * SECONDS }, (_, index) => index) };
}

export interface SharingOutcome {
  /** Hits of all requests in the second half, 0 to 1. */
  readonly hitRatio: number;
  /** What each cache held on average in the second half, as a share of the limit. */
  readonly shares: readonly number[];
}

/** All caches under one budget. */
export async function shared(
  loads: readonly Load[],
  options: { policy: PolicyName; limitBytes: number },
): Promise<SharingOutcome> {
  const { policy, limitBytes } = options;
  const clock = new ManualClock();
  using budget = new Budget({ limitBytes, clock, regrowthBytesPerSecond: Number.POSITIVE_INFINITY });
  const caches = loads.map(({ name }) => newCache({ name, policy, budget, clock }));
  const outcome = await run(loads, {
    caches,
    clock,
    everySecond: async (second) => {
      if (second % RECLAIM_SECONDS === 0) await budget.reclaim({ targetBytes: Math.floor(limitBytes * RECLAIM_SHARE) });
    },
  });
  for (const cache of caches) cache.close();
  return { ...outcome, shares: outcome.shares.map((bytes) => bytes / limitBytes) };
}

/** Walls between the caches: `shares` of the limit. */
export async function split(
  loads: readonly Load[],
  options: { policy: PolicyName; limitBytes: number; shares: readonly number[] },
): Promise<SharingOutcome> {
  const { policy, limitBytes, shares } = options;
  const clock = new ManualClock();
  const caches = loads.map(({ name }, index) =>
    newCache({ name, policy, maxBytes: Math.floor(shares[index]! * limitBytes), clock }),
  );
  const outcome = await run(loads, { caches, clock, everySecond: async () => {} });
  for (const cache of caches) cache.close();
  return { hitRatio: outcome.hitRatio, shares };
}

/** The best split between two caches in steps of a twentieth. */
export async function bestSplit(
  loads: readonly Load[],
  options: { policy: PolicyName; limitBytes: number },
): Promise<SharingOutcome> {
  let best: SharingOutcome = { hitRatio: -1, shares: [] };
  for (let step = 0; step <= STEPS; step++) {
    const outcome = await split(loads, { ...options, shares: [step / STEPS, 1 - step / STEPS] });
    if (outcome.hitRatio > best.hitRatio) best = outcome;
  }
  return best;
}

function newCache(options: {
  name: string;
  policy: PolicyName;
  clock: ManualClock;
  budget?: Budget;
  maxBytes?: number;
}): Cache<number, true> {
  return new Cache({ ...options, overheadBytes: 0, sizeOf: () => ENTRY_BYTES, random: seededRandom(1) });
}

async function run(
  loads: readonly Load[],
  options: {
    caches: readonly Cache<number, true>[];
    clock: ManualClock;
    everySecond: (second: number) => Promise<void>;
  },
): Promise<SharingOutcome> {
  const { caches, clock, everySecond } = options;
  const bytes = loads.map(() => 0);
  let hits = 0;
  let requests = 0;
  for (let second = 0; second < SECONDS; second++) {
    const isCounted = second >= SECONDS / 2;
    for (const [index, load] of loads.entries()) {
      const cache = caches[index]!;
      for (let request = second * load.perSecond; request < (second + 1) * load.perSecond; request++) {
        const key = load.keys[request]!;
        const isHit = cache.get(key) !== undefined;
        if (!isHit) cache.set(key, true);
        if (!isCounted) continue;
        requests++;
        if (isHit) hits++;
      }
      if (isCounted) bytes[index]! += cache.bytes / (SECONDS / 2);
    }
    await clock.advance(1000);
    await everySecond(second);
  }
  return { hitRatio: hits / requests, shares: bytes };
}
