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
/** So long, and until something is first reclaimed, whatever is unaccounted is the baseline. */
const START_MS = 30_000;

export class Books {
  readonly #unaccounted = SlidingWindow.lowest(FLOOR_WINDOW);
  #startedMs: number | undefined;
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
    const unaccountedBytes = Math.max(0, heldBytes - reservedBytes);
    this.#startedMs ??= nowMs + START_MS;
    if (nowMs < this.#startedMs) {
      this.#baselineBytes = unaccountedBytes;
      return;
    }
    this.#unaccounted.add(nowMs, unaccountedBytes);
    const floorBytes = this.#unaccounted.value(nowMs);
    this.#baselineBytes = Math.min(this.#baselineBytes, floorBytes);
    this.#retainedBytes = Math.min(this.#retainedBytes, unaccountedBytes - this.#baselineBytes);
    this.#driftBytes = Math.max(0, floorBytes - this.#baselineBytes - this.#retainedBytes);
  }

  /** Takes in bytes that have just left the books; as they leave the process too, the next readings show it. */
  retain(bytes: number): void {
    // From here on it could not be told from the baseline.
    this.#startedMs = Number.NEGATIVE_INFINITY;
    this.#retainedBytes += bytes;
  }
}
