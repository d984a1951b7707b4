/**
 * What the bytes of a cache are worth, from evidence: hits per second as a function of its size, so that the budget can take bytes
 * where they cost the fewest hits (`Consumer.valueOfLast`).
 *
 * Reuse distances of sampled keys (`reuse-sample.ts`) fall into buckets, four to an octave, and fade with a half-life of a minute. Their sum
 * up to a size is the share of reads that a cache of that size would serve by recency alone. The policies here do better than that, on loops
 * and scans above all: they come near to its *concave hull* (Talus: Beckmann and Sanchez, HPCA 2015), so the hull is taken; and
 * it is scaled so that at the present size it gives the hits per second that were really counted. Giving up the least
 * valuable bytes then costs the difference of the hull between the present size and the size without them.
 *
 * With little evidence it leans to a straight line: every byte is worth the same.
 */
import type { Clock } from '../../base/clock.ts';
import { ReuseSample } from './reuse-sample.ts';

const HALF_LIFE_MS = 60_000;
const BUCKETS_PER_OCTAVE = 4;
const BUCKETS = 44 * BUCKETS_PER_OCTAVE;
/** Reads between looks at the clock. */
const READS_PER_LOOK = 16;
const RESCALE_AT = 2 ** 40;
/** So many hits' worth of straight line is mixed in. */
const PRIOR_HITS = 2;

export class ValueCurve {
  readonly #clock: Clock;
  readonly #sample = new ReuseSample();
  readonly #startMs: number;
  /** Hits at each distance, each with the weight of its time. */
  readonly #hitsAt = new Float64Array(BUCKETS);
  /** Hits counted in the cache, weighted likewise. */
  #hits = 0;
  #countedHits = 0;
  /** Of a hit now; it doubles with every half-life, so that the past needs no touching. */
  #weight = 1;
  #weightSinceMs: number;
  #readsToLook = READS_PER_LOOK;
  readonly #hull = new Hull(BUCKETS + 1);
  #hullAtMs = -1;
  #hullBytes = -1;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startMs = clock.monotonicMs();
    this.#weightSinceMs = this.#startMs;
  }

  /** Only keys without these bits in their hash need to be told. */
  get mask(): number {
    return this.#sample.mask;
  }

  /** A key that `mask` lets pass was hit or added. */
  read(options: { hash: number; bytes: number; heldBytes: number; countedHits: number }): void {
    const distance = this.#sample.read(options.hash, options.bytes, options.heldBytes);
    if (distance >= 1) this.#hitsAt[bucketOf(distance)]! += this.#weight * this.#sample.factor;
    if (--this.#readsToLook === 0) this.#look(options.countedHits);
  }

  /**
   * Hits per second lost by giving up the least valuable `bytes` of `heldBytes`; `countedHits` are all the cache ever had. O(1): some
   * 200 additions at most, once for each moment.
   */
  valueOfLast(bytes: number, { heldBytes, countedHits }: { heldBytes: number; countedHits: number }): number {
    if (heldBytes === 0 || bytes <= 0) return 0;
    const nowMs = this.#look(countedHits);
    if (nowMs !== this.#hullAtMs || heldBytes !== this.#hullBytes) {
      this.#hull.build(this.#hitsAt);
      this.#hullAtMs = nowMs;
      this.#hullBytes = heldBytes;
    }
    const keptBytes = Math.max(0, heldBytes - bytes);
    const all = this.#hull.at(heldBytes);
    const prior = PRIOR_HITS * this.#weight * this.#sample.factor;
    const lostShare = (all - this.#hull.at(keptBytes) + prior * (1 - keptBytes / heldBytes)) / (all + prior);
    return lostShare * this.#hitsPerSecond(nowMs);
  }

  /** Forgets what the sample knows of keys; what hits were worth is kept, and fades. */
  clear(): void {
    this.#sample.clear();
  }

  #hitsPerSecond(nowMs: number): number {
    // The sum of weights of one hit a second since the start, so that a young cache is not taken for an idle one.
    const halfLives = Math.max((nowMs - this.#startMs) / HALF_LIFE_MS, 1 / HALF_LIFE_MS);
    const seconds = ((1 - 2 ** -halfLives) * HALF_LIFE_MS) / Math.LN2 / 1000;
    return this.#hits / this.#weight / seconds;
  }

  #look(countedHits: number): number {
    const nowMs = this.#clock.monotonicMs();
    this.#readsToLook = READS_PER_LOOK;
    this.#hits += (countedHits - this.#countedHits) * this.#weight;
    this.#countedHits = countedHits;
    this.#weight *= 2 ** ((nowMs - this.#weightSinceMs) / HALF_LIFE_MS);
    this.#weightSinceMs = nowMs;
    if (this.#weight >= RESCALE_AT) {
      for (let bucket = 0; bucket < BUCKETS; bucket++) this.#hitsAt[bucket]! /= this.#weight;
      this.#hits /= this.#weight;
      this.#weight = 1;
      this.#hullAtMs = -1;
    }
    return nowMs;
  }
}

function bucketOf(distance: number): number {
  return Math.min(BUCKETS - 1, Math.floor(Math.log2(distance) * BUCKETS_PER_OCTAVE));
}

/** The least concave curve over cumulated hits, from size 0. */
class Hull {
  readonly #sizes: Float64Array;
  readonly #heights: Float64Array;
  #count = 0;

  constructor(most: number) {
    this.#sizes = new Float64Array(most);
    this.#heights = new Float64Array(most);
  }

  build(hitsAt: Float64Array): void {
    this.#count = 1;
    let height = 0;
    for (let bucket = 0; bucket < hitsAt.length; bucket++) {
      if (hitsAt[bucket] === 0) continue;
      height += hitsAt[bucket]!;
      this.#add(2 ** ((bucket + 1) / BUCKETS_PER_OCTAVE), height);
    }
  }

  /** The height at `size`; flat beyond the last point. */
  at(size: number): number {
    const last = this.#count - 1;
    if (size >= this.#sizes[last]!) return this.#heights[last]!;
    let low = 0;
    let high = last;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#sizes[middle]! <= size) low = middle;
      else high = middle;
    }
    return this.#heights[low]! + this.#slope(low, high) * (size - this.#sizes[low]!);
  }

  #add(size: number, height: number): void {
    let last = this.#count - 1;
    this.#sizes[last + 1] = size;
    this.#heights[last + 1] = height;
    while (last > 0 && this.#slope(last - 1, last) <= this.#slope(last, last + 1)) {
      this.#sizes[last] = size;
      this.#heights[last] = height;
      last--;
    }
    this.#count = last + 2;
  }

  #slope(from: number, to: number): number {
    return (this.#heights[to]! - this.#heights[from]!) / (this.#sizes[to]! - this.#sizes[from]!);
  }
}
