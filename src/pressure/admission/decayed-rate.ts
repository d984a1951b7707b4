/**
 * How much of something comes in a second, the recent past counting most.
 *
 * Sums of amount and of time, both faded by the same factor, and their quotient: unbiased from the first sample on, and right for
 * samples that come at any intervals (an average of quotients would be neither).
 */

/** The past fades by 1/e in this time. */
const FADE_MS = 10_000;
/** Less time than that says nothing of a rate. */
const LEAST_MS = 100;

export class DecayedRate {
  #amount = 0;
  #spanMs = 0;

  /** `amount` came in the last `spanMs`. */
  add(amount: number, spanMs: number): void {
    if (!(spanMs > 0)) return;
    const kept = Math.exp(-spanMs / FADE_MS);
    this.#amount = this.#amount * kept + amount;
    this.#spanMs = this.#spanMs * kept + spanMs;
  }

  /** A second; null when too little has been seen to say. */
  get perSecond(): number | null {
    return this.#spanMs < LEAST_MS ? null : (1000 * this.#amount) / this.#spanMs;
  }
}
