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
 * Drift and retained look alike from outside; what tells them apart is when they come. What a reclaim frees leaves the books at once,
 * so what is unaccounted jumps by as much, and falls back as the bytes leave the process. What of the jump is still there when the
 * response is over (`settle`) is retained. From then on it only melts: by what the unaccounted falls, as its pages leave or are used
 * again, and by what it rises, for bytes that were really there would have served that growth.
 *
 * What is unaccounted swings with garbage, so floors over 30 s are taken for drift and for rises. The baseline follows a fall only
 * after ten minutes: a holder that reserves before it fills makes the unaccounted dip for a moment.
 */
import { SlidingWindow } from './sliding-window.ts';

const FLOOR_WINDOW = { windowMs: 30_000, buckets: 30 };
const BASELINE_WINDOW = { windowMs: 600_000, buckets: 60 };
/** So long, and until something is first reclaimed, whatever is unaccounted is the baseline. */
const START_MS = 30_000;

export class Books {
  readonly #unaccountedFloor = SlidingWindow.lowest(FLOOR_WINDOW);
  readonly #outsideFloor = SlidingWindow.lowest(FLOOR_WINDOW);
  readonly #baselineCeiling = SlidingWindow.highest(BASELINE_WINDOW);
  #startedMs: number | undefined;
  #baselineBytes = 0;
  #outsideBytes = 0;
  #unaccountedBytes = 0;
  /** Freed since `settle` was last called. */
  #freedBytes = 0;
  #beforeBytes = 0;
  #lowestSinceBytes = 0;
  #settledBytes = 0;
  /** Where the unaccounted stood when retained bytes were last told from it. */
  #levelBytes = Number.POSITIVE_INFINITY;

  get baselineBytes(): number {
    return this.#baselineBytes;
  }

  get driftBytes(): number {
    return Math.max(0, this.#outsideBytes - this.#baselineBytes);
  }

  get retainedBytes(): number {
    return this.#settledBytes + this.#jumpedBytes(this.#unaccountedBytes);
  }

  /** Baseline and drift: what the budget cannot hand out, because the process holds it without the budget. */
  get outsideBytes(): number {
    return this.#outsideBytes;
  }

  /** Takes in one reading. */
  update(nowMs: number, { heldBytes, reservedBytes }: { heldBytes: number; reservedBytes: number }): void {
    this.#unaccountedBytes = heldBytes - reservedBytes;
    if (this.#freedBytes > 0) this.#lowestSinceBytes = Math.min(this.#lowestSinceBytes, this.#unaccountedBytes);
    this.#unaccountedFloor.add(nowMs, this.#unaccountedBytes);
    this.#melt(this.#unaccountedFloor.value(nowMs));
    const outsideBytes = Math.max(0, this.#unaccountedBytes - this.retainedBytes);
    this.#startedMs ??= nowMs + START_MS;
    if (nowMs < this.#startedMs) {
      this.#baselineBytes = outsideBytes;
      this.#outsideBytes = outsideBytes;
      return;
    }
    this.#outsideFloor.add(nowMs, outsideBytes);
    this.#outsideBytes = this.#outsideFloor.value(nowMs);
    this.#baselineCeiling.add(nowMs, this.#outsideBytes);
    this.#baselineBytes = Math.min(this.#baselineBytes, this.#baselineCeiling.value(nowMs));
  }

  /** Takes in bytes that have just left the books; as they leave the process too, the next readings show it. */
  free(bytes: number): void {
    if (bytes === 0) return;
    // From here on it could not be told from the baseline.
    this.#startedMs = Number.NEGATIVE_INFINITY;
    if (this.#freedBytes === 0) {
      this.#beforeBytes = this.#unaccountedBytes;
      this.#lowestSinceBytes = Number.POSITIVE_INFINITY;
    }
    this.#freedBytes += bytes;
    this.#unaccountedBytes += bytes;
  }

  /** The response is over: what is still here of what it freed will not leave soon. Returns how much that is. */
  settle(): number {
    const stayedBytes =
      this.#lowestSinceBytes === Number.POSITIVE_INFINITY ? 0 : this.#jumpedBytes(this.#lowestSinceBytes);
    if (this.#freedBytes > 0) this.#levelBytes = Math.min(this.#unaccountedBytes, this.#lowestSinceBytes);
    this.#settledBytes += stayedBytes;
    this.#freedBytes = 0;
    return stayedBytes;
  }

  #jumpedBytes(unaccountedBytes: number): number {
    return Math.min(this.#freedBytes, Math.max(0, unaccountedBytes - this.#beforeBytes));
  }

  #melt(floorBytes: number): void {
    if (this.#freedBytes > 0 || this.#settledBytes === 0) return;
    const fallenBytes = Math.max(0, this.#levelBytes - this.#unaccountedBytes);
    const risenBytes = Math.max(0, floorBytes - this.#levelBytes);
    this.#settledBytes = Math.max(0, this.#settledBytes - fallenBytes - risenBytes);
    this.#levelBytes += risenBytes - fallenBytes;
  }
}
