/**
 * A sum or an extreme over the last so many milliseconds, in constant memory.
 *
 * Time is cut into buckets; what lies in buckets older than the window is forgotten, so the window is exact to one bucket. `atMs` is
 * monotonic time. Adding is O(1), reading O(buckets).
 */
export class SlidingWindow {
  readonly windowMs: number;
  readonly #bucketMs: number;
  readonly #values: Float64Array;
  /** Which slice of time a bucket holds. */
  readonly #slices: Float64Array;
  readonly #combine: (one: number, other: number) => number;
  readonly #nothing: number;

  private constructor(
    options: { windowMs: number; buckets: number },
    nothing: number,
    combine: (one: number, other: number) => number,
  ) {
    this.windowMs = options.windowMs;
    this.#bucketMs = options.windowMs / options.buckets;
    this.#values = new Float64Array(options.buckets);
    this.#slices = new Float64Array(options.buckets).fill(Number.NEGATIVE_INFINITY);
    this.#nothing = nothing;
    this.#combine = combine;
  }

  /** Sums; 0 when nothing was added. */
  static sum(options: { windowMs: number; buckets: number }): SlidingWindow {
    return new SlidingWindow(options, 0, (one, other) => one + other);
  }

  /** Keeps the lowest; Infinity when nothing was added. */
  static lowest(options: { windowMs: number; buckets: number }): SlidingWindow {
    return new SlidingWindow(options, Number.POSITIVE_INFINITY, Math.min);
  }

  /** Keeps the highest; -Infinity when nothing was added. */
  static highest(options: { windowMs: number; buckets: number }): SlidingWindow {
    return new SlidingWindow(options, Number.NEGATIVE_INFINITY, Math.max);
  }

  add(atMs: number, value: number): void {
    const slice = Math.floor(atMs / this.#bucketMs);
    const index = slice % this.#values.length;
    this.#values[index] = this.#combine(this.#slices[index] === slice ? this.#values[index]! : this.#nothing, value);
    this.#slices[index] = slice;
  }

  value(atMs: number): number {
    const oldest = Math.floor(atMs / this.#bucketMs) - this.#values.length + 1;
    let value = this.#nothing;
    for (let index = 0; index < this.#values.length; index++) {
      if (this.#slices[index]! >= oldest) value = this.#combine(value, this.#values[index]!);
    }
    return value;
  }
}
