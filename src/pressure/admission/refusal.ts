/**
 * How admission says no.
 *
 * A refusal is a plain answer: no stack, no search for the largest holders, for it is given by the thousand when there is least
 * to spare. Whoever wants an error makes one of it.
 */
import { formatBytes } from '../../base/bytes.ts';
import { TenureError } from '../../base/errors.ts';
import type { Holding } from '../../budget/budget-errors.ts';
import type { RefusalReason } from './admission-events.ts';

/** What an `AdmissionRefusedError` knows. */
export interface RefusalFacts {
  readonly reason: RefusalReason;
  readonly requestBytes: number;
  readonly retryAfterMs: number | null;
  readonly holders: readonly Holding[];
}

/** Work was not taken. `admitted` tells it from a ticket. */
export class Refusal {
  readonly admitted = false;
  readonly reason: RefusalReason;
  /** What was asked for. */
  readonly requestBytes: number;
  /**
   * When to try again, in milliseconds, 50 to 60,000: computed from what was measured, with up to a third more by chance, so that those who
   * were refused together do not come back together. Null where trying again cannot help (`too_large`).
   */
  readonly retryAfterMs: number | null;
  readonly #holders: () => readonly Holding[];

  /** @internal */
  constructor(facts: Omit<RefusalFacts, 'holders'>, holders: () => readonly Holding[]) {
    this.reason = facts.reason;
    this.requestBytes = facts.requestBytes;
    this.retryAfterMs = facts.retryAfterMs;
    this.#holders = holders;
  }

  /** The same as an error, which names the largest holders of this moment. */
  toError(): AdmissionRefusedError {
    const { reason, requestBytes, retryAfterMs } = this;
    return new AdmissionRefusedError({ reason, requestBytes, retryAfterMs, holders: this.#holders() });
  }
}

const WHY: Readonly<Record<RefusalReason, string>> = {
  pressure: 'memory pressure is high',
  budget: 'there is no room in the budget',
  quota: 'the quota of its owner is used up',
  circuit_open: 'there was no room repeatedly, so none is asked for now',
  too_large: 'more than can ever be free here; ask for less, or raise the limit',
};

/** Work was not taken; nothing was reserved. Code `ADMISSION_REFUSED`. */
export class AdmissionRefusedError extends TenureError implements RefusalFacts {
  override readonly name = 'AdmissionRefusedError';
  readonly reason: RefusalReason;
  readonly requestBytes: number;
  /** When to try again, in milliseconds; null where that cannot help. */
  readonly retryAfterMs: number | null;
  /** The largest of the budget, largest first. */
  readonly holders: readonly Holding[];

  constructor({ reason, requestBytes, retryAfterMs, holders }: RefusalFacts) {
    const named = holders.map((holding) => `${holding.path} ${formatBytes(holding.bytes)}`);
    const again = retryAfterMs === null ? '' : ` Try again in ${Math.ceil(retryAfterMs)} ms.`;
    super(
      'ADMISSION_REFUSED',
      `Work of ${formatBytes(requestBytes)} was not taken: ${WHY[reason]} (largest: ${named.join(', ') || 'none'}).${again}`,
      { details: { reason, requestBytes, retryAfterMs, holders: named } },
    );
    this.reason = reason;
    this.requestBytes = requestBytes;
    this.retryAfterMs = retryAfterMs;
    this.holders = holders;
  }
}
