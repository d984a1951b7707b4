/**
 * All slabs of one allocator: where there is a free cell, when a slab is made, and when it goes back.
 *
 *   slab ── 64 chunks ── spans of a class ── cells
 *
 * A block goes, in this order, into the span of its class in which a cell came free last (a full one until then, so the fullest are
 * filled up while sparse ones run dry), into a new span in the slab with the tightest gap that holds it, into a slab that compaction was
 * to empty but has not, and only then into a new slab. All of it takes the same time however much is held.
 *
 * The last block to leave gives the slab back to the system, but for a few that are kept for what comes next (`spareSlabs`): making
 * and unmaking a slab costs the system half a millisecond or more.
 *
 * **Promise.** What the grant gave equals `slabs × slabBytes`, plus the buffers of blocks too large to share, plus
 * whatever was taken through `takeGrant`. `neededChunks` is what the blocks would take if no class had more than one span that
 * is not full, and `packedChunks` what the large ones among them would if each slab held those of one class: they tell, without looking at
 * any slab, how many slabs compaction could return.
 */

import { CHUNKS_PER_SLAB, type SizeClass, SizeClasses } from './size-classes.ts';
import { Slab, Span } from './slab.ts';
import { SlabMemoryError } from './slab-errors.ts';
import type { SlabGrant } from './slab-grant.ts';

/** Not every gap fits every span: a sixteenth is left out of what compaction is said to bring, and a fifth where spans are large. */
const PACKING_SHARE = 17 / 16;
const LARGE_PACKING_SHARE = 5 / 4;

/** Whether a slab may be made for a block, or only room be used that is there. */
export type Room = 'any' | 'existing';

/** The slabs of one allocator; see the header. */
export class SlabHeap {
  readonly slabBytes: number;
  readonly classes: SizeClasses;
  readonly #name: string;
  readonly #grant: SlabGrant;
  readonly #spareSlabs: number;
  readonly #spans: (Span | undefined)[] = [];
  readonly #freeSpanIds: number[] = [];
  /** By class: the spans with a free cell, outside slabs being emptied. */
  readonly #partial: Span[][];
  /** By longest run of free chunks: the slabs that are not being emptied. */
  readonly #shelves: Slab[][] = Array.from({ length: CHUNKS_PER_SLAB + 1 }, () => []);
  readonly #slabs = new Set<Slab>();
  readonly #dedicated = new Set<Slab>();
  /** Those being emptied, next first. */
  #draining: Slab[] = [];
  readonly #liveByClass: number[];
  #neededChunks = 0;
  #packedChunks = 0;
  #cellBytes = 0;
  #dedicatedBytes = 0;
  #releasedBytes = 0;

  constructor(options: { name: string; slabBytes: number; spareSlabs: number; grant: SlabGrant }) {
    this.#name = options.name;
    this.slabBytes = options.slabBytes;
    this.#spareSlabs = options.spareSlabs;
    this.#grant = options.grant;
    this.classes = new SizeClasses(options.slabBytes);
    this.#partial = this.classes.all.map(() => []);
    this.#liveByClass = this.classes.all.map(() => 0);
  }

  /** Those that blocks share. */
  get slabs(): ReadonlySet<Slab> {
    return this.#slabs;
  }

  /** Those with one large block. */
  get dedicated(): ReadonlySet<Slab> {
    return this.#dedicated;
  }

  /** By class: the spans that have a free cell. */
  get partial(): readonly (readonly Span[])[] {
    return this.#partial;
  }

  /** Without a block in them, kept for what comes next. */
  get emptySlabs(): readonly Slab[] {
    return this.#shelves[CHUNKS_PER_SLAB]!;
  }

  /** The slab to be emptied next. */
  get nextDraining(): Slab | undefined {
    return this.#draining[0];
  }

  get slabTotalBytes(): number {
    return this.#slabs.size * this.slabBytes + this.#dedicatedBytes;
  }

  get dedicatedBytes(): number {
    return this.#dedicatedBytes;
  }

  /** Bytes of the cells and buffers that have a block in them. */
  get cellBytes(): number {
    return this.#cellBytes;
  }

  /** All that ever went back to the system. */
  get releasedBytes(): number {
    return this.#releasedBytes;
  }

  /** Chunks the blocks need at least; see the header. */
  get neededChunks(): number {
    return this.#neededChunks;
  }

  /** Slabs that would be over if blocks were moved together; see the header. */
  get compactableSlabs(): number {
    const neededChunks = Math.max(this.#neededChunks * PACKING_SHARE, this.#packedChunks * LARGE_PACKING_SHARE);
    const neededSlabs = Math.ceil(neededChunks / CHUNKS_PER_SLAB);
    return Math.max(this.emptySlabs.length, this.#slabs.size - neededSlabs);
  }

  /** What the grant would be asked for by a block of `bytes` if nothing that is there had room. */
  slabBytesFor(bytes: number): number {
    const { largestBytes, chunkBytes } = this.classes;
    return bytes <= largestBytes ? this.slabBytes : Math.ceil(bytes / chunkBytes) * chunkBytes;
  }

  /**
   * A span with a free cell for a block of `bytes`; null when there is no room and no grant. The cell is not taken yet.
   *
   * @throws SlabMemoryError
   */
  spanFor(bytes: number, room: Room): Span | null {
    if (bytes > this.classes.largestBytes) return this.#dedicatedSpan(bytes);
    const sizeClass = this.classes.of(bytes);
    for (;;) {
      const span = this.#partial[sizeClass.index]!.at(-1) ?? this.#spanInSlabs(sizeClass);
      if (span || room === 'existing') return span;
      // Rather use a slab that was to be emptied than reserve one more.
      if (this.stopDraining()) continue;
      const slab = this.#makeSlab({ sizeBytes: this.slabBytes, isDedicated: false });
      if (slab === null) return null;
      this.#slabs.add(slab);
      this.#shelve(slab);
    }
  }

  /** Takes a cell of `span` for a block. */
  takeCell(span: Span): number {
    const cell = span.takeCell();
    const { slab, sizeClass } = span;
    slab.cellBytes += sizeClass.cellBytes;
    this.#cellBytes += sizeClass.cellBytes;
    if (slab.isDedicated) return cell;
    if (span.freeCount === 0) this.#unlist(span);
    this.#countLive(sizeClass, 1);
    return cell;
  }

  /** A block has left its cell. */
  giveCell(span: Span, cell: number): void {
    span.giveCell(cell);
    const { slab, sizeClass } = span;
    slab.cellBytes -= sizeClass.cellBytes;
    this.#cellBytes -= sizeClass.cellBytes;
    if (slab.isDedicated) {
      this.#forgetSpan(span);
      this.#releaseSlab(slab);
      return;
    }
    this.#countLive(sizeClass, -1);
    if (span.liveCount === 0) this.#giveSpan(span);
    else if (span.place === -1 && !span.isAside) this.#list(span);
  }

  spanOf(id: number): Span {
    return this.#spans[id]!;
  }

  /** Keeps a span out of the way of new blocks while its own are moved; `takeBack` ends it. */
  setAside(span: Span): void {
    span.isAside = true;
    if (span.place !== -1) this.#unlist(span);
  }

  /** Ends `setAside` of a span; it must still have blocks. */
  takeBack(span: Span): void {
    span.isAside = false;
    if (span.freeCount > 0) this.#list(span);
  }

  /** Nothing new goes into these from now on; they are to be emptied in this order. */
  startDraining(slabs: readonly Slab[]): void {
    for (const slab of slabs) {
      this.#unshelve(slab);
      slab.isDraining = true;
      for (const span of slab.spans) this.setAside(span);
    }
    this.#draining.push(...slabs);
  }

  /** Takes one slab back into use, by default the last that was to be emptied. False when there is none. */
  stopDraining(slab = this.#draining.at(-1)): boolean {
    if (slab === undefined) return false;
    this.#draining.splice(this.#draining.indexOf(slab), 1);
    slab.isDraining = false;
    this.#shelve(slab);
    for (const span of slab.spans) this.takeBack(span);
    return true;
  }

  /** Gives one slab back that has no block; false when there is none. */
  releaseEmptySlab(): boolean {
    const slab = this.emptySlabs.at(-1);
    if (slab === undefined) return false;
    this.#releaseSlab(slab);
    return true;
  }

  /** Takes bytes from the grant for what belongs to the slabs but is none. */
  takeGrant(bytes: number): boolean {
    return this.#grant.tryTake(bytes);
  }

  releaseGrant(bytes: number): void {
    this.#grant.release(bytes);
  }

  /** Gives everything back, blocks or not. */
  close(): void {
    for (const list of this.#partial) list.length = 0;
    this.#spans.length = 0;
    this.#draining = [];
    for (const slab of [...this.#slabs, ...this.#dedicated]) {
      slab.place = -1;
      this.#releaseSlab(slab);
    }
    for (const shelf of this.#shelves) shelf.length = 0;
    this.#cellBytes = 0;
    this.#neededChunks = 0;
    this.#packedChunks = 0;
  }

  #dedicatedSpan(bytes: number): Span | null {
    const sizeBytes = this.slabBytesFor(bytes);
    const slab = this.#makeSlab({ sizeBytes, isDedicated: true });
    if (slab === null) return null;
    this.#dedicated.add(slab);
    this.#dedicatedBytes += sizeBytes;
    const sizeClass = {
      index: -1,
      cellBytes: sizeBytes,
      spanChunks: CHUNKS_PER_SLAB,
      cellsPerSpan: 1,
      packedChunks: 0,
    };
    return this.#newSpan(slab, sizeClass);
  }

  /** A new span in the slab whose longest gap is the smallest that holds it. */
  #spanInSlabs(sizeClass: SizeClass): Span | null {
    for (let run = sizeClass.spanChunks; run <= CHUNKS_PER_SLAB; run++) {
      const slab = this.#shelves[run]!.at(-1);
      if (slab === undefined) continue;
      const span = this.#newSpan(slab, sizeClass);
      this.#list(span);
      return span;
    }
    return null;
  }

  #newSpan(slab: Slab, sizeClass: SizeClass): Span {
    const firstChunk = slab.chunks.take(sizeClass.spanChunks);
    const id = this.#freeSpanIds.pop() ?? this.#spans.length;
    const offset = firstChunk * this.classes.chunkBytes;
    const span = new Span({ id, slab, sizeClass, firstChunk, offset });
    this.#spans[id] = span;
    slab.spans.add(span);
    if (!slab.isDedicated) this.#reshelve(slab);
    return span;
  }

  #giveSpan(span: Span): void {
    const { slab } = span;
    this.setAside(span);
    this.#forgetSpan(span);
    slab.chunks.give(span.firstChunk, span.sizeClass.spanChunks);
    if (slab.isDraining) {
      if (slab.isEmpty) this.#releaseSlab(slab);
      return;
    }
    this.#reshelve(slab);
    if (slab.isEmpty && this.emptySlabs.length > this.#spareSlabs) this.#releaseSlab(slab);
  }

  #forgetSpan(span: Span): void {
    span.slab.spans.delete(span);
    this.#spans[span.id] = undefined;
    this.#freeSpanIds.push(span.id);
  }

  #makeSlab(options: { sizeBytes: number; isDedicated: boolean }): Slab | null {
    const { sizeBytes } = options;
    if (!this.#grant.tryTake(sizeBytes)) return null;
    try {
      return new Slab(options);
    } catch (cause) {
      this.#grant.release(sizeBytes);
      throw new SlabMemoryError({ allocator: this.#name, requestBytes: sizeBytes, cause });
    }
  }

  #releaseSlab(slab: Slab): void {
    if (slab.isDraining) this.#draining = this.#draining.filter((each) => each !== slab);
    else if (slab.place !== -1) this.#unshelve(slab);
    if (this.#dedicated.delete(slab)) this.#dedicatedBytes -= slab.sizeBytes;
    else this.#slabs.delete(slab);
    slab.release();
    this.#releasedBytes += slab.sizeBytes;
    this.#grant.release(slab.sizeBytes);
  }

  #countLive(sizeClass: SizeClass, change: 1 | -1): void {
    const { index, cellsPerSpan, spanChunks, packedChunks } = sizeClass;
    const before = this.#liveByClass[index]!;
    this.#liveByClass[index] = before + change;
    // A span more or less is needed when the higher of the two counts is the first of a span.
    if (Math.max(before, before + change) % cellsPerSpan !== 1 % cellsPerSpan) return;
    this.#neededChunks += change * spanChunks;
    this.#packedChunks += change * packedChunks;
  }

  #list(span: Span): void {
    const list = this.#partial[span.sizeClass.index]!;
    span.place = list.length;
    list.push(span);
  }

  #unlist(span: Span): void {
    removeAt(this.#partial[span.sizeClass.index]!, span);
  }

  #shelve(slab: Slab): void {
    const shelf = this.#shelves[slab.chunks.longestRun]!;
    slab.place = shelf.length;
    slab.shelf = slab.chunks.longestRun;
    shelf.push(slab);
  }

  #unshelve(slab: Slab): void {
    removeAt(this.#shelves[slab.shelf]!, slab);
  }

  #reshelve(slab: Slab): void {
    if (slab.isDraining || slab.shelf === slab.chunks.longestRun) return;
    this.#unshelve(slab);
    this.#shelve(slab);
  }
}

/** Takes an item out of the list it stands in, in constant time: the last one takes its place. */
function removeAt<T extends { place: number }>(list: T[], item: T): void {
  const last = list.pop()!;
  if (last !== item) {
    list[item.place] = last;
    last.place = item.place;
  }
  item.place = -1;
}
