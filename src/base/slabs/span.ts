/**
 * A span: equal cells in one slab, each free or with one block in it.
 *
 * Cells are bits in plain words (small integers on the heap; a typed array for each span would be one more small allocation outside
 * it). The lowest free cell is taken first. The blocks in a span are linked through the block table, so moving them needs no map from
 * cells back to blocks.
 */
import { invariant } from '../assert.ts';
import type { SizeClass } from './size-classes.ts';
import type { Slab } from './slab.ts';

const WORD_BITS = 32;
/** No block. */
export const NO_SLOT = -1;

export class Span {
  /** Its number among the spans of the allocator. */
  readonly id: number;
  readonly slab: Slab;
  readonly sizeClass: SizeClass;
  readonly firstChunk: number;
  /** Where it begins in the slab, in bytes. */
  readonly offset: number;
  /** Cells with a block in them. */
  liveCount = 0;
  /** First of its blocks in the block table. */
  headSlot = NO_SLOT;
  /** Where it stands in the list of spans with free cells of its class; -1 when it is not in it. */
  place = -1;
  /** True while its blocks are to leave: nothing new goes in. */
  isAside = false;
  readonly #freeWords: number[];
  /** No word before this one has a free cell. */
  #firstWord = 0;

  constructor(options: { id: number; slab: Slab; sizeClass: SizeClass; firstChunk: number; offset: number }) {
    this.id = options.id;
    this.slab = options.slab;
    this.sizeClass = options.sizeClass;
    this.firstChunk = options.firstChunk;
    this.offset = options.offset;
    const { cellsPerSpan } = options.sizeClass;
    this.#freeWords = Array.from({ length: Math.ceil(cellsPerSpan / WORD_BITS) }, () => -1);
    const lastBits = cellsPerSpan % WORD_BITS;
    if (lastBits > 0) this.#freeWords[this.#freeWords.length - 1] = (1 << lastBits) - 1;
  }

  get freeCount(): number {
    return this.sizeClass.cellsPerSpan - this.liveCount;
  }

  isFree(cell: number): boolean {
    return ((this.#freeWords[cell >>> 5]! >>> (cell & 31)) & 1) === 1;
  }

  /** Takes the lowest free cell; there must be one. */
  takeCell(): number {
    for (let word = this.#firstWord; word < this.#freeWords.length; word++) {
      const free = this.#freeWords[word]!;
      if (free === 0) continue;
      this.#firstWord = word;
      this.#freeWords[word] = free & (free - 1);
      this.liveCount++;
      return word * WORD_BITS + (31 - Math.clz32(free & -free));
    }
    invariant(false, 'A full span was asked for a cell.');
  }

  giveCell(cell: number): void {
    invariant(!this.isFree(cell), `Cell ${cell} is free.`);
    const word = cell >>> 5;
    this.#freeWords[word]! |= 1 << (cell & 31);
    if (word < this.#firstWord) this.#firstWord = word;
    this.liveCount--;
  }

  /** Where a cell begins in the slab, in bytes. */
  offsetOf(cell: number): number {
    return this.offset + cell * this.sizeClass.cellBytes;
  }
}
