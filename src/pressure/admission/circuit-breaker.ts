/**
 * A circuit breaker: after repeated failures it answers "no" by itself for a while, at the cost of one comparison, and finds out
 * with a single probe when to stop doing so (Nygard, Release It!, 2007).
 *
 *              `failures` in a row within `withinMs`
 *   closed ────────────────────────────────────────────▶ open ◀─────────────────┐
 *     ▲                                                   │ pause over          │ the probe failed, or did not come back
 *     │                                                   ▼                     │ in `probeTimeoutMs`: pause doubled
 *     └──────────── the probe succeeded ──────────── half_open ─────────────────┘
 *
 * *In a row*: one success in between starts the count anew. A share of failures would open on a thousand answers a second of which
 * five fail; what is to be found here is something that does not work at all. A pause starts at `firstPauseMs` and doubles up to
 * `longestPauseMs`; a circuit that opens again soon after it closed goes on doubling, so it does not flap.
 *
 * Every call runs under a *pass* of the period in which it began. A pass of an earlier period judges nothing: what comes back late
 * neither closes a circuit that has opened since nor opens one that has been mended. There is no timer: states change when somebody
 * asks, by the monotonic clock, so a wall clock set forwards or back changes nothing and nothing is left behind.
 */
import { listenForAbort } from '../../base/abort.ts';
import { type Clock, checkedDelay, systemClock } from '../../base/clock.ts';
import { InvalidArgumentError, TenureError } from '../../base/errors.ts';
import { type EventSink, guardedSink } from '../../base/events.ts';
import type { CircuitChangedEvent, CircuitState } from './admission-events.ts';

/** When a circuit opens, and for how long. */
export interface CircuitOptions {
  /** Failures in a row that open it, 1 to 1,000; 5 by default. */
  readonly failures?: number;
  /** They count only when they fall within this time, in milliseconds; 10,000 by default. */
  readonly withinMs?: number;
  /** How long it stays open at first, in milliseconds; 1,000 by default. */
  readonly firstPauseMs?: number;
  /** The pause doubles up to this; 30,000 ms by default. */
  readonly longestPauseMs?: number;
  /** A probe that has not come back by then has failed; 30,000 ms by default. */
  readonly probeTimeoutMs?: number;
}

/** What a breaker that is used alone is made of. */
export interface CircuitBreakerOptions extends CircuitOptions {
  /** Named in events and errors; `circuit` by default. */
  readonly name?: string;
  readonly clock?: Clock;
  readonly events?: EventSink<CircuitChangedEvent>;
  /**
   * Which errors speak against what is called; all by default. An answer such as 400 means that it works: let it return false for
   * those. Not asked where the caller's own signal has aborted.
   */
  readonly isFailure?: (error: unknown) => boolean;
}

/** The circuit is open: nothing was called. Code `CIRCUIT_OPEN`. */
export class CircuitOpenError extends TenureError {
  override readonly name = 'CircuitOpenError';
  /** Milliseconds until the next probe may pass. */
  readonly retryAfterMs: number;
  constructor(circuit: string, retryAfterMs: number) {
    super(
      'CIRCUIT_OPEN',
      `${circuit} has failed repeatedly and is not called for now; try again in ${Math.ceil(retryAfterMs)} ms.`,
      { details: { circuit, retryAfterMs } },
    );
    this.retryAfterMs = retryAfterMs;
  }
}

/** Leave to make one call, and to say how it went. Only the first word counts for a probe; words of an earlier period count for nothing. */
export interface Pass {
  succeeded(): void;
  failed(): void;
  /** It was not called after all, or was called off: nothing is known. A probe lets the next caller probe. */
  abandoned(): void;
}

/**
 * Calls that fail repeatedly are not made for a while.
 *
 * @example
 * ```ts
 * const models = new CircuitBreaker({ name: 'model provider' });
 * const answer = await models.run((signal) => fetch(url, { signal: signal ?? null }), { signal: request.signal });
 * ```
 */
export class CircuitBreaker {
  readonly name: string;
  readonly #clock: Clock;
  readonly #events: EventSink<CircuitChangedEvent>;
  readonly #isFailure: (error: unknown) => boolean;
  readonly #options: Required<CircuitOptions>;
  #state: CircuitState = 'closed';
  /** One pass serves all calls of a closed period, so that letting a call pass allocates nothing. */
  #pass: PeriodPass = new PeriodPass(this);
  /** When the failures since the last success happened, oldest first; at most `failures` of them. */
  #failureTimesMs: number[] = [];
  /** Pauses in a row. */
  #pauses = 0;
  #closedAtMs = Number.NEGATIVE_INFINITY;
  /** End of the pause, or of the patience with a probe. */
  #untilMs = 0;
  #isProbing = false;

  /** @throws InvalidArgumentError for a count or time outside its range. */
  constructor(options: CircuitBreakerOptions = {}) {
    const { name = 'circuit', clock = systemClock, events, isFailure = () => true } = options;
    const { failures = 5, withinMs = 10_000, firstPauseMs = 1_000, longestPauseMs = 30_000 } = options;
    const { probeTimeoutMs = 30_000 } = options;
    if (!Number.isInteger(failures) || failures < 1 || failures > 1_000)
      throw new InvalidArgumentError('failures', `must be a whole number from 1 to 1,000; got ${failures}.`);
    for (const delayMs of [withinMs, firstPauseMs, longestPauseMs, probeTimeoutMs]) checkedDelay(delayMs);
    if (longestPauseMs < firstPauseMs)
      throw new InvalidArgumentError('longestPauseMs', `must not be below firstPauseMs (${firstPauseMs}).`);
    this.name = name;
    this.#clock = clock;
    this.#events = guardedSink(events);
    this.#isFailure = isFailure;
    this.#options = { failures, withinMs, firstPauseMs, longestPauseMs, probeTimeoutMs };
  }

  /** `open` also when its pause is over and nobody has asked yet. */
  get state(): CircuitState {
    return this.#state;
  }

  /** Milliseconds until a call may pass; 0 when one may pass now. */
  get retryAfterMs(): number {
    if (this.#state === 'closed' || (this.#state === 'half_open' && !this.#isProbing)) return 0;
    return Math.max(0, this.#untilMs - this.#clock.monotonicMs());
  }

  /** Leave for one call; null while there is none to be had. */
  tryPass(): Pass | null {
    if (this.#state === 'closed') return this.#pass;
    const nowMs = this.#clock.monotonicMs();
    if (this.#isProbing && nowMs >= this.#untilMs) this.#open('the probe did not come back');
    if (this.#state === 'open') {
      if (nowMs < this.#untilMs) return null;
      this.#change('half_open', 'the pause is over');
    }
    if (this.#isProbing) return null;
    this.#isProbing = true;
    this.#untilMs = nowMs + this.#options.probeTimeoutMs;
    this.#pass = new PeriodPass(this);
    return this.#pass;
  }

  /**
   * Calls `work`, and learns from how it ends. It rejects with the signal's reason as soon as the signal aborts, which says nothing
   * of what was called; `work` is handed the signal to stop by.
   *
   * @throws CircuitOpenError without a call; the signal's reason; whatever `work` throws.
   */
  async run<T>(
    work: (signal: AbortSignal | undefined) => Promise<T> | T,
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): Promise<T> {
    signal?.throwIfAborted();
    const pass = this.tryPass();
    if (pass === null) throw new CircuitOpenError(this.name, this.retryAfterMs);
    try {
      const result = await orAborted(() => work(signal), signal);
      pass.succeeded();
      return result;
    } catch (error) {
      if (signal?.aborted) pass.abandoned();
      else if (this.#countsAsFailure(error)) pass.failed();
      else pass.succeeded();
      throw error;
    }
  }

  /** Ends the pause: somebody has seen otherwise that what it waits for has come. Without effect where it is closed. */
  close(reason: string): void {
    if (this.#state !== 'closed') this.#close(reason);
  }

  /**
   * What came of a pass.
   *
   * @internal
   */
  report(pass: Pass, outcome: 'succeeded' | 'failed' | 'abandoned'): void {
    if (pass !== this.#pass) return;
    if (this.#state === 'closed') {
      if (outcome === 'failed') this.#fail();
      else if (outcome === 'succeeded' && this.#failureTimesMs.length > 0) this.#failureTimesMs = [];
      return;
    }
    this.#isProbing = false;
    if (outcome === 'succeeded') this.#close('the probe succeeded');
    else if (outcome === 'failed') this.#open('the probe failed');
    else this.#pass = new PeriodPass(this);
  }

  #fail(): void {
    const { failures, withinMs } = this.#options;
    const nowMs = this.#clock.monotonicMs();
    this.#failureTimesMs.push(nowMs);
    if (this.#failureTimesMs.length > failures) this.#failureTimesMs.shift();
    if (this.#failureTimesMs.length < failures || nowMs - this.#failureTimesMs[0]! > withinMs) return;
    if (nowMs - this.#closedAtMs > withinMs) this.#pauses = 0;
    this.#open(`${failures} failures in a row`);
  }

  #open(reason: string): void {
    const { firstPauseMs, longestPauseMs } = this.#options;
    const pauseMs = Math.min(firstPauseMs * 2 ** this.#pauses, longestPauseMs);
    this.#pauses = Math.min(this.#pauses + 1, 31);
    this.#isProbing = false;
    this.#failureTimesMs = [];
    this.#pass = new PeriodPass(this);
    this.#untilMs = this.#clock.monotonicMs() + pauseMs;
    this.#change('open', reason, pauseMs);
  }

  #close(reason: string): void {
    this.#closedAtMs = this.#clock.monotonicMs();
    this.#isProbing = false;
    this.#pass = new PeriodPass(this);
    this.#change('closed', reason);
  }

  #change(to: CircuitState, reason: string, pauseMs = 0): void {
    const from = this.#state;
    this.#state = to;
    this.#events({
      type: 'admission.circuit_changed',
      atMs: this.#clock.nowMs(),
      circuit: this.name,
      from,
      to,
      reason,
      pauseMs,
    });
  }

  /** A callback that throws has not said that it is none. */
  #countsAsFailure(error: unknown): boolean {
    try {
      return this.#isFailure(error);
    } catch {
      return true;
    }
  }
}

class PeriodPass implements Pass {
  readonly #breaker: CircuitBreaker;
  constructor(breaker: CircuitBreaker) {
    this.#breaker = breaker;
  }
  succeeded(): void {
    this.#breaker.report(this, 'succeeded');
  }
  failed(): void {
    this.#breaker.report(this, 'failed');
  }
  abandoned(): void {
    this.#breaker.report(this, 'abandoned');
  }
}

/** What `work` comes to, or the signal's reason if that is first. Leaves no listener behind. */
function orAborted<T>(work: () => Promise<T> | T, signal: AbortSignal | undefined): Promise<T> | T {
  if (signal === undefined) return work();
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    listenForAbort(signal, onAbort);
    new Promise<T>((started) => started(work()))
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', onAbort));
  });
}
