/**
 * Making objects: charged first, bounded in time, and never in a spin.
 *
 *   room in the budget ──► create(), in time ──► a new object? ──► entry
 *        │ none in time        │ throws, hangs        │ null, or known
 *        ▼                     ▼                      ▼
 *     refused               failed: pause, 100 ms doubling to 5 s by default; one attempt at a time until one succeeds
 *
 * Attempts that ran side by side fail together and count as one. After `createAttempts` in a row the failure is told to those who wait.
 * An attempt that still waits for the budget when nobody wants its object any more is called off.
 */
import { setMaxListeners } from 'node:events';
import type { Timer } from '../../base/clock.ts';
import { ClosedError, messageOf } from '../../base/errors.ts';
import { BudgetExceededError } from '../../budget/budget-errors.ts';
import { boundedCall } from './bounded-call.ts';
import type { ObjectBytes } from './object-bytes.ts';
import { PoolBadObjectError, PoolCreateError } from './pool-errors.ts';
import type { DestroyCause } from './pool-events.ts';
import type { CheckedOptions } from './pool-options.ts';

/** What the pool does with what comes of an attempt. */
export interface MakingOutcomes<T> {
  made(object: T, bytes: number): void;
  /** True for an object that is in the pool already. */
  isKnown(object: T): boolean;
  /** An object that is not taken into the pool, to be destroyed. */
  unwanted(object: T, cause: DestroyCause): void;
  /** The budget had no room in time, or none at once for an object nobody waits for. */
  refused(error: BudgetExceededError | null): void;
  /** The factory failed, as often as it may. */
  failed(error: PoolCreateError): void;
  /** An attempt is over, or another may be made. */
  ended(): void;
}

/** For whom an object is made: one who waits so long for room in the budget, or nobody yet. */
export interface MakingRequest {
  readonly patienceMs: number | null;
}

export class Making<T> {
  readonly #options: CheckedOptions<T>;
  readonly #bytes: ObjectBytes<T>;
  readonly #outcomes: MakingOutcomes<T>;
  readonly #closing = new AbortController();
  /** Attempts that wait for the budget, oldest first. */
  readonly #waiting = new Set<AbortController>();
  /** Made, and not yet in the pool. */
  readonly #arriving = new Set<T>();
  #inFlight = 0;
  #failures = 0;
  /** Rises with each failure: attempts begun before it are of an older round. */
  #round = 0;
  #retry: Timer | null = null;
  errorCount = 0;

  constructor(options: CheckedOptions<T>, parts: { bytes: ObjectBytes<T>; outcomes: MakingOutcomes<T> }) {
    this.#options = options;
    // One listener for each attempt under way.
    setMaxListeners(0, this.#closing.signal);
    this.#bytes = parts.bytes;
    this.#outcomes = parts.outcomes;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** How many of `wanted` may be begun now. */
  allowed(wanted: number): number {
    if (this.#closing.signal.aborted || this.#retry !== null || this.#bytes.isGiving) return 0;
    return this.#failures > 0 ? Math.min(wanted, 1 - this.#inFlight) : wanted;
  }

  begin(request: MakingRequest): void {
    this.#inFlight++;
    // A microtask later: an attempt that ends at once must not end within the call that began it.
    queueMicrotask(() => void this.#attempt(request));
  }

  /** Calls off attempts that wait for the budget, youngest first, so that no more than `wanted` go on. */
  callOff(wanted: number): void {
    let surplus = this.#inFlight - wanted;
    for (const attempt of [...this.#waiting].reverse()) {
      if (surplus-- <= 0) return;
      this.#waiting.delete(attempt);
      attempt.abort();
    }
  }

  /** Ends every attempt; what they still make is destroyed. */
  close(): void {
    this.#retry?.cancel();
    this.#retry = null;
    this.#closing.abort(new ClosedError(`The pool ${this.#options.name}`));
  }

  async #attempt(request: MakingRequest): Promise<void> {
    const round = this.#round;
    const outcomes = this.#outcomes;
    let chargedBytes = 0;
    let arriving: T | undefined;
    try {
      const bytes = this.#bytes.nextBytes;
      if (!(await this.#charge(bytes, request))) return;
      chargedBytes = bytes;
      const object = await this.#create();
      arriving = object;
      chargedBytes = await this.#putRight(object, chargedBytes);
      this.#failures = 0;
      this.#inFlight--;
      const madeBytes = chargedBytes;
      chargedBytes = -1;
      outcomes.made(object, madeBytes);
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#failed(error, round);
    } finally {
      if (arriving !== undefined) this.#arriving.delete(arriving);
      if (chargedBytes >= 0) {
        this.#inFlight--;
        this.#bytes.release(chargedBytes);
      }
      outcomes.ended();
    }
  }

  /** False when the budget refused in time, or the attempt was called off. */
  async #charge(bytes: number, { patienceMs }: MakingRequest): Promise<boolean> {
    if (this.#bytes.tryTake(bytes)) return true;
    if (patienceMs === null) {
      this.#outcomes.refused(null);
      return false;
    }
    const attempt = new AbortController();
    const { signal } = this.#closing;
    const callOff = () => attempt.abort();
    signal.addEventListener('abort', callOff, { once: true });
    this.#waiting.add(attempt);
    try {
      await this.#bytes.take(bytes, { timeoutMs: patienceMs, signal: attempt.signal });
      return true;
    } catch (error) {
      if (attempt.signal.aborted) return false;
      if (!(error instanceof BudgetExceededError && error.reason === 'timeout')) throw error;
      this.#outcomes.refused(error);
      return false;
    } finally {
      this.#waiting.delete(attempt);
      signal.removeEventListener('abort', callOff);
    }
  }

  async #create(): Promise<T> {
    const { name, clock, create, createTimeoutMs } = this.#options;
    const object = await boundedCall<T>({
      clock,
      what: `create() of the pool ${name}`,
      timeoutMs: createTimeoutMs,
      signal: this.#closing.signal,
      run: create,
      late: (late) => {
        if (late !== null && late !== undefined && !this.#isKnown(late)) this.#outcomes.unwanted(late, 'late');
      },
    });
    if (object === null || object === undefined) throw new PoolBadObjectError({ pool: name, problem: String(object) });
    if (this.#isKnown(object)) {
      throw new PoolBadObjectError({ pool: name, problem: 'an object that is in the pool already' });
    }
    this.#arriving.add(object);
    return object;
  }

  #isKnown(object: T): boolean {
    return this.#arriving.has(object) || this.#outcomes.isKnown(object);
  }

  /** Charges what the object takes in place of what was guessed; returns it. */
  async #putRight(object: T, guessedBytes: number): Promise<number> {
    try {
      const bytes = this.#bytes.sizeOf(object);
      const lackBytes = bytes - guessedBytes;
      if (lackBytes < 0) this.#bytes.release(-lackBytes);
      if (lackBytes > 0 && !this.#bytes.tryTake(lackBytes)) {
        const waiting = { timeoutMs: this.#options.createTimeoutMs, signal: this.#closing.signal };
        await this.#bytes.take(lackBytes, waiting);
      }
      return bytes;
    } catch (error) {
      this.#outcomes.unwanted(object, 'budget');
      throw error;
    }
  }

  #failed(cause: unknown, round: number): void {
    const { name, clock, emit, createAttempts, backoffMs, longestBackoffMs, random } = this.#options;
    this.errorCount++;
    if (round !== this.#round) return;
    this.#round++;
    this.#failures++;
    // Half of the pause is by chance, so that many processes do not knock together.
    const pauseMs = Math.min(longestBackoffMs, backoffMs * 2 ** (this.#failures - 1)) * (0.5 + random() / 2);
    this.#retry = clock.after(pauseMs, () => {
      this.#retry = null;
      this.#outcomes.ended();
    });
    emit({
      type: 'pool.create_failed',
      atMs: clock.nowMs(),
      pool: name,
      attempt: this.#failures,
      message: messageOf(cause),
      retryMs: pauseMs,
    });
    if (this.#failures >= createAttempts) {
      this.#outcomes.failed(new PoolCreateError({ pool: name, attempts: this.#failures, cause }));
    }
  }
}
