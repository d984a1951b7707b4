/**
 * Blobs under the budget: bytes by handle, in slabs, so that memory given back really leaves the process.
 *
 * For values that are bytes anyway: rendered responses, images, serialized entries, embeddings. The owner keeps the handles and decides
 * what is worth keeping; asked to give, the store moves blobs together, and where that is not enough calls `drop`, in which the owner deletes
 * the least valuable. A blob costs the heap nothing, so a million of them do not lengthen a garbage collection.
 */
import { InvalidArgumentError } from '../../base/errors.ts';
import type { SlabHandle } from '../../base/slabs/block-table.ts';
import type { SlabStatistics } from '../../base/slabs/slab-statistics.ts';
import type { GrowOptions } from '../../budget/reservation.ts';
import { SlabBytes, type SlabBytesOptions } from '../../budget/slab-bytes.ts';

/** As for every holder in slabs; priority 5 by default. */
export interface BlobStoreOptions extends Omit<SlabBytesOptions, 'priority'> {
  /** 1 to 10: 10 gives first; 0 is the last resort. 5 by default. */
  readonly priority?: number;
}

const DEFAULT_PRIORITY = 5;

/** Bytes by handle; see the header. */
export class BlobStore implements Disposable {
  readonly #bytes: SlabBytes;

  /** @throws What `Budget.register` throws; InvalidArgumentError for a size outside its range. */
  constructor(options: BlobStoreOptions) {
    if (options.drop !== undefined && typeof options.drop !== 'function') {
      throw new InvalidArgumentError('drop', 'must be a function that deletes blobs, or left out.');
    }
    this.#bytes = new SlabBytes({ ...options, priority: options.priority ?? DEFAULT_PRIORITY });
  }

  /** Its path in the budget. */
  get path(): string {
    return this.#bytes.path;
  }

  /** Blobs held. */
  get size(): number {
    return this.#bytes.allocator.blockCount;
  }

  /** What the books show: all slabs, with what is lost in them. */
  get reservedBytes(): number {
    return this.#bytes.reservedBytes;
  }

  /** Bytes of the blobs, as they were put in. */
  get liveBytes(): number {
    return this.#bytes.allocator.liveBytes;
  }

  /** True for a handle of a blob that is here. Never throws. */
  has(handle: SlabHandle): boolean {
    return this.#bytes.allocator.has(handle);
  }

  /**
   * Keeps a copy of `source`; null when there is no room now.
   *
   * @throws InvalidArgumentError for anything but a Uint8Array of `maxBlockBytes` at most; SlabMemoryError; ClosedError.
   */
  tryPut(source: Uint8Array): SlabHandle | null {
    return this.#bytes.allocator.tryPut(source);
  }

  /**
   * Keeps a copy of `source`, asking other consumers for room and waiting if need be; `source` must not change meanwhile.
   *
   * @throws BudgetExceededError when no room came; InvalidArgumentError, SlabMemoryError, ClosedError; the signal's reason.
   */
  put(source: Uint8Array, options?: GrowOptions): Promise<SlabHandle> {
    return this.#bytes.put(source, options);
  }

  /** A copy of a blob. Throws SlabHandleError for one that was deleted or is none of this store; ClosedError. */
  get(handle: SlabHandle): Buffer<ArrayBuffer> {
    return this.#bytes.allocator.copyOut(handle);
  }

  /** Copies a blob into `target` and returns that part of it. Throws as `get`; InvalidArgumentError when `target` is too short. */
  read(handle: SlabHandle, target: Uint8Array): Uint8Array {
    return this.#bytes.allocator.copyOut(handle, target);
  }

  /**
   * Calls `look` with the blob in place, without a copy, and returns what it returns. `look` must not be async, and must not delete it.
   * Throws as `get`; whatever `look` throws.
   */
  withView<T>(handle: SlabHandle, look: (view: Uint8Array) => T): T {
    return this.#bytes.allocator.withView(handle, look);
  }

  /** Length of a blob in bytes. Throws as `get`. */
  bytesOf(handle: SlabHandle): number {
    return this.#bytes.allocator.bytesOf(handle);
  }

  /** What a blob of `bytes` takes in a slab. */
  costBytes(bytes: number): number {
    return this.#bytes.allocator.costBytes(bytes);
  }

  /** Deletes a blob. Throws SlabHandleError for one that was deleted or is none of this store; SlabBlockInUseError within `withView` on it; ClosedError. */
  delete(handle: SlabHandle): void {
    this.#bytes.allocator.free(handle);
  }

  /** Figures of now. */
  statistics(): SlabStatistics {
    return this.#bytes.allocator.statistics();
  }

  /** Deletes everything, gives all memory back and leaves the budget. Closing twice is harmless. */
  close(): void {
    this.#bytes.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
