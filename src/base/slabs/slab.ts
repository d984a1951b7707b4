/**
 * One slab: memory that comes from the system and goes back to it as a whole, at once.
 *
 * It is a resizable ArrayBuffer, made empty and grown to its size. `resize(0)`, or detaching it where Node can, unmaps its pages there and then, while dropping the last
 * reference would do so after some later garbage collection (decision 7 has the measurements). It is grown after it was made because V8
 * up to Node 22 goes on counting the length a buffer was *made* with, and collects garbage for it, after the buffer has been
 * emptied. A slab that was emptied is never filled again: a stale view of it reads as empty instead of showing somebody else's bytes.
 *
 * It is always full size or empty, never in between: each one shortened in part costs two of the mappings a process may have (65,530 by
 * default on Linux), while neighbours of full size share one.
 */
import { ChunkMap } from './chunk-map.ts';
import type { Span } from './span.ts';

const CAN_TRANSFER = 'transferToFixedLength' in ArrayBuffer.prototype;

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
