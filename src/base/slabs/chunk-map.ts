/**
 * Which of the 64 chunks of a slab are free: one bit each, in two words. Finds and marks runs, and knows its longest.
 */
import { invariant } from '../assert.ts';
import { CHUNKS_PER_SLAB } from './size-classes.ts';

const WORD_BITS = 32;

/** All free at first. */
export class ChunkMap {
  /** A set bit is a free chunk; `#low` has chunks 0 to 31. */
  #low = -1;
  #high = -1;
  #freeCount = CHUNKS_PER_SLAB;
  #longestRun = CHUNKS_PER_SLAB;

  get freeCount(): number {
    return this.#freeCount;
  }

  /** The most chunks that are free in a row. */
  get longestRun(): number {
    return this.#longestRun;
  }

  isFree(chunk: number): boolean {
    return (((chunk < WORD_BITS ? this.#low : this.#high) >>> (chunk % WORD_BITS)) & 1) === 1;
  }

  /** Takes the first `count` free chunks in a row; there must be so many. Returns the first of them. */
  take(count: number): number {
    invariant(count > 0 && count <= this.#longestRun, `No ${count} chunks are free in a row.`);
    let run = 0;
    for (let chunk = 0; chunk < CHUNKS_PER_SLAB; chunk++) {
      run = this.isFree(chunk) ? run + 1 : 0;
      if (run === count) {
        this.#flip(chunk - count + 1, count);
        this.#freeCount -= count;
        this.#longestRun = this.#measureLongestRun();
        return chunk - count + 1;
      }
    }
    invariant(false, 'The longest run of chunks is not there.');
  }

  /** Gives back what `take` gave. */
  give(first: number, count: number): void {
    for (let chunk = first; chunk < first + count; chunk++) invariant(!this.isFree(chunk), `Chunk ${chunk} is free.`);
    this.#flip(first, count);
    this.#freeCount += count;
    this.#longestRun = this.#measureLongestRun();
  }

  #flip(first: number, count: number): void {
    for (let chunk = first; chunk < first + count; chunk++) {
      if (chunk < WORD_BITS) this.#low ^= 1 << chunk;
      else this.#high ^= 1 << (chunk - WORD_BITS);
    }
  }

  #measureLongestRun(): number {
    if (this.#freeCount === CHUNKS_PER_SLAB) return CHUNKS_PER_SLAB;
    let longest = 0;
    let run = 0;
    for (let chunk = 0; chunk < CHUNKS_PER_SLAB; chunk++) {
      run = this.isFree(chunk) ? run + 1 : 0;
      if (run > longest) longest = run;
    }
    return longest;
  }
}
