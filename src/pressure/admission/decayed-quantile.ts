/**
 * A quantile of sizes, the recent ones counting most, in half a kilobyte.
 *
 * A histogram whose buckets grow by a quarter of a power of two, so a size is known to within 19 %, and is told by the upper edge of
 * its bucket: an estimate from it errs on the safe side. Instead of fading every bucket at each sample, each sample weighs a
 * little more than the one before (forward decay: Cormode et al., 2009); weights are scaled back before they grow out of range.
 */

const BUCKETS_PER_DOUBLING = 4;
const LEAST_BYTES = 256;
/** 256 B to 1 TB. */
const BUCKETS = 32 * BUCKETS_PER_DOUBLING;
/** After so many samples one counts for half. */
const HALF_LIFE_SAMPLES = 256;
const GROWTH = 2 ** (1 / HALF_LIFE_SAMPLES);
const LARGEST_WEIGHT = 2 ** 40;

export class DecayedQuantile {
  readonly #share: number;
  readonly #weights = new Float64Array(BUCKETS);
  #totalWeight = 0;
  #weight = 1;
  #samples = 0;
  #valueBytes = 0;
  #isStale = false;

  /** `share` of the samples lie at or below the quantile; above 0, below 1. */
  constructor(share: number) {
    this.#share = share;
  }

  get samples(): number {
    return this.#samples;
  }

  add(bytes: number): void {
    const bucket = Math.ceil(Math.log2(bytes / LEAST_BYTES) * BUCKETS_PER_DOUBLING);
    const index = bytes <= LEAST_BYTES ? 0 : Math.min(bucket, BUCKETS - 1);
    this.#weights[index]! += this.#weight;
    this.#totalWeight += this.#weight;
    this.#weight *= GROWTH;
    this.#samples++;
    this.#isStale = true;
    if (this.#weight > LARGEST_WEIGHT) this.#scaleBack();
  }

  /** In bytes; 0 without samples. */
  get valueBytes(): number {
    if (!this.#isStale) return this.#valueBytes;
    this.#isStale = false;
    let below = 0;
    let index = 0;
    for (; index < BUCKETS - 1; index++) {
      below += this.#weights[index]!;
      if (below >= this.#share * this.#totalWeight) break;
    }
    this.#valueBytes = Math.ceil(LEAST_BYTES * 2 ** (index / BUCKETS_PER_DOUBLING));
    return this.#valueBytes;
  }

  #scaleBack(): void {
    for (let index = 0; index < BUCKETS; index++) this.#weights[index]! /= this.#weight;
    this.#totalWeight /= this.#weight;
    this.#weight = 1;
  }
}
