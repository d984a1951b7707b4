/**
 * So many requests a minute, evenly: the leaky bucket as a meter, in the form of the generic cell rate algorithm (ITU-T I.371).
 *
 * One number holds the state: the time at which the next request would be due if all had come evenly. A request may come up to a *burst* before its
 * time; else it waits, in the order of coming. A server that says "retry after" moves that time forward for all.
 */
import { type Clock, wait } from '../../base/clock.ts';
import { InvalidArgumentError, TenureError } from '../../base/errors.ts';

/** The rate has no room for the request in the time it may wait. Code `LLM_RATE_LIMITED`. */
export class LlmRateLimitError extends TenureError {
  override readonly name = 'LlmRateLimitError';
  /** When it would have room, in milliseconds from now. */
  readonly retryMs: number;

  constructor(options: { retryMs: number; timeoutMs: number }) {
    const retryMs = Math.ceil(options.retryMs);
    const { timeoutMs } = options;
    super(
      'LLM_RATE_LIMITED',
      `The rate of requests has room in ${retryMs} ms, and only ${timeoutMs} ms may be waited. Send less, or raise requestsPerMinute.`,
      { details: { retryMs, timeoutMs } },
    );
    this.retryMs = retryMs;
  }
}

/** Lets requests through at a rate. */
export class RequestRate {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #toleranceMs: number;
  #dueMs: number;

  /** `burst` requests may come together: a tenth of a minute's by default. Throws InvalidArgumentError for a rate or burst that is none. */
  constructor(options: { clock: Clock; requestsPerMinute: number; burst?: number | undefined }) {
    const { clock, requestsPerMinute, burst = Math.max(1, Math.floor(requestsPerMinute / 10)) } = options;
    if (!(Number.isFinite(requestsPerMinute) && requestsPerMinute > 0)) {
      throw new InvalidArgumentError(
        'requestsPerMinute',
        `must be a number above 0; got ${String(requestsPerMinute)}.`,
      );
    }
    if (!(Number.isSafeInteger(burst) && burst >= 1)) {
      throw new InvalidArgumentError('burst', `must be a whole number, 1 or more; got ${String(burst)}.`);
    }
    this.#clock = clock;
    this.#intervalMs = 60_000 / requestsPerMinute;
    this.#toleranceMs = (burst - 1) * this.#intervalMs;
    this.#dueMs = clock.monotonicMs();
  }

  /**
   * Resolves when the next request may be sent.
   *
   * @throws LlmRateLimitError at once when that is later than `timeoutMs`; the signal's reason.
   */
  async pass({ timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal }): Promise<void> {
    signal?.throwIfAborted();
    const nowMs = this.#clock.monotonicMs();
    const dueMs = Math.max(nowMs, this.#dueMs);
    const waitMs = dueMs - this.#toleranceMs - nowMs;
    if (waitMs > timeoutMs) throw new LlmRateLimitError({ retryMs: waitMs, timeoutMs });
    this.#dueMs = dueMs + this.#intervalMs;
    if (waitMs <= 0) return;
    try {
      await wait(this.#clock, waitMs, signal);
    } catch (error) {
      // Not sent: its place is free again, at the end of the line.
      this.#dueMs -= this.#intervalMs;
      throw error;
    }
  }

  /** Lets nothing new through for `delayMs`: the server has asked for it. */
  pause(delayMs: number): void {
    this.#dueMs = Math.max(this.#dueMs, this.#clock.monotonicMs() + this.#toleranceMs + delayMs);
  }
}
