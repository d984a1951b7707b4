/**
 * Blocks of bytes in slabs that go back to the system whole and at once.
 *
 * Freed small buffers stay with the C library's allocator: the books fall, resident memory does not (decision 7). Here blocks
 * lie in slabs of 1 to 4 MB; a slab without blocks is unmapped there and then, and `release` moves blocks together so that slabs without
 * blocks come about. So bytes that are reclaimed leave the process.
 *
 * **Handles.** A block is a number, not an object: it costs the heap nothing, and the block may move under it. A handle that was freed,
 * or belongs to another allocator, is refused with `SlabHandleError`; it never leads to another block.
 *
 * **Views.** `view` shows a block in place, until the next `free` or `release` of anything, or `close`; after that it shows whatever lies
 * there. Do not keep it across an `await`, and do not hand it to anything that works on in the background (a write to a socket or a
 * file, a `Response`): give those a copy. `withView` keeps the block in its place while it is looked at.
 *
 * **Costs.** `tryAllocate` and `free` take constant time, whatever is held (a new or an emptied slab costs the system about a
 * millisecond). A block takes a cell of its class (`size-classes.ts`) and 24 bytes of the block table; larger than half a slab, a buffer of its own. All of
 * it, table and holes as well, is granted by `grant` first and is in `reservedBytes`. Not thread-safe, and not shared between threads.
 */
import { requireBytes } from '../bytes.ts';
import { type Clock, checkedDelay, systemClock } from '../clock.ts';
import { ClosedError, InvalidArgumentError } from '../errors.ts';
import { BlockTable, type SlabHandle, TABLE_PAGE_BYTES, TABLE_ROW_BYTES } from './block-table.ts';
import { Compaction, type SlabRelease } from './compaction.ts';
import { SlabBlockInUseError, SlabNoRoomError } from './slab-errors.ts';
import { type SlabGrant, unlimitedGrant } from './slab-grant.ts';
import { SlabHeap } from './slab-heap.ts';
import { isSlabBytes, MAX_BLOCK_BYTES, MAX_SLAB_BYTES, MIN_SLAB_BYTES } from './slab-sizes.ts';
import type { SlabStatistics } from './slab-statistics.ts';

const DEFAULT_SPARE_SLABS = 2;
const NOTHING: SlabRelease = { releasedBytes: 0, movedBytes: 0, movedBlocks: 0, end: 'exhausted' };

/** How an allocator is made. */
export interface SlabAllocatorOptions {
  /** Named in errors; `slabs` by default. */
  readonly name?: string;
  /** Size of one slab: 1 MB (the default), 2 MB or 4 MB. */
  readonly slabBytes?: number;
  /** The largest block it takes, up to 1 GB, which is the default. */
  readonly maxBlockBytes?: number;
  /** Empty slabs kept for what comes next; 2 by default. They are part of `reservedBytes` and the first to be released. */
  readonly spareSlabs?: number;
  /** Who grants the bytes; everything is granted by default. */
  readonly grant?: SlabGrant;
  readonly clock?: Clock;
}

/** How much to release, and in what time. */
export interface SlabReleaseOptions {
  readonly targetBytes: number;
  /** When it is over the release ends as `paused`; calling it again goes on. No bound by default. */
  readonly deadlineMs?: number;
}

/** Blocks by handle; see the header. */
export class SlabAllocator implements Disposable {
  readonly name: string;
  readonly slabBytes: number;
  readonly maxBlockBytes: number;
  readonly #heap: SlabHeap;
  readonly #table: BlockTable;
  readonly #compaction: Compaction;
  #liveBytes = 0;
  #isReleasing = false;
  #isClosed = false;

  /** @throws InvalidArgumentError for a size or number outside its range. */
  constructor(options: SlabAllocatorOptions = {}) {
    const { name = 'slabs', slabBytes = MIN_SLAB_BYTES, maxBlockBytes = MAX_BLOCK_BYTES } = options;
    const { spareSlabs = DEFAULT_SPARE_SLABS, grant = unlimitedGrant, clock = systemClock } = options;
    if (!isSlabBytes(slabBytes)) {
      throw new InvalidArgumentError(
        'slabBytes',
        `must be a power of two from ${MIN_SLAB_BYTES} to ${MAX_SLAB_BYTES}; got ${String(slabBytes)}.`,
      );
    }
    requireBytes(maxBlockBytes, 'maxBlockBytes');
    if (maxBlockBytes === 0 || maxBlockBytes > MAX_BLOCK_BYTES) {
      throw new InvalidArgumentError('maxBlockBytes', `must be 1 to ${MAX_BLOCK_BYTES}; got ${maxBlockBytes}.`);
    }
    if (!Number.isSafeInteger(spareSlabs) || spareSlabs < 0) {
      throw new InvalidArgumentError('spareSlabs', `must be a whole number, 0 or more; got ${String(spareSlabs)}.`);
    }
    this.name = name;
    this.slabBytes = slabBytes;
    this.maxBlockBytes = maxBlockBytes;
    this.#heap = new SlabHeap({ name, slabBytes, spareSlabs, grant });
    this.#table = new BlockTable(name);
    this.#compaction = new Compaction({ heap: this.#heap, table: this.#table, clock });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** All that the grant has given: slabs, buffers of large blocks, and the block table. */
  get reservedBytes(): number {
    return this.#heap.slabTotalBytes + this.#table.bytes;
  }

  /** Bytes of the live blocks, as they were asked for. */
  get liveBytes(): number {
    return this.#liveBytes;
  }

  get blockCount(): number {
    return this.#table.liveCount;
  }

  /** What `release` could return without anything being freed. A cautious estimate, made without looking at any slab. */
  get compactableBytes(): number {
    return this.#heap.compactableSlabs * this.slabBytes;
  }

  /**
   * A block of `bytes` zeros, 0 to `maxBlockBytes`; null when the grant is refused.
   *
   * @throws InvalidArgumentError, SlabMemoryError, ClosedError; SlabNoRoomError past 16 million blocks.
   */
  tryAllocate(bytes: number): SlabHandle | null {
    return this.#place(requireBytes(bytes, 'bytes'), null);
  }

  /**
   * As `tryAllocate`.
   *
   * @throws SlabNoRoomError when the grant is refused; InvalidArgumentError, SlabMemoryError, ClosedError.
   */
  allocate(bytes: number): SlabHandle {
    return this.#orNoRoom(this.tryAllocate(bytes), bytes);
  }

  /** A block that holds a copy of `source`; null when the grant is refused. Throws as `tryAllocate`. */
  tryPut(source: Uint8Array): SlabHandle | null {
    requireBytesView(source, 'source');
    return this.#place(source.length, source);
  }

  /** As `tryPut`; throws as `allocate`. */
  put(source: Uint8Array): SlabHandle {
    return this.#orNoRoom(this.tryPut(source), source.length);
  }

  /**
   * Frees a block. Its handle is worthless from now on.
   *
   * @throws SlabHandleError for a handle that was freed or is none of this allocator; SlabBlockInUseError within `withView` on it;
   * ClosedError.
   */
  free(handle: SlabHandle): void {
    const slot = this.#slotOf(handle);
    if (this.#table.isPinned(slot)) throw new SlabBlockInUseError(this.name);
    const span = this.#heap.spanOf(this.#table.spanIdOf(slot));
    const cell = this.#table.cellOf(slot);
    this.#liveBytes -= this.#table.bytesOf(slot);
    this.#table.remove(slot, span);
    this.#heap.giveCell(span, cell);
  }

  /** True for a handle of a live block of this allocator. Never throws. */
  has(handle: SlabHandle): boolean {
    return !this.#isClosed && typeof this.#table.find(handle) === 'number';
  }

  /** Bytes of a block, as they were asked for. Throws as `view`. */
  bytesOf(handle: SlabHandle): number {
    return this.#table.bytesOf(this.#slotOf(handle));
  }

  /**
   * The block in place, until the next `free`, `release` or `close`; see the header.
   *
   * @throws SlabHandleError, ClosedError.
   */
  view(handle: SlabHandle): Uint8Array {
    return this.#viewOf(this.#slotOf(handle));
  }

  /**
   * Calls `look` with the block in place and returns what it returns. The block can be neither moved nor freed meanwhile; the view ends
   * with the call.
   *
   * @throws SlabHandleError, ClosedError; InvalidArgumentError when `look` returned a promise: its view is over; whatever `look` throws.
   */
  withView<T>(handle: SlabHandle, look: (view: Uint8Array) => T): T {
    const slot = this.#slotOf(handle);
    const { slab } = this.#heap.spanOf(this.#table.spanIdOf(slot));
    this.#table.pin(slot);
    slab.pinCount++;
    let result: T;
    try {
      result = look(this.#viewOf(slot));
    } finally {
      slab.pinCount--;
      if (!this.#isClosed) this.#table.unpin(slot);
    }
    if (result instanceof Promise) {
      throw new InvalidArgumentError('look', 'must not be async: the view ends when it returns. Copy what it needs.');
    }
    return result;
  }

  /**
   * Copies `source` into a block, `offset` bytes behind its beginning.
   *
   * @throws InvalidArgumentError when it does not fit; SlabHandleError, ClosedError.
   */
  copyIn(handle: SlabHandle, source: Uint8Array, offset = 0): void {
    const slot = this.#slotOf(handle);
    requireBytesView(source, 'source');
    requireBytes(offset, 'offset');
    const bytes = this.#table.bytesOf(slot);
    if (offset + source.length > bytes) {
      throw new InvalidArgumentError('source', `${source.length} bytes at ${offset} do not fit a block of ${bytes}.`);
    }
    this.#viewOf(slot).set(source, offset);
  }

  /** A copy of a block, in a buffer of its own. Throws as `view`. */
  copyOut(handle: SlabHandle): Buffer<ArrayBuffer>;
  /** Copies a block into `target`, which is at least as long, and returns that part of it. Throws as `view`; InvalidArgumentError when it is too short. */
  copyOut(handle: SlabHandle, target: Uint8Array): Uint8Array;
  copyOut(handle: SlabHandle, target?: Uint8Array): Uint8Array {
    const slot = this.#slotOf(handle);
    const bytes = this.#table.bytesOf(slot);
    // Not from Node's shared pool: a small copy that lives long would keep 8 KB of it.
    const into = target ?? Buffer.allocUnsafeSlow(bytes);
    requireBytesView(into, 'target');
    if (into.length < bytes) {
      throw new InvalidArgumentError('target', `has ${into.length} bytes, the block has ${bytes}.`);
    }
    into.set(this.#viewOf(slot));
    return into.length === bytes ? into : into.subarray(0, bytes);
  }

  /** What a block of `bytes` takes: its cell or buffer, and its row. */
  costBytes(bytes: number): number {
    const { classes } = this.#heap;
    requireBytes(bytes, 'bytes');
    const cellBytes = bytes <= classes.largestBytes ? classes.of(bytes).cellBytes : this.#heap.slabBytesFor(bytes);
    return cellBytes + TABLE_ROW_BYTES;
  }

  /** What the grant may be asked for by the next block of `bytes`, at most: wait for so much after a refusal. */
  grantBytesFor(bytes: number): number {
    return this.#heap.slabBytesFor(requireBytes(bytes, 'bytes')) + (this.#table.isFull ? TABLE_PAGE_BYTES : 0);
  }

  /**
   * Gives whole slabs back to the system: empty ones first, then those whose blocks find room in the others. Ends views. Within
   * another release (a grant that calls back) it does nothing.
   *
   * @throws InvalidArgumentError, ClosedError.
   */
  release({ targetBytes, deadlineMs }: SlabReleaseOptions): SlabRelease {
    this.#requireOpen();
    requireBytes(targetBytes, 'targetBytes');
    if (deadlineMs !== undefined) checkedDelay(deadlineMs, 'deadlineMs');
    if (this.#isReleasing) return NOTHING;
    this.#isReleasing = true;
    try {
      const trimmedBytes = this.#table.trim();
      if (trimmedBytes > 0) this.#heap.releaseGrant(trimmedBytes);
      const leftBytes = Math.max(0, targetBytes - trimmedBytes);
      const done = this.#compaction.run({ targetBytes: leftBytes, deadlineMs: deadlineMs ?? Number.POSITIVE_INFINITY });
      return { ...done, releasedBytes: done.releasedBytes + trimmedBytes };
    } finally {
      this.#isReleasing = false;
    }
  }

  /** Figures of now; all zero after close. */
  statistics(): SlabStatistics {
    const heap = this.#heap;
    const reservedBytes = this.reservedBytes;
    const { cellBytes, slabTotalBytes } = heap;
    return {
      reservedBytes,
      liveBytes: this.#liveBytes,
      blocks: this.#table.liveCount,
      slabBytes: this.slabBytes,
      slabs: heap.slabs.size,
      emptySlabs: heap.emptySlabs.length,
      largeBlocks: heap.dedicated.size,
      largeBlockBytes: heap.dedicatedBytes,
      tableBytes: this.#table.bytes,
      roundingBytes: cellBytes - this.#liveBytes,
      holeBytes: slabTotalBytes - cellBytes,
      fragmentation: slabTotalBytes === 0 ? 0 : 1 - cellBytes / slabTotalBytes,
      compactableBytes: this.compactableBytes,
    };
  }

  /** Frees every block and gives all memory back. Closing twice is harmless. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#liveBytes = 0;
    this.#heap.close();
    const tableBytes = this.#table.clear();
    if (tableBytes > 0) this.#heap.releaseGrant(tableBytes);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal For checks of the structure in tests. */
  get parts(): { readonly heap: SlabHeap; readonly table: BlockTable } {
    return { heap: this.#heap, table: this.#table };
  }

  #place(bytes: number, source: Uint8Array | null): SlabHandle | null {
    this.#requireOpen();
    if (bytes > this.maxBlockBytes) {
      throw new InvalidArgumentError('bytes', `a block has at most ${this.maxBlockBytes} bytes; got ${bytes}.`);
    }
    const heap = this.#heap;
    const table = this.#table;
    if (table.isFull) {
      if (table.isAtItsEnd) {
        throw new SlabNoRoomError({ allocator: this.name, requestBytes: bytes, reservedBytes: this.reservedBytes });
      }
      if (!heap.takeGrant(TABLE_PAGE_BYTES)) return null;
      table.addPage();
    }
    const span = heap.spanFor(bytes, 'any');
    if (span === null) return null;
    const cell = heap.takeCell(span);
    const slot = table.add(span, { cell, bytes });
    this.#liveBytes += bytes;
    const offset = span.offsetOf(cell);
    if (source === null) span.slab.bytes.fill(0, offset, offset + bytes);
    else span.slab.bytes.set(source, offset);
    return table.handleOf(slot);
  }

  #orNoRoom(handle: SlabHandle | null, requestBytes: number): SlabHandle {
    if (handle !== null) return handle;
    throw new SlabNoRoomError({ allocator: this.name, requestBytes, reservedBytes: this.reservedBytes });
  }

  #viewOf(slot: number): Uint8Array {
    const span = this.#heap.spanOf(this.#table.spanIdOf(slot));
    return new Uint8Array(span.slab.buffer, span.offsetOf(this.#table.cellOf(slot)), this.#table.bytesOf(slot));
  }

  #slotOf(handle: SlabHandle): number {
    if (this.#isClosed) this.#requireOpen();
    return this.#table.slotOf(handle);
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new ClosedError(`The slab allocator ${this.name}`);
  }
}

function requireBytesView(value: Uint8Array, argument: string): void {
  if (!(value instanceof Uint8Array)) {
    throw new InvalidArgumentError(argument, `must be a Uint8Array or Buffer; got ${typeof value}.`);
  }
}
