/**
 * How far a consumer's word is believed.
 *
 * Two memories. The *yield* is an exponentially weighted mean (weight .3) of what the books showed over what was
 * asked, 0 to 1: it corrects the plan, so that somebody who gives half is asked for twice as much and expected to be
 * worth half as much. *Strikes* count broken words (threw, hung, claimed too much …): each one doubles the time the
 * consumer is left alone, from 1 s to 5 min. Both are won back the same way, by delivering: a full delivery lifts the
 * yield and takes one strike off.
 */

const YIELD_WEIGHT = 0.3;
/** Never 0: a consumer that has given nothing for a while can still be asked, last, and win its trust back. */
const LEAST_YIELD = 0.05;
const FULL_DELIVERY = 0.9;
const FIRST_QUARANTINE_MS = 1_000;
const LONGEST_QUARANTINE_MS = 300_000;

export class Trust {
  #yieldRatio = 1;
  #strikes = 0;
  #quarantinedUntilMs = Number.NEGATIVE_INFINITY;

  /** Bytes to expect for each byte asked, .05 to 1. */
  get yieldRatio(): number {
    return this.#yieldRatio;
  }

  /** Failures not yet made good. */
  get strikes(): number {
    return this.#strikes;
  }

  /** True while it is to be left alone; `nowMs` is monotonic. */
  isQuarantined(nowMs: number): boolean {
    return nowMs < this.#quarantinedUntilMs;
  }

  /** It kept its word: asked for `askedBytes` (more than 0), it gave what the books show, were it little. */
  kept(answer: { askedBytes: number; accountedBytes: number }): void {
    const delivered = this.#learn(answer);
    if (delivered >= FULL_DELIVERY && this.#strikes > 0) this.#strikes--;
  }

  /**
   * It broke its word, or failed before it was asked for anything (`askedBytes` 0). Returns how long it is to be left
   * alone, in milliseconds; `nowMs` is monotonic.
   */
  broke(answer: { askedBytes: number; accountedBytes: number; nowMs: number }): number {
    this.#learn(answer);
    const quarantineMs = Math.min(FIRST_QUARANTINE_MS * 2 ** this.#strikes, LONGEST_QUARANTINE_MS);
    this.#strikes++;
    this.#quarantinedUntilMs = answer.nowMs + quarantineMs;
    return quarantineMs;
  }

  #learn({ askedBytes, accountedBytes }: { askedBytes: number; accountedBytes: number }): number {
    if (askedBytes === 0) return 0;
    const delivered = Math.min(1, accountedBytes / askedBytes);
    const blended = (1 - YIELD_WEIGHT) * this.#yieldRatio + YIELD_WEIGHT * delivered;
    this.#yieldRatio = Math.min(1, Math.max(LEAST_YIELD, blended));
    return delivered;
  }
}
