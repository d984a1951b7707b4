/**
 * Which sizes blocks have inside a slab.
 *
 * A slab is cut into 64 *chunks*. A *span* is a run of chunks in one slab, cut into equal *cells*; each class of sizes has spans of its
 * own, so any free cell of a class takes any block of it, a hole never has a wrong size, and a block can be moved to any cell of its
 * class. Cells of 32 to 128 bytes lie 16 bytes apart, then four classes for each doubling (as in jemalloc) up to eight chunks, then one
 * class for each number of chunks up to half a slab. So above 128 bytes a cell is at most a quarter larger than its block (a fifth of the cell is lost),
 * and what a span loses behind its last cell is at most a sixteenth of it.
 *
 * A span has as few chunks as that bound allows, so a class that is hardly used holds one chunk, not a slab. Larger
 * blocks have a buffer of their own, a whole number of chunks long.
 */
import { invariant } from '../assert.ts';

export const CHUNKS_PER_SLAB = 64;
const LEAST_CELL_BYTES = 32;
const FINE_STEP_BYTES = 16;
const FINE_UP_TO_BYTES = 128;
const FINE_UP_TO_BITS = 7;
const STEPS_PER_DOUBLING = 4;
const GEOMETRIC_UP_TO_CHUNKS = 8;
const LARGEST_CHUNKS = CHUNKS_PER_SLAB / 2;
const TAIL_SHARE = 1 / 16;

/** Blocks of one range of sizes, and the spans they live in. */
export interface SizeClass {
  readonly index: number;
  readonly cellBytes: number;
  readonly spanChunks: number;
  readonly cellsPerSpan: number;
  /** For spans of more than eight chunks: a slab's chunks divided by how many of them it holds. 0 for others, which fill gaps. */
  readonly packedChunks: number;
}

/** The classes of slabs of one size. */
export class SizeClasses {
  readonly chunkBytes: number;
  /** The largest block that shares a slab with others: half of it. */
  readonly largestBytes: number;
  readonly all: readonly SizeClass[];
  readonly #geometricUpToBytes: number;
  /** Classes up to there, the first of the linear ones. */
  readonly #geometricCount: number;

  /** `slabBytes`: a power of two, 64 KB or more. */
  constructor(slabBytes: number) {
    this.chunkBytes = slabBytes / CHUNKS_PER_SLAB;
    this.largestBytes = LARGEST_CHUNKS * this.chunkBytes;
    this.#geometricUpToBytes = GEOMETRIC_UP_TO_CHUNKS * this.chunkBytes;
    const sizes: number[] = [];
    for (let bytes = LEAST_CELL_BYTES; bytes <= FINE_UP_TO_BYTES; bytes += FINE_STEP_BYTES) sizes.push(bytes);
    for (let base = FINE_UP_TO_BYTES; base < this.#geometricUpToBytes; base *= 2) {
      for (let step = 1; step <= STEPS_PER_DOUBLING; step++) sizes.push(base + (base / STEPS_PER_DOUBLING) * step);
    }
    this.#geometricCount = sizes.length;
    for (let chunks = GEOMETRIC_UP_TO_CHUNKS + 1; chunks <= LARGEST_CHUNKS; chunks++)
      sizes.push(chunks * this.chunkBytes);
    this.all = sizes.map((cellBytes, index) => sizeClass({ index, cellBytes, chunkBytes: this.chunkBytes }));
  }

  /** The smallest class for a block of `bytes`, 0 to `largestBytes`. */
  of(bytes: number): SizeClass {
    return this.all[this.#indexOf(bytes)]!;
  }

  #indexOf(bytes: number): number {
    if (bytes <= LEAST_CELL_BYTES) return 0;
    if (bytes <= FINE_UP_TO_BYTES) return Math.ceil((bytes - LEAST_CELL_BYTES) / FINE_STEP_BYTES);
    if (bytes <= this.#geometricUpToBytes) {
      // With b bits in bytes − 1, the two bits below the highest tell the quarter of the doubling.
      const bits = 31 - Math.clz32(bytes - 1);
      const quarter = ((bytes - 1) >>> (bits - 2)) - STEPS_PER_DOUBLING;
      const fine = (FINE_UP_TO_BYTES - LEAST_CELL_BYTES) / FINE_STEP_BYTES + 1;
      return fine + (bits - FINE_UP_TO_BITS) * STEPS_PER_DOUBLING + quarter;
    }
    return this.#geometricCount + Math.ceil(bytes / this.chunkBytes) - GEOMETRIC_UP_TO_CHUNKS - 1;
  }
}

function sizeClass(size: { index: number; cellBytes: number; chunkBytes: number }): SizeClass {
  const { index, cellBytes, chunkBytes } = size;
  for (let spanChunks = Math.ceil(cellBytes / chunkBytes); spanChunks <= LARGEST_CHUNKS; spanChunks++) {
    const spanBytes = spanChunks * chunkBytes;
    if (spanBytes % cellBytes <= spanBytes * TAIL_SHARE) {
      const perSlab = Math.floor(CHUNKS_PER_SLAB / spanChunks);
      const packedChunks = spanChunks > GEOMETRIC_UP_TO_CHUNKS ? Math.ceil(CHUNKS_PER_SLAB / perSlab) : 0;
      return { index, cellBytes, spanChunks, cellsPerSpan: Math.floor(spanBytes / cellBytes), packedChunks };
    }
  }
  invariant(false, `No span fits cells of ${cellBytes} bytes.`);
}
