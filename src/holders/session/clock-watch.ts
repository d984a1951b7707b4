/** Tells whether the wall clock was set, forwards or back, by comparing it with time that cannot be set. */
import type { Clock } from '../../base/clock.ts';

/** Clocks that are slewed, or differ by rounding, stay below this between two looks; one that was set rarely does. */
const TOLERATED_MS = 60_000;

export class ClockWatch {
  readonly #clock: Clock;
  #offsetMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offsetMs = this.#difference();
  }

  /** Since it was asked last. */
  hasJumped(): boolean {
    const offsetMs = this.#difference();
    const hasJumped = Math.abs(offsetMs - this.#offsetMs) > TOLERATED_MS;
    this.#offsetMs = offsetMs;
    return hasJumped;
  }

  #difference(): number {
    return this.#clock.nowMs() - this.#clock.monotonicMs();
  }
}
