/**
 * Ordinals in descending order of score, made one at a time.
 *
 * A binary heap over the candidates: building it is linear, each step logarithmic, so asking for ten out of a hundred
 * thousand does not sort the rest. Equal scores come newest first.
 */
export class BestFirst {
  readonly #scores: Float32Array;
  readonly #heap: Uint32Array;
  #size = 0;

  /** Candidates are the ordinals with a score above 0. */
  constructor(scores: Float32Array) {
    this.#scores = scores;
    let candidates = 0;
    for (let ordinal = 0; ordinal < scores.length; ordinal++) if (scores[ordinal]! > 0) candidates++;
    this.#heap = new Uint32Array(candidates);
    for (let ordinal = 0; ordinal < scores.length; ordinal++) {
      if (scores[ordinal]! > 0) this.#heap[this.#size++] = ordinal;
    }
    for (let parent = (this.#size >> 1) - 1; parent >= 0; parent--) this.#sink(parent);
  }

  get left(): number {
    return this.#size;
  }

  /** The next best, up to `count` of them. */
  take(count: number): number[] {
    const best: number[] = [];
    while (best.length < count && this.#size > 0) {
      best.push(this.#heap[0]!);
      this.#heap[0] = this.#heap[--this.#size]!;
      this.#sink(0);
    }
    return best;
  }

  #before(one: number, other: number): boolean {
    const difference = this.#scores[one]! - this.#scores[other]!;
    return difference > 0 || (difference === 0 && one > other);
  }

  #sink(start: number): void {
    const heap = this.#heap;
    const ordinal = heap[start]!;
    let place = start;
    for (let child = 2 * place + 1; child < this.#size; child = 2 * place + 1) {
      if (child + 1 < this.#size && this.#before(heap[child + 1]!, heap[child]!)) child++;
      if (!this.#before(heap[child]!, ordinal)) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = ordinal;
  }
}
