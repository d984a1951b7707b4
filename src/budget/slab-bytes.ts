/**
 * The bytes of one holder that keeps them in slabs: its consumer, its reservation, and the allocator whose every slab is reserved before it is
 * made.
 *
 * The sibling of `holder-bytes.ts` for things that are large or many: vectors, blobs, cached buffers. What the books show is
 * what the allocator holds, slab by slab, to the byte; there is no slack, a slab is slack enough. It stands in this room, and not with a
 * holder, because holders do not know each other and several need it.
 *
 * Asked to give, it does what costs least first:
 *
 *   unused   empty slabs, then slabs that come free by moving blocks together: nothing is lost
 *   idle     `drop` frees what is idle, and the slabs that this makes room for are given
 *   live     as unused; then `drop` frees the least valuable blocks, and again, until enough has come or nothing more does
 *
 * It works in slices of a few milliseconds with turns of the event loop in between, so a large reclaim stops nobody. The claim is what the books
 * show.
 */
import { MIB, requireBytes } from '../base/bytes.ts';
import { type Clock, nextTurn, systemClock } from '../base/clock.ts';
import type { SlabHandle } from '../base/slabs/block-table.ts';
import { SlabAllocator, type SlabAllocatorOptions } from '../base/slabs/slab-allocator.ts';
import type { Budget } from './budget.ts';
import type { Consumer, ReclaimRequest } from './consumer.ts';
import type { Leak, Registration } from './registration.ts';
import type { GrowOptions, Reservation } from './reservation.ts';

/** How long it keeps the event loop at a time. */
const SLICE_MS = 5;
/** How often `drop` is called for one request: blocks lie scattered, so what it frees is not at once whole slabs. */
const MOST_DROPS = 8;
/** A consumer may give so much more than it was asked for (see `asking.ts`); a block is given whole. */
const DEFAULT_MAX_BLOCK_BYTES = 8 * MIB;

/** What a holder in slabs tells of itself, and how it gives. */
export interface SlabBytesOptions
  extends Pick<Consumer, 'name' | 'priority' | 'weight' | 'minBytes' | 'maxBytes'>,
    Pick<SlabAllocatorOptions, 'slabBytes' | 'spareSlabs'> {
  /** Where the bytes are counted. */
  readonly budget: Budget;
  /**
   * The largest block, 8 MB by default. Where it is larger than that, a reclaim that has to drop such a block may give far more than it
   * was asked for, which the budget counts as a failure.
   */
  readonly maxBlockBytes?: number;
  readonly clock?: Clock;
  /**
   * Frees blocks of at least `targetBytes` together if it can, the least valuable first; with kind `idle` only those that are idle. Its answer is not
   * looked at: the books tell. Must not allocate. Without it, only what costs nobody a block is given.
   */
  drop?(request: ReclaimRequest): unknown;
  /** Bytes of blocks that `drop` could free now: O(1), must not throw. All of them by default. */
  droppableBytes?(): number;
  /** Bytes of blocks that are expired or idle; 0 by default. */
  idleBytes?(): number;
  /** Hits per second lost by dropping the least valuable `bytes`. */
  valueOfLast?(bytes: number): number;
}

/** Made by a holder in its constructor, closed when it closes. */
export class SlabBytes implements Disposable {
  /** Blocks by handle; what it holds is in the books. */
  readonly allocator: SlabAllocator;
  readonly #options: SlabBytesOptions;
  readonly #registration: Registration;
  readonly #reservation: Reservation;
  /** Bytes granted to one that waited, until its slab is made. */
  #arrived: Reservation | null = null;

  /**
   * Registers the holder.
   *
   * @throws What `Budget.register` and `new SlabAllocator` throw.
   */
  constructor(options: SlabBytesOptions) {
    const {
      budget,
      name,
      slabBytes,
      spareSlabs,
      maxBlockBytes = DEFAULT_MAX_BLOCK_BYTES,
      clock = systemClock,
    } = options;
    this.#options = options;
    this.allocator = new SlabAllocator({
      ...{ name, maxBlockBytes, clock },
      ...(slabBytes !== undefined && { slabBytes }),
      ...(spareSlabs !== undefined && { spareSlabs }),
      grant: { tryTake: (bytes) => this.#tryTake(bytes), release: (bytes) => this.#release(bytes) },
    });
    this.#registration = budget.register(this.#consumer());
    this.#reservation = this.#registration.reserve();
  }

  /** Names from the root down to the consumer, joined by `/`. */
  get path(): string {
    return this.#registration.path;
  }

  /** What the books say it holds: all of its slabs. */
  get reservedBytes(): number {
    return this.#reservation.bytes;
  }

  /** The most it ever reserved. */
  get peakBytes(): number {
    return this.#registration.peakBytes;
  }

  /**
   * A block that holds a copy of `source`, waiting for room if need be. `source` must not change meanwhile.
   *
   * @throws What `Reservation.grow` rejects with when no room came; InvalidArgumentError, SlabMemoryError, ClosedError.
   */
  put(source: Uint8Array, options?: GrowOptions): Promise<SlabHandle> {
    return this.#whenRoom(
      () => this.allocator.tryPut(source),
      () => source.length,
      options,
    );
  }

  /** A block of `bytes` zeros, waiting for room if need be. Throws as `put`. */
  allocate(bytes: number, options?: GrowOptions): Promise<SlabHandle> {
    requireBytes(bytes, 'bytes');
    return this.#whenRoom(
      () => this.allocator.tryAllocate(bytes),
      () => bytes,
      options,
    );
  }

  /** Changes the most it may reserve; above that it takes nothing until it has released enough by itself. */
  setMaxBytes(maxBytes: number): void {
    this.#registration.setMaxBytes(maxBytes);
  }

  /** Frees every block, gives every slab back and ends the registration. Closing twice is harmless. */
  close(): Leak | null {
    this.allocator.close();
    return this.#registration.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #whenRoom(
    tryOnce: () => SlabHandle | null,
    bytes: () => number,
    options: GrowOptions | undefined,
  ): Promise<SlabHandle> {
    options?.signal?.throwIfAborted();
    let handle = tryOnce();
    while (handle === null) {
      // A reservation of its own: nobody else takes what was granted to it before this call has woken up.
      using arriving = this.#registration.reserve();
      await arriving.grow(this.allocator.grantBytesFor(bytes()), options);
      this.#arrived = arriving;
      try {
        handle = tryOnce();
      } finally {
        this.#arrived = null;
      }
    }
    return handle;
  }

  #tryTake(bytes: number): boolean {
    if (this.#arrived === null || this.#arrived.bytes < bytes) return this.#reservation.tryGrow(bytes);
    this.#arrived.moveTo(this.#reservation, bytes);
    return true;
  }

  #release(bytes: number): void {
    // A budget that was closed first has counted these as a leak already.
    if (!this.#registration.isClosed) this.#reservation.shrink(bytes);
  }

  #consumer(): Consumer {
    const options = this.#options;
    const { name, priority, weight, minBytes, maxBytes, idleBytes, valueOfLast } = options;
    const { allocator } = this;
    const looseBytes = () => allocator.compactableBytes;
    return {
      ...{ name, where: 'slab', priority, pieceBytes: allocator.slabBytes },
      ...(weight !== undefined && { weight }),
      ...(minBytes !== undefined && { minBytes }),
      ...(maxBytes !== undefined && { maxBytes }),
      usedBytes: () => this.reservedBytes - looseBytes(),
      reclaimableBytes: () => {
        if (!options.drop) return looseBytes();
        return options.droppableBytes ? looseBytes() + options.droppableBytes() : this.reservedBytes;
      },
      ...(idleBytes && { idleBytes: () => idleBytes.call(options) }),
      ...(valueOfLast && {
        valueOfLast: (bytes: number) => valueOfLast.call(options, Math.max(0, bytes - looseBytes())),
      }),
      reclaim: (request) => this.#reclaim(request),
    };
  }

  #reclaim(request: ReclaimRequest): number | Promise<number> {
    const before = this.reservedBytes;
    const { minBytes = 0 } = this.#options;
    // Slabs are given whole: one that would take it below its minimum stays.
    const mostBytes = Math.floor(Math.max(0, before - minBytes) / this.allocator.slabBytes) * this.allocator.slabBytes;
    const targetBytes = Math.min(request.targetBytes, mostBytes);
    const givenBytes = () => before - this.reservedBytes;
    const leftBytes = () => Math.max(0, targetBytes - givenBytes());
    if (request.kind !== 'idle') {
      const { end } = this.#compact(leftBytes());
      if (end === 'reached' || (end === 'exhausted' && !this.#mayDrop(request))) return givenBytes();
    }
    return this.#give(request, leftBytes).then(givenBytes);
  }

  async #give(request: ReclaimRequest, leftBytes: () => number): Promise<void> {
    const { allocator } = this;
    const isOver = () => leftBytes() === 0 || request.signal.aborted || allocator.isClosed;
    const compactAll = async () => {
      while (!isOver() && this.#compact(leftBytes()).end === 'paused') await nextTurn();
    };
    if (request.kind !== 'idle') await compactAll();
    for (let drops = 0; drops < MOST_DROPS && this.#mayDrop(request) && !isOver(); drops++) {
      const heldBytes = allocator.liveBytes;
      try {
        await this.#options.drop?.({ ...request, targetBytes: leftBytes() });
      } finally {
        // Whatever it threw, what it freed is given.
        await compactAll();
      }
      if (allocator.liveBytes >= heldBytes) return;
    }
  }

  #compact(targetBytes: number) {
    return this.allocator.release({ targetBytes, deadlineMs: SLICE_MS });
  }

  #mayDrop(request: ReclaimRequest): boolean {
    return this.#options.drop !== undefined && request.kind !== 'unused';
  }
}
