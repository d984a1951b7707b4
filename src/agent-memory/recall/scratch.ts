/**
 * Arrays for scores, used again from question to question.
 *
 * A question over a hundred thousand memories needs two arrays of 400 KB for a millisecond. Allocated anew each time they make
 * the collector run and the process swell; here a few wait for the next question. What was never given back is simply collected.
 */

/** Arrays that may wait: two for each of two questions at once. */
const SPARE_LIMIT = 4;
/** A larger array is not kept: few partitions are that large, and what waits is not in the budget. */
const SPARE_ENTRIES = 2 ** 20;

export class ScratchArrays {
  #spare: Float32Array[] = [];

  /** An array of `size` zeros. */
  take(size: number): Float32Array {
    const at = this.#spare.findIndex(({ length }) => length >= size);
    if (at < 0) return new Float32Array(size);
    const [spare] = this.#spare.splice(at, 1);
    return spare!.subarray(0, size).fill(0);
  }

  /** Lets `array` be taken again; the caller keeps no use of it. */
  giveBack(array: Float32Array): void {
    const whole = new Float32Array(array.buffer);
    if (whole.length > SPARE_ENTRIES) return;
    this.#spare.push(whole);
    if (this.#spare.length <= SPARE_LIMIT) return;
    this.#spare.sort((one, other) => other.length - one.length);
    this.#spare.pop();
  }
}
