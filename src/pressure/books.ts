/**
 * Books and resident memory compared: what nobody accounts for.
 *
 *   held = reserved + baseline + drift + retained
 *
 *   baseline   what the process holds besides the budget once it has started: Node itself, code, neighbours in the container
 *   retained   freed here, not yet given back: garbage until the next collection, and pages the allocator keeps. It serves the next
 *              allocation first, so it does not narrow the budget; if it did, each reclaim would call for another
 *   drift      the rest: bytes that grow and that no consumer reserved
 *
 * What is unaccounted swings with garbage, so its floor over the last 30 s is taken. Retained can be no more than what lies above the
 * baseline, which makes it melt as its pages are used again or leave.
 */
import { SlidingWindow } from './sliding-window.ts';

const FLOOR_WINDOW = { windowMs: 30_000, buckets: 30 };

export class Books {
  readonly #unaccounted = SlidingWindow.lowest(FLOOR_WINDOW);
  #firstMs: number | undefined;
  #baselineBytes = 0;
  #retainedBytes = 0;
  #driftBytes = 0;

  get baselineBytes(): number {
    return this.#baselineBytes;
  }

  get driftBytes(): number {
    return this.#driftBytes;
  }

  get retainedBytes(): number {
    return this.#retainedBytes;
  }

  /** Takes in one reading. */
  update(nowMs: number, { heldBytes, reservedBytes }: { heldBytes: number; reservedBytes: number }): void {
    this.#unaccounted.add(nowMs, Math.max(0, heldBytes - reservedBytes));
    const floorBytes = this.#unaccounted.value(nowMs);
    this.#firstMs ??= nowMs;
    // The process is still starting: what it holds now is not drift.
    const isStarting = nowMs - this.#firstMs < FLOOR_WINDOW.windowMs;
    this.#baselineBytes = isStarting ? floorBytes : Math.min(this.#baselineBytes, floorBytes);
    const aboveBytes = floorBytes - this.#baselineBytes;
    this.#retainedBytes = Math.min(this.#retainedBytes, Math.max(0, heldBytes - reservedBytes - this.#baselineBytes));
    this.#driftBytes = Math.max(0, aboveBytes - this.#retainedBytes);
  }

  /** Takes in bytes that have just left the books; as they leave the process too, the next readings show it. */
  retain(bytes: number): void {
    this.#retainedBytes += bytes;
  }
}
