/**
 * Room for whoever comes next, made in the background: what `tryAdmit` does instead of waiting.
 *
 * One reclaim at a time, for what is lacking and a little ahead, as the budget's own line asks; after one that brought nothing, none for a
 * while. It stands in no line, so it holds up nobody.
 */
import type { Clock } from '../../base/clock.ts';
import { ClosedError } from '../../base/errors.ts';
import type { AdmissionBudget } from './admission-ports.ts';

const DEADLINE_MS = 1_000;
/** At most this share of the limit is asked for ahead. */
const AHEAD_SHARE = 1 / 64;
const PAUSE_MS = 1_000;

export class RoomMaker implements Disposable {
  readonly #budget: AdmissionBudget;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  #isAsking = false;
  #notBeforeMs = Number.NEGATIVE_INFINITY;

  constructor({ budget, clock }: { budget: AdmissionBudget; clock: Clock }) {
    this.#budget = budget;
    this.#clock = clock;
  }

  /** Asks for room for `bytes`, unless that is being done, or was in vain a moment ago. */
  wake(bytes: number): void {
    if (this.#isAsking || this.#clock.monotonicMs() < this.#notBeforeMs) return;
    const { availableBytes, limitBytes } = this.#budget;
    const targetBytes = Math.max(bytes - availableBytes, Math.floor(limitBytes * AHEAD_SHARE));
    if (targetBytes <= 0) return;
    this.#isAsking = true;
    void this.#ask(targetBytes).finally(() => {
      this.#isAsking = false;
    });
  }

  [Symbol.dispose](): void {
    this.#closing.abort(new ClosedError('The admission'));
  }

  async #ask(targetBytes: number): Promise<void> {
    const { signal } = this.#closing;
    try {
      const { accountedBytes } = await this.#budget.reclaim({ targetBytes, deadlineMs: DEADLINE_MS, signal });
      if (accountedBytes === 0) this.#notBeforeMs = this.#clock.monotonicMs() + PAUSE_MS;
    } catch (error) {
      // A budget that is being closed has no room to make; whoever asks it next is told so.
      if (!(error instanceof ClosedError)) throw error;
    }
  }
}
