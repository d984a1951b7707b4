/** How slabs say no. Each message names what was asked and what can be done. */
import { formatBytes } from '../bytes.ts';
import { TenureError } from '../errors.ts';

/**
 * Why a handle is not taken: `freed` (freed before, or never given out), `foreign` (of another allocator), `malformed` (no handle at
 * all).
 */
export type SlabHandleProblem = 'freed' | 'foreign' | 'malformed';

const PROBLEMS: Readonly<Record<SlabHandleProblem, string>> = {
  freed: 'was freed already; drop every copy of a handle when you free it.',
  foreign: 'belongs to another allocator; use it with the one that made it.',
  malformed: 'is no handle; pass on what allocate() or put() returned.',
};

/** A handle that stands for no live block here: freed, of another allocator, or no handle. Code `SLAB_HANDLE`. */
export class SlabHandleError extends TenureError {
  override readonly name = 'SlabHandleError';
  readonly problem: SlabHandleProblem;
  constructor(allocator: string, problem: SlabHandleProblem) {
    super('SLAB_HANDLE', `${allocator}: this handle ${PROBLEMS[problem]}`, { details: { allocator, problem } });
    this.problem = problem;
  }
}

/** A block was freed from within `withView` on it. Code `SLAB_BLOCK_IN_USE`. */
export class SlabBlockInUseError extends TenureError {
  override readonly name = 'SlabBlockInUseError';
  constructor(allocator: string) {
    super('SLAB_BLOCK_IN_USE', `${allocator}: the block is being viewed; free it after withView() has returned.`, {
      details: { allocator },
    });
  }
}

/** Whoever grants the bytes (a budget) had none left for a block. Code `SLAB_NO_ROOM`. */
export class SlabNoRoomError extends TenureError {
  override readonly name = 'SlabNoRoomError';
  readonly requestBytes: number;
  readonly reservedBytes: number;
  constructor(options: { allocator: string; requestBytes: number; reservedBytes: number }) {
    const { allocator, requestBytes, reservedBytes } = options;
    super(
      'SLAB_NO_ROOM',
      `${allocator}: no room for a block of ${formatBytes(requestBytes)}, ${formatBytes(reservedBytes)} are reserved. ` +
        'Free something, wait for room, or give its budget more.',
      { details: { allocator, requestBytes, reservedBytes } },
    );
    this.requestBytes = requestBytes;
    this.reservedBytes = reservedBytes;
  }
}

/** The runtime or the system would not give the memory of a slab, though the budget would. Code `SLAB_MEMORY`. */
export class SlabMemoryError extends TenureError {
  override readonly name = 'SlabMemoryError';
  readonly requestBytes: number;
  constructor(options: { allocator: string; requestBytes: number; cause: unknown }) {
    const { allocator, requestBytes, cause } = options;
    super(
      'SLAB_MEMORY',
      `${allocator}: the system gave no memory for a slab of ${formatBytes(requestBytes)}. Give the process more address space or ` +
        'mappings (ulimit -v, vm.max_map_count), or hold less.',
      { details: { allocator, requestBytes }, cause },
    );
    this.requestBytes = requestBytes;
  }
}
