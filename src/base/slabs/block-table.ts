/**
 * Where each block is: what a handle leads to.
 *
 * A handle is a number: allocator (10 bits), generation (19 bits), slot (24 bits). The slot's row says where the block is now, so a block
 * can move without its handle changing. The generation rises each time a slot is freed, so a handle kept past `free` is told apart
 * from the block that came after; a slot whose generations are used up is retired, so none ever comes twice. Slots are used again oldest
 * first, so their generations rise together: one page wears out in some four thousand million blocks. Allocators are numbered as they
 * are made; a number comes again after 1,023 of them.
 *
 * Rows are 24 bytes in typed arrays of 8,192 rows, one large allocation each: nothing is copied as the table grows, and a block costs
 * the heap no object. Pages at the end that hold no block are given back by `trim`; their generations are remembered, all
 * as the highest of them.
 */
import { invariant } from '../assert.ts';
import { NO_SLOT, type Span } from './slab.ts';
import { SlabHandleError } from './slab-errors.ts';

declare const handleBrand: unique symbol;
/** Stands for a block. Opaque, never 0, worthless to any other allocator. */
export type SlabHandle = number & { readonly [handleBrand]: true };

const SLOT_BITS = 24;
const GENERATION_BITS = 19;
const ALLOCATOR_BITS = 10;
const SLOTS = 2 ** SLOT_BITS;
const LAST_GENERATION = 2 ** GENERATION_BITS - 1;
const ALLOCATORS = 2 ** ALLOCATOR_BITS - 1;

/** Columns of a row. */
const STATE = 0;
const SPAN = 1;
const CELL = 2;
const BYTES = 3;
const NEXT = 4;
const PREVIOUS = 5;
const COLUMNS = 6;

/** The state: generation in the low bits, then whether a block is there, then how many are viewing it. */
const LIVE = 1 << GENERATION_BITS;
const ONE_PIN = LIVE << 1;

const PAGE_BITS = 13;
const PAGE_ROWS = 1 << PAGE_BITS;
const PAGE_MASK = PAGE_ROWS - 1;
export const TABLE_ROW_BYTES = COLUMNS * Int32Array.BYTES_PER_ELEMENT;
export const TABLE_PAGE_BYTES = PAGE_ROWS * TABLE_ROW_BYTES;

let allocatorsMade = 0;

/** The rows of one allocator. */
export class BlockTable {
  readonly #allocatorNumber = (allocatorsMade++ % ALLOCATORS) + 1;
  readonly #allocatorName: string;
  #pages: Int32Array[] = [];
  /** Free rows are linked through NEXT, the longest free first. */
  #firstFree = NO_SLOT;
  #lastFree = NO_SLOT;
  /** Generation of rows on pages still to come. */
  #newGeneration = 0;
  #liveCount = 0;

  constructor(allocatorName: string) {
    this.#allocatorName = allocatorName;
  }

  get liveCount(): number {
    return this.#liveCount;
  }

  get bytes(): number {
    return this.#pages.length * TABLE_PAGE_BYTES;
  }

  /** True when the next block needs one page more; see `addPage`. */
  get isFull(): boolean {
    return this.#firstFree === NO_SLOT;
  }

  /** True when no page can be added: 16 million rows. */
  get isAtItsEnd(): boolean {
    return this.#pages.length * PAGE_ROWS >= SLOTS;
  }

  addPage(): void {
    const page = new Int32Array(PAGE_ROWS * COLUMNS);
    const firstSlot = this.#pages.length * PAGE_ROWS;
    this.#pages.push(page);
    for (let row = 0; row < PAGE_ROWS; row++) {
      page[row * COLUMNS + STATE] = this.#newGeneration;
      this.#linkFree(firstSlot + row);
    }
  }

  /** A row for a block of `bytes` in `cell` of `span`; there must be a free row. Returns its slot. */
  add(span: Span, { cell, bytes }: { cell: number; bytes: number }): number {
    const slot = this.#firstFree;
    invariant(slot !== NO_SLOT, 'The block table is full.');
    const page = this.#pageOf(slot);
    const row = rowOf(slot);
    this.#firstFree = page[row + NEXT]!;
    page[row + STATE]! |= LIVE;
    page[row + BYTES] = bytes;
    this.#liveCount++;
    this.#enter(slot, span, cell);
    return slot;
  }

  /** Frees the row of a block in `span`; its handle is worthless from now on. */
  remove(slot: number, span: Span): void {
    this.#leave(slot, span);
    const page = this.#pageOf(slot);
    const row = rowOf(slot);
    const generation = page[row + STATE]! & LAST_GENERATION;
    this.#liveCount--;
    if (generation === LAST_GENERATION) {
      page[row + STATE] = LAST_GENERATION;
      return;
    }
    page[row + STATE] = generation + 1;
    this.#linkFree(slot);
  }

  /** The block has moved to `cell` of span `to`. */
  move(slot: number, { from, to, cell }: { from: Span; to: Span; cell: number }): void {
    this.#leave(slot, from);
    this.#enter(slot, to, cell);
  }

  handleOf(slot: number): SlabHandle {
    const generation = this.#pageOf(slot)[rowOf(slot) + STATE]! & LAST_GENERATION;
    return ((this.#allocatorNumber * (LAST_GENERATION + 1) + generation) * SLOTS + slot) as SlabHandle;
  }

  /** The slot of a live block. Throws `SlabHandleError` for any other number, or what is none. */
  slotOf(handle: SlabHandle): number {
    const slot = this.find(handle);
    if (typeof slot === 'number') return slot;
    throw new SlabHandleError(this.#allocatorName, slot);
  }

  /** The slot of a live block, or what is wrong with the handle. */
  find(handle: SlabHandle): number | SlabHandleError['problem'] {
    if (!(typeof handle === 'number' && Number.isSafeInteger(handle) && handle > 0)) return 'malformed';
    const front = Math.floor(handle / SLOTS);
    if (front >>> GENERATION_BITS !== this.#allocatorNumber) return 'foreign';
    const slot = handle - front * SLOTS;
    const state = this.#pages[slot >>> PAGE_BITS]?.[rowOf(slot) + STATE];
    if (state === undefined) return 'freed';
    return (state & (LIVE | LAST_GENERATION)) === (LIVE | (front & LAST_GENERATION)) ? slot : 'freed';
  }

  spanIdOf(slot: number): number {
    return this.#pageOf(slot)[rowOf(slot) + SPAN]!;
  }

  cellOf(slot: number): number {
    return this.#pageOf(slot)[rowOf(slot) + CELL]!;
  }

  bytesOf(slot: number): number {
    return this.#pageOf(slot)[rowOf(slot) + BYTES]!;
  }

  /** The next block of the same span. */
  nextOf(slot: number): number {
    return this.#pageOf(slot)[rowOf(slot) + NEXT]!;
  }

  isPinned(slot: number): boolean {
    return this.#pageOf(slot)[rowOf(slot) + STATE]! >>> (GENERATION_BITS + 1) !== 0;
  }

  pin(slot: number): void {
    this.#pageOf(slot)[rowOf(slot) + STATE]! += ONE_PIN;
  }

  unpin(slot: number): void {
    this.#pageOf(slot)[rowOf(slot) + STATE]! -= ONE_PIN;
  }

  /** Drops the pages at the end that hold no block. Returns their bytes. */
  trim(): number {
    let kept = this.#pages.length;
    while (kept > 0 && this.#isPageFree(this.#pages[kept - 1]!)) kept--;
    if (kept === this.#pages.length) return 0;
    const dropped = this.#pages.splice(kept);
    for (const page of dropped) {
      for (let row = 0; row < page.length; row += COLUMNS) {
        this.#newGeneration = Math.max(this.#newGeneration, page[row + STATE]! & LAST_GENERATION);
      }
    }
    this.#relinkFree();
    return dropped.length * TABLE_PAGE_BYTES;
  }

  /** Drops every row. Returns their bytes. */
  clear(): number {
    const bytes = this.bytes;
    this.#pages = [];
    this.#firstFree = NO_SLOT;
    this.#liveCount = 0;
    return bytes;
  }

  #isPageFree(page: Int32Array): boolean {
    for (let row = 0; row < page.length; row += COLUMNS) {
      const state = page[row + STATE]!;
      // A retired row must not come back with a page that is made anew.
      if ((state & LIVE) !== 0 || state === LAST_GENERATION) return false;
    }
    return true;
  }

  #relinkFree(): void {
    this.#firstFree = NO_SLOT;
    for (let slot = 0; slot < this.#pages.length * PAGE_ROWS; slot++) {
      const state = this.#pageOf(slot)[rowOf(slot) + STATE]!;
      if ((state & LIVE) === 0 && state !== LAST_GENERATION) this.#linkFree(slot);
    }
  }

  #linkFree(slot: number): void {
    this.#pageOf(slot)[rowOf(slot) + NEXT] = NO_SLOT;
    if (this.#firstFree === NO_SLOT) this.#firstFree = slot;
    else this.#pageOf(this.#lastFree)[rowOf(this.#lastFree) + NEXT] = slot;
    this.#lastFree = slot;
  }

  #pageOf(slot: number): Int32Array {
    return this.#pages[slot >>> PAGE_BITS]!;
  }

  #leave(slot: number, span: Span): void {
    const page = this.#pageOf(slot);
    const row = rowOf(slot);
    const next = page[row + NEXT]!;
    const previous = page[row + PREVIOUS]!;
    if (next !== NO_SLOT) this.#pageOf(next)[rowOf(next) + PREVIOUS] = previous;
    if (previous !== NO_SLOT) this.#pageOf(previous)[rowOf(previous) + NEXT] = next;
    else span.headSlot = next;
  }

  #enter(slot: number, span: Span, cell: number): void {
    const page = this.#pageOf(slot);
    const row = rowOf(slot);
    page[row + SPAN] = span.id;
    page[row + CELL] = cell;
    page[row + NEXT] = span.headSlot;
    page[row + PREVIOUS] = NO_SLOT;
    if (span.headSlot !== NO_SLOT) this.#pageOf(span.headSlot)[rowOf(span.headSlot) + PREVIOUS] = slot;
    span.headSlot = slot;
  }
}

function rowOf(slot: number): number {
  return (slot & PAGE_MASK) * COLUMNS;
}
