/**
 * Rows of one size, close together: what a scan walks.
 *
 * Row after row fills a slab of its own and then the next, with no hole between: a removed row's place is taken by the last row. So n
 * rows take the slabs they need and no more, nothing ever has to be compacted, and a scan reads whole windows (`forEachWindow`). The first rows of an array do not
 * take a slab yet: they share one until they have outgrown half of it.
 *
 * Rows lie at multiples of `rowBytes` from the beginning of a window, and a window begins at a multiple of 16 bytes: with a row size that is a
 * multiple of four a window can be read as float32. Read typed arrays over slabs through a copy or WASM where it matters:
 * JavaScript reads single elements of them at half the speed of others (decision 7).
 */
import { requireBytes } from '../bytes.ts';
import { ClosedError, InvalidArgumentError } from '../errors.ts';
import type { SlabHandle } from './block-table.ts';
import type { SlabAllocator } from './slab-allocator.ts';
import { SlabBlockInUseError, SlabNoRoomError } from './slab-errors.ts';

const FIRST_SEGMENT_ROWS = 8;
/** The last segment is given back once so much of the one before is free as well: who adds and removes at the edge pays once. */
const SPARE_SHARE = 1 / 8;

/** Where the rows live, and how long one is. */
export interface SlabArrayOptions {
  readonly allocator: SlabAllocator;
  /** 1 to half a slab. */
  readonly rowBytes: number;
}

/** Fixed-size rows by index, 0 to `length` − 1. */
export class SlabArray implements Disposable {
  readonly rowBytes: number;
  /** Rows in a window, but for the last. */
  readonly rowsPerWindow: number;
  readonly #allocator: SlabAllocator;
  /** All of `rowsPerWindow` rows, but for the first while it is the only one. */
  readonly #segments: SlabHandle[] = [];
  /** Rows the first segment has room for. */
  #firstRows = 0;
  #length = 0;
  #walks = 0;
  #isClosed = false;

  /** @throws InvalidArgumentError for a row size outside its range. */
  constructor({ allocator, rowBytes }: SlabArrayOptions) {
    requireBytes(rowBytes, 'rowBytes');
    const mostBytes = Math.min(allocator.slabBytes, allocator.maxBlockBytes);
    if (rowBytes < 1 || rowBytes > mostBytes / 2) {
      throw new InvalidArgumentError('rowBytes', `must be 1 to ${mostBytes / 2}, half a slab; got ${rowBytes}.`);
    }
    this.#allocator = allocator;
    this.rowBytes = rowBytes;
    this.rowsPerWindow = Math.floor(mostBytes / rowBytes);
  }

  get length(): number {
    return this.#length;
  }

  /** Rows there is room for without asking for more. */
  get capacity(): number {
    return this.#segments.length <= 1 ? this.#firstRows : this.#segments.length * this.rowsPerWindow;
  }

  /**
   * Adds a row that holds a copy of `row`. Returns its index; null when the grant is refused.
   *
   * @throws InvalidArgumentError unless `row` is `rowBytes` long; SlabMemoryError; SlabBlockInUseError within `forEachWindow`; ClosedError.
   */
  tryAppend(row: Uint8Array): number | null {
    this.#requireStill();
    this.#requireRow(row);
    if (this.#length === this.capacity && !this.#grow()) return null;
    const index = this.#length++;
    this.#write(index, row);
    return index;
  }

  /** As `tryAppend`; throws SlabNoRoomError when the grant is refused. */
  append(row: Uint8Array): number {
    const index = this.tryAppend(row);
    if (index !== null) return index;
    const { name: allocator, reservedBytes } = this.#allocator;
    throw new SlabNoRoomError({ allocator, requestBytes: this.rowBytes, reservedBytes });
  }

  /** Overwrites a row. Throws InvalidArgumentError for an index that is no row or a row of the wrong length; ClosedError. */
  set(index: number, row: Uint8Array): void {
    this.#requireIndex(index, 'index');
    this.#requireRow(row);
    this.#write(index, row);
  }

  /**
   * A row in place, until anything is added to, removed from or released by the allocator.
   *
   * @throws InvalidArgumentError for an index that is no row; ClosedError.
   */
  view(index: number): Uint8Array {
    this.#requireIndex(index, 'index');
    const { segment, offset } = this.#placeOf(index);
    return this.#allocator.view(segment).subarray(offset, offset + this.rowBytes);
  }

  /** Copies a row into `target`, `rowBytes` long at least. Throws as `set`. */
  read(index: number, target: Uint8Array): void {
    if (!(target instanceof Uint8Array) || target.length < this.rowBytes) {
      throw new InvalidArgumentError('target', `must be a Uint8Array of ${this.rowBytes} bytes or more.`);
    }
    target.set(this.view(index));
  }

  /** Exchanges two rows. Throws as `view`. */
  swap(one: number, other: number): void {
    this.#requireIndex(one, 'one');
    this.#requireIndex(other, 'other');
    const kept = this.view(one).slice();
    this.#write(one, this.view(other));
    this.#write(other, kept);
  }

  /**
   * Removes a row. The last row takes its place: its index is `index` from now on. Returns the index that row had, which is `index` itself when
   * the last one was removed.
   *
   * @throws InvalidArgumentError for an index that is no row; SlabBlockInUseError within `forEachWindow`; ClosedError.
   */
  remove(index: number): number {
    this.#requireStill();
    this.#requireIndex(index, 'index');
    const last = this.#length - 1;
    if (index !== last) this.#write(index, this.view(last));
    this.truncate(last);
    return last;
  }

  /**
   * Removes all rows from `length` on.
   *
   * @throws InvalidArgumentError for more than there are; SlabBlockInUseError within `forEachWindow`; ClosedError.
   */
  truncate(length: number): void {
    this.#requireStill();
    if (!Number.isSafeInteger(length) || length < 0 || length > this.#length) {
      throw new InvalidArgumentError('length', `must be 0 to ${this.#length}; got ${String(length)}.`);
    }
    this.#length = length;
    const spareRows = length === 0 ? 0 : Math.ceil(this.rowsPerWindow * SPARE_SHARE);
    this.#dropSegments(length + spareRows);
  }

  /** Gives back the room that no row needs. Throws SlabBlockInUseError within `forEachWindow`; ClosedError. */
  trim(): void {
    this.#requireStill();
    this.#dropSegments(this.#length);
    if (this.#segments.length !== 1 || this.#firstRows < 2 * Math.max(this.#length, FIRST_SEGMENT_ROWS)) return;
    this.#moveFirst(Math.max(this.#length, FIRST_SEGMENT_ROWS));
  }

  /**
   * Calls `look` with each window of rows in order, and the index of its first row. Rows may be overwritten meanwhile, not added or removed.
   * A window ends with the call; `false` ends the walk.
   *
   * @throws ClosedError; InvalidArgumentError when `look` is async; whatever `look` throws.
   */
  forEachWindow(look: (window: Uint8Array, firstRow: number) => unknown): void {
    this.#requireOpen();
    this.#walks++;
    try {
      for (let firstRow = 0, at = 0; firstRow < this.#length && !this.#isClosed; firstRow += this.rowsPerWindow, at++) {
        const rows = Math.min(this.rowsPerWindow, this.#length - firstRow);
        const goOn = this.#allocator.withView(this.#segments[at]!, (view) =>
          look(view.subarray(0, rows * this.rowBytes), firstRow),
        );
        if (goOn === false) return;
      }
    } finally {
      this.#walks--;
    }
  }

  /** Frees all rows. Closing twice is harmless, and so is closing after the allocator. */
  close(): void {
    if (this.#isClosed) return;
    if (this.#walks > 0 && !this.#allocator.isClosed) throw new SlabBlockInUseError(this.#allocator.name);
    this.#isClosed = true;
    this.#length = 0;
    if (!this.#allocator.isClosed) for (const segment of this.#segments) this.#allocator.free(segment);
    this.#segments.length = 0;
    this.#firstRows = 0;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #grow(): boolean {
    if (this.#segments.length === 0 || this.#firstRows < this.rowsPerWindow) {
      return this.#moveFirst(Math.min(this.rowsPerWindow, Math.max(FIRST_SEGMENT_ROWS, this.#firstRows * 2)));
    }
    const segment = this.#allocator.tryAllocate(this.rowsPerWindow * this.rowBytes);
    if (segment === null) return false;
    this.#segments.push(segment);
    return true;
  }

  /** Puts the only segment, or none yet, into one with room for `rows`. */
  #moveFirst(rows: number): boolean {
    const moved = this.#allocator.tryAllocate(rows * this.rowBytes);
    if (moved === null) return false;
    const first = this.#segments[0];
    if (first !== undefined) {
      const usedBytes = this.#length * this.rowBytes;
      this.#allocator.view(moved).set(this.#allocator.view(first).subarray(0, usedBytes));
      this.#allocator.free(first);
    }
    this.#segments[0] = moved;
    this.#firstRows = rows;
    return true;
  }

  /** Frees the segments behind the one with row `rows` − 1. */
  #dropSegments(rows: number): void {
    const needed = rows <= this.#firstRows ? Math.min(1, rows) : Math.ceil(rows / this.rowsPerWindow);
    while (this.#segments.length > needed) this.#allocator.free(this.#segments.pop()!);
    if (this.#segments.length === 0) this.#firstRows = 0;
  }

  #write(index: number, row: Uint8Array): void {
    const { segment, offset } = this.#placeOf(index);
    this.#allocator.copyIn(segment, row, offset);
  }

  #placeOf(index: number): { segment: SlabHandle; offset: number } {
    const at = Math.floor(index / this.rowsPerWindow);
    return { segment: this.#segments[at]!, offset: (index - at * this.rowsPerWindow) * this.rowBytes };
  }

  #requireRow(row: Uint8Array): void {
    if (!(row instanceof Uint8Array) || row.length !== this.rowBytes) {
      const got = row instanceof Uint8Array ? `${row.length} bytes` : typeof row;
      throw new InvalidArgumentError('row', `must be a Uint8Array of ${this.rowBytes} bytes; got ${got}.`);
    }
  }

  #requireIndex(index: number, argument: string): void {
    this.#requireOpen();
    if (!Number.isSafeInteger(index) || index < 0 || index >= this.#length) {
      throw new InvalidArgumentError(argument, `must be 0 to ${this.#length - 1}, a row; got ${String(index)}.`);
    }
  }

  #requireStill(): void {
    this.#requireOpen();
    if (this.#walks > 0) throw new SlabBlockInUseError(this.#allocator.name);
  }

  #requireOpen(): void {
    if (this.#isClosed || this.#allocator.isClosed) throw new ClosedError(`A slab array of ${this.#allocator.name}`);
  }
}
