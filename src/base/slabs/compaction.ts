/**
 * Getting whole slabs back from a heap with holes in it.
 *
 * First the slabs that are empty. Then as many of the emptiest as are needed are *drained*: nothing new goes in, and their blocks
 * move into holes of the others, so the fewest bytes are copied for each slab that comes back (the greedy choice of cleaners
 * of log-structured memory: Rumble et al., FAST 2014, and Rosenblum & Ousterhout, 1992, where the data has no age). No slab is made for it: compaction needs no
 * memory to free memory. Where the holes are of other classes, sparse spans are joined class by class, which makes gaps for new spans.
 *
 * It goes block by block and can stop after any: what was moved has moved, the slabs being drained stay so until the next call goes on
 * with them, and allocation in between takes them back into use rather than make a new slab. Handles do not change; a slab with a
 * block that is being viewed is left alone.
 */
import { invariant } from '../assert.ts';
import type { Clock } from '../clock.ts';
import type { BlockTable } from './block-table.ts';
import { NO_SLOT, type Slab, type Span } from './slab.ts';
import type { SlabHeap } from './slab-heap.ts';

/** The clock is read again after so much was copied; some 50 µs. */
const BYTES_BETWEEN_LOOKS = 128 * 1024;
/** What moving a block costs beside its bytes, in bytes that could be copied in the time. */
const BYTES_PER_MOVE = 1024;

/**
 * Why a release ended: it has released what was wanted; there is nothing more that moving blocks could release; or its time
 * was over, and calling it again goes on.
 */
export type SlabReleaseEnd = 'reached' | 'exhausted' | 'paused';

/** What a release did. */
export interface SlabRelease {
  /** Gone back to the system. */
  readonly releasedBytes: number;
  /** Bytes of blocks that were copied to make room. */
  readonly movedBytes: number;
  readonly movedBlocks: number;
  readonly end: SlabReleaseEnd;
}

/** Moves the blocks of one heap together, a slice at a time. */
export class Compaction {
  readonly #heap: SlabHeap;
  readonly #table: BlockTable;
  readonly #clock: Clock;
  #untilMs = 0;
  #unlookedBytes = 0;
  #movedBytes = 0;
  #movedBlocks = 0;

  constructor(options: { heap: SlabHeap; table: BlockTable; clock: Clock }) {
    this.#heap = options.heap;
    this.#table = options.table;
    this.#clock = options.clock;
  }

  /** Releases whole slabs until `targetBytes` are back, for at most `deadlineMs`. */
  run({ targetBytes, deadlineMs }: { targetBytes: number; deadlineMs: number }): SlabRelease {
    this.#untilMs = this.#clock.monotonicMs() + deadlineMs;
    // A slab's worth of work comes first, so a release that is called again and again gets on, however little time it has.
    this.#unlookedBytes = BYTES_BETWEEN_LOOKS + this.#heap.slabBytes;
    this.#movedBytes = 0;
    this.#movedBlocks = 0;
    const heap = this.#heap;
    const before = heap.releasedBytes;
    const leftBytes = () => targetBytes - (heap.releasedBytes - before);
    const end = this.#release(leftBytes);
    // Who has what it wants, or cannot have it, keeps nothing out of use.
    if (end !== 'paused') while (heap.stopDraining());
    return {
      releasedBytes: heap.releasedBytes - before,
      movedBytes: this.#movedBytes,
      movedBlocks: this.#movedBlocks,
      end,
    };
  }

  #release(leftBytes: () => number): SlabReleaseEnd {
    const heap = this.#heap;
    let plannedAt = -1;
    while (leftBytes() > 0) {
      if (this.#isLate(heap.slabBytes)) return 'paused';
      if (heap.releaseEmptySlab()) continue;
      if (heap.nextDraining === undefined) {
        // A plan that released nothing is not made again.
        if (plannedAt === heap.releasedBytes) return 'exhausted';
        plannedAt = heap.releasedBytes;
        this.#plan(leftBytes());
      }
      const slab = heap.nextDraining;
      if (slab === undefined) return 'exhausted';
      if (slab.pinCount > 0) {
        heap.stopDraining(slab);
        continue;
      }
      const end = this.#drain(slab);
      if (end === 'late') return 'paused';
      // The plan does not work out: another may, from where things are now.
      if (end === 'no room') while (heap.stopDraining());
    }
    return 'reached';
  }

  /** Chooses the slabs to drain; none when draining would bring nothing. */
  #plan(neededBytes: number): void {
    const heap = this.#heap;
    const count = Math.min(Math.ceil(neededBytes / heap.slabBytes), heap.compactableSlabs);
    const free = [...heap.slabs].filter((slab) => slab.pinCount === 0);
    free.sort((one, other) => one.cellBytes - other.cellBytes);
    heap.startDraining(free.slice(0, count));
  }

  #drain(slab: Slab): 'done' | 'late' | 'no room' {
    let hasJoined = false;
    for (const span of slab.spans) {
      for (let left = this.#vacate(span); left !== 'done'; left = this.#vacate(span)) {
        if (left === 'late') return 'late';
        const joined = hasJoined ? 'nothing' : this.#joinSpans();
        if (joined === 'late') return 'late';
        if (joined === 'nothing') return 'no room';
        hasJoined = true;
      }
    }
    return 'done';
  }

  /** Moves all blocks of a span elsewhere. */
  #vacate(span: Span): 'done' | 'late' | 'no room' {
    const table = this.#table;
    for (let slot = span.headSlot; slot !== NO_SLOT; slot = span.headSlot) {
      const bytes = table.bytesOf(slot);
      if (this.#isLate(bytes + BYTES_PER_MOVE)) return 'late';
      const to = this.#heap.spanFor(bytes, 'existing');
      if (to === null) return 'no room';
      this.#move(slot, { from: span, to, bytes });
    }
    return 'done';
  }

  #move(slot: number, { from, to, bytes }: { from: Span; to: Span; bytes: number }): void {
    invariant(from !== to && !to.slab.isDraining, 'A block would move into what is being emptied.');
    const table = this.#table;
    const fromCell = table.cellOf(slot);
    const fromOffset = from.offsetOf(fromCell);
    const cell = this.#heap.takeCell(to);
    to.slab.bytes.set(from.slab.bytes.subarray(fromOffset, fromOffset + bytes), to.offsetOf(cell));
    table.move(slot, { from, to, cell });
    this.#heap.giveCell(from, fromCell);
    this.#movedBytes += bytes;
    this.#movedBlocks++;
  }

  /** Joins the sparse spans of each class, so that chunks come free side by side. */
  #joinSpans(): 'some' | 'nothing' | 'late' {
    let joined: 'some' | 'nothing' = 'nothing';
    for (const partial of this.#heap.partial) {
      const leaving = spansToLeave(partial);
      for (const span of leaving) this.#heap.setAside(span);
      for (const [at, span] of leaving.entries()) {
        const left = this.#vacate(span);
        if (left === 'late') {
          for (const each of leaving.slice(at)) this.#heap.takeBack(each);
          return 'late';
        }
        invariant(left === 'done', 'There was room for all blocks of a span, and then there was not.');
        joined = 'some';
      }
    }
    return joined;
  }

  /** Counts work of about the cost of copying `bytes`; true when time is over. */
  #isLate(bytes: number): boolean {
    this.#unlookedBytes -= bytes;
    if (this.#unlookedBytes > 0) return false;
    this.#unlookedBytes = BYTES_BETWEEN_LOOKS;
    return this.#clock.monotonicMs() >= this.#untilMs;
  }
}

/**
 * As many spans as the free cells of the others can take in, those of the emptiest slabs first and side by side: single chunks
 * here and there would be of no use to larger spans.
 */
function spansToLeave(partial: readonly Span[]): Span[] {
  if (partial.length < 2) return [];
  const movable = partial.filter(({ slab }) => slab.pinCount === 0);
  const numberOf = new Map([...new Set(movable.map(({ slab }) => slab))].map((slab, index) => [slab, index]));
  movable.sort(
    (one, other) =>
      one.slab.cellBytes - other.slab.cellBytes ||
      numberOf.get(one.slab)! - numberOf.get(other.slab)! ||
      one.firstChunk - other.firstChunk,
  );
  let freeCells = partial.reduce((sum, span) => sum + span.freeCount, 0);
  let leavingCells = 0;
  let count = 0;
  for (const span of movable) {
    if (freeCells - span.freeCount < leavingCells + span.liveCount) break;
    freeCells -= span.freeCount;
    leavingCells += span.liveCount;
    count++;
  }
  return movable.slice(0, count);
}
