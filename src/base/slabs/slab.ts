/**
 * A slab, and the spans it is cut into.
 *
 * **A slab** is memory that comes from the system and goes back to it as a whole, at once.
 *
 * It is a resizable ArrayBuffer, made empty and grown to its size. `resize(0)`, or detaching it where Node can, unmaps its pages there
 * and then, while dropping the last reference would do so after some later garbage collection (decision 7 has the measurements). It is grown after it was made because V8
 * up to Node 22 goes on counting the length a buffer was *made* with, and collects garbage for it, after the buffer has been
 * emptied. A slab that was emptied is never filled again: a stale view of it reads as empty instead of showing somebody else's bytes.
 *
 * It is always full size or empty, never in between: each one shortened in part costs two of the mappings a process may have (65,530 by
 * default on Linux), while neighbours of full size share one.
 *
 * **A span** is a run of chunks with equal cells, each free or with one block in it. Cells are bits in plain words (small integers on the heap;
 * a typed array for each span would be one more small allocation outside it). The lowest free cell is taken first. The blocks in a span are linked
 * through the block table, so moving them needs no map from cells back to blocks.
 */
import { invariant } from '../assert.ts';
import { ChunkMap } from './chunk-map.ts';
import type { SizeClass } from './size-classes.ts';

const CAN_TRANSFER = 'transferToFixedLength' in ArrayBuffer.prototype;
const WORD_BITS = 32;
/** No block. */
export const NO_SLOT = -1;

/** Memory that goes back to the system as a whole. */
export class Slab {
  readonly sizeBytes: number;
  /** All of its bytes; empty once it was released. */
  readonly bytes: Uint8Array;
  /** True where it holds one block that is too large to share. */
  readonly isDedicated: boolean;
  readonly chunks = new ChunkMap();
  readonly spans = new Set<Span>();
  /** Bytes of the cells that have a block in them. */
  cellBytes = 0;
  /** Blocks being viewed: while there are any, nothing here may move. */
  pinCount = 0;
  /** True while compaction empties it: nothing new goes in. */
  isDraining = false;
  /** Where it stands on its shelf; -1 when it is on none. */
  place = -1;
  /** Its shelf: the longest run of free chunks it had when it was put there. */
  shelf = 0;
  readonly #buffer: ArrayBuffer;

  /** Throws the runtime's `RangeError` when there is no memory. */
  constructor(options: { sizeBytes: number; isDedicated: boolean }) {
    this.sizeBytes = options.sizeBytes;
    this.isDedicated = options.isDedicated;
    this.#buffer = new ArrayBuffer(0, { maxByteLength: options.sizeBytes });
    this.#buffer.resize(options.sizeBytes);
    this.bytes = new Uint8Array(this.#buffer);
  }

  get buffer(): ArrayBuffer {
    return this.#buffer;
  }

  get isEmpty(): boolean {
    return this.cellBytes === 0;
  }

  /** Gives its pages back to the system. Every view of it is empty from now on. */
  release(): void {
    // From Node 22 on, for half the price: `resize` fills with zeros what it then unmaps.
    if (CAN_TRANSFER) this.#buffer.transferToFixedLength(0);
    else this.#buffer.resize(0);
  }
}

/** A run of chunks of one slab with equal cells. */
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
