/**
 * Slow regrowth after pressure: a ceiling that rises by so many bytes a second.
 *
 * Without it every consumer refills in one burst what reclaim has just won, and pressure returns within a second (the
 * flapping that TCP's slow start and Senpai's back-off both avoid). The ceiling bounds what an account holds, not
 * what it allocates: churn below it costs nothing. It starts at what was held when pressure was met, never runs ahead
 * of the limit in force, and is gone when it reaches the limit that stood before.
 */
import type { Clock, Timer } from '../base/clock.ts';

/** Without a configured rate the whole limit grows back in a minute. */
const DEFAULT_FULL_REGROWTH_SECONDS = 60;
const MAX_WAKE_DELAY_MS = 60_000;

export class Regrowth {
  readonly #clock: Clock;
  readonly #configuredBytesPerSecond: number | undefined;
  #ceilingBytes = Number.POSITIVE_INFINITY;
  #goalBytes = 0;
  #atMs: number;
  #timer: Timer | null = null;
  #timerDueMs = 0;

  constructor(options: { clock: Clock; bytesPerSecond: number | undefined }) {
    this.#clock = options.clock;
    this.#configuredBytesPerSecond = options.bytesPerSecond;
    this.#atMs = options.clock.monotonicMs();
  }

  /** Starts again at `ceilingBytes`, or stays lower where it is, on the way to at least `goalBytes`. */
  restrain({ ceilingBytes, goalBytes }: { ceilingBytes: number; goalBytes: number }): void {
    this.#ceilingBytes = Math.min(this.#ceilingBytes, ceilingBytes);
    this.#goalBytes = Math.max(this.#goalBytes, goalBytes);
    this.#atMs = this.#clock.monotonicMs();
  }

  /** What may be held now under `limitBytes`. */
  openBytes(limitBytes: number): number {
    const nowMs = this.#clock.monotonicMs();
    const risen = this.#ceilingBytes + ((nowMs - this.#atMs) / 1000) * this.#bytesPerSecond;
    this.#ceilingBytes = Math.min(risen, limitBytes);
    this.#atMs = nowMs;
    return Math.floor(this.#ceilingBytes);
  }

  /** True when the ceiling has reached the limit that stood before the pressure. */
  get isOver(): boolean {
    return this.#ceilingBytes >= this.#goalBytes;
  }

  /**
   * Calls `callback` when the ceiling will have reached `bytes`, or a little later; one call at a time, the earliest.
   */
  wakeAt(bytes: number, callback: () => void): void {
    const delayMs = Math.ceil(((bytes - this.#ceilingBytes) / this.#bytesPerSecond) * 1000);
    const boundedMs = Math.min(Math.max(delayMs, 1), MAX_WAKE_DELAY_MS);
    const dueMs = this.#clock.monotonicMs() + boundedMs;
    if (this.#timer !== null && this.#timerDueMs <= dueMs) return;
    this.cancel();
    this.#timerDueMs = dueMs;
    this.#timer = this.#clock.after(boundedMs, () => {
      this.#timer = null;
      callback();
    });
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  get #bytesPerSecond(): number {
    return this.#configuredBytesPerSecond ?? Math.max(1, this.#goalBytes / DEFAULT_FULL_REGROWTH_SECONDS);
  }
}
