/**
 * Ordinals in descending order of score, a page at a time.
 *
 * A page is one pass over the scores with a heap no larger than the page: asking for ten out of a hundred thousand compares
 * each score once and sorts ten. Equal scores come newest first.
 */
export class BestFirst {
  readonly #scores: Float32Array;
  /** The last ordinal given; what comes before it in the order has been given too. */
  #last: number | undefined;

  /** Candidates are the ordinals with a score above 0. */
  constructor(scores: Float32Array) {
    this.#scores = scores;
  }

  /** The next best, up to `count` of them; empty when there are no more. */
  take(count: number): number[] {
    const scores = this.#scores;
    const worstFirst: number[] = [];
    let floor = 0;
    for (let ordinal = scores.length - 1; ordinal >= 0; ordinal--) {
      // Going down in ordinals, a score equal to the floor comes after everything in a full page.
      if (scores[ordinal]! <= floor) continue;
      if (this.#last !== undefined && !this.#before(this.#last, ordinal)) continue;
      if (worstFirst.length < count) this.#add(worstFirst, ordinal);
      else this.#replaceWorst(worstFirst, ordinal);
      if (worstFirst.length === count) floor = scores[worstFirst[0]!]!;
    }
    const page = worstFirst.sort((one, other) => (this.#before(one, other) ? -1 : 1));
    this.#last = page.at(-1) ?? this.#last;
    return page;
  }

  #before(one: number, other: number): boolean {
    const difference = this.#scores[one]! - this.#scores[other]!;
    return difference > 0 || (difference === 0 && one > other);
  }

  #add(heap: number[], ordinal: number): void {
    let place = heap.push(ordinal) - 1;
    for (let parent = (place - 1) >> 1; place > 0 && this.#before(heap[parent]!, ordinal); parent = (place - 1) >> 1) {
      heap[place] = heap[parent]!;
      place = parent;
    }
    heap[place] = ordinal;
  }

  #replaceWorst(heap: number[], ordinal: number): void {
    let place = 0;
    for (let child = 1; child < heap.length; child = 2 * place + 1) {
      if (child + 1 < heap.length && this.#before(heap[child]!, heap[child + 1]!)) child++;
      if (!this.#before(ordinal, heap[child]!)) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = ordinal;
  }
}
