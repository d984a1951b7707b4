/**
 * How long borrowers waited, in constant space: counts in buckets whose width grows with the wait.
 *
 * Four buckets for each doubling from 1/64 ms up to about 15 hours: a quantile is off by at most 19 % of itself, recording is a
 * logarithm and an increment. (The idea of HdrHistogram, in its smallest form.)
 */
const BUCKETS_PER_DOUBLING = 4;
const LEAST_MS = 1 / 64;
const BUCKETS = 32 * BUCKETS_PER_DOUBLING;

export class WaitHistogram {
  readonly #counts = new Float64Array(BUCKETS);
  #total = 0;

  /** Notes one wait, which stands for `weight` of its like. */
  record(waitedMs: number, weight = 1): void {
    const bucket = waitedMs <= LEAST_MS ? 0 : Math.ceil(Math.log2(waitedMs / LEAST_MS) * BUCKETS_PER_DOUBLING);
    this.#counts[Math.min(bucket, BUCKETS - 1)]! += weight;
    this.#total += weight;
  }

  /** The wait that `share` of all borrowers did not exceed; `immediate` others did not wait at all. 0 when there was none. */
  quantileMs(share: number, immediate = 0): number {
    let left = share * (this.#total + immediate) - immediate;
    if (left <= 0) return 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      left -= this.#counts[bucket]!;
      if (left <= 0) return LEAST_MS * 2 ** (bucket / BUCKETS_PER_DOUBLING);
    }
    return LEAST_MS * 2 ** (BUCKETS / BUCKETS_PER_DOUBLING);
  }
}
