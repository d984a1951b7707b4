/**
 * One response to pressure, from the first asking until it is measured.
 *
 * Three numbers are kept apart: bytes *claimed* by the consumers, bytes *accounted* by the books, and the *resident drop* on the readings
 * that follow. What counts as success is none of them but the *relief*: how far the bytes that were too many have become fewer.
 * Vectors dropped because the heap is full make room, and no relief.
 */
import type { Level } from '../base/levels.ts';

/** Node 20 gives pages back about a second after a collection. */
const SWEEP_MS = 1_500;
/** The worse it is, the less time there is to wait for a collection V8 may put off. */
const LONGEST_MEASURE_MS: Readonly<Record<Level, number>> = {
  low: 30_000,
  moderate: 30_000,
  high: 10_000,
  critical: 5_000,
};
const ARRIVED_SHARE = 0.9;
const VAIN_SHARE = 0.25;

/** What a reading shows of it. */
interface Sight {
  readonly heldBytes: number;
  /** Bytes too many, by the assessment. */
  readonly excessBytes: number;
}

export class Response {
  readonly startedMs: number;
  level: Level = 'moderate';
  targetBytes = 0;
  claimedBytes = 0;
  accountedBytes = 0;
  collected = false;
  /** When it last acted; a major collection after that sweeps what it freed. */
  actedMs: number;
  readonly #before: Sight;
  #lowestHeldBytes: number;
  #lowestExcessBytes: number;

  constructor(startedMs: number, before: Sight) {
    this.startedMs = startedMs;
    this.actedMs = startedMs;
    this.#before = before;
    this.#lowestHeldBytes = before.heldBytes;
    this.#lowestExcessBytes = before.excessBytes;
  }

  get residentDropBytes(): number {
    return this.#before.heldBytes - this.#lowestHeldBytes;
  }

  see({ heldBytes, excessBytes }: Sight): void {
    this.#lowestHeldBytes = Math.min(this.#lowestHeldBytes, heldBytes);
    this.#lowestExcessBytes = Math.min(this.#lowestExcessBytes, excessBytes);
  }

  /** The relief has come, or will not come any more. `majorSeenMs`: when a major collection was last seen. */
  isOver(nowMs: number, majorSeenMs: number): boolean {
    // Nothing was given and nothing collected: there is nothing to wait for.
    if (this.accountedBytes === 0 && !this.collected) return true;
    const isSwept = majorSeenMs > this.actedMs && nowMs - majorSeenMs >= SWEEP_MS;
    return this.#hasRelieved(ARRIVED_SHARE) || isSwept || nowMs - this.actedMs >= LONGEST_MEASURE_MS[this.level];
  }

  /** It brought next to nothing: another like it will not help soon. */
  get isVain(): boolean {
    return this.accountedBytes === 0 || !this.#hasRelieved(VAIN_SHARE);
  }

  #hasRelieved(share: number): boolean {
    const { excessBytes } = this.#before;
    return excessBytes - this.#lowestExcessBytes >= share * Math.min(this.accountedBytes, excessBytes);
  }
}
