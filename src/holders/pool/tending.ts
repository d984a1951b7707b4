/**
 * Checking and resetting objects, in bounded time, at little cost: a pool may check on every borrow.
 *
 * A callback that answers at once costs a microtask. One that answers with a promise joins those under way; they began in order and have the
 * same time, so one timer, for the oldest, is enough for all. The signal a callback gets is that of its entry, made once: it aborts when a
 * callback takes too long or the pool closes, and after either the object is destroyed. A late answer is nobody's.
 */
import type { Clock, Timer } from '../../base/clock.ts';
import { messageOf, TimeoutError } from '../../base/errors.ts';
import type { EventSink } from '../../base/events.ts';
import type { Entry } from './entry.ts';
import type { PoolEvent } from './pool-events.ts';

export type TendAction = 'check' | 'reset';

interface Call<T> {
  readonly entry: Entry<T>;
  readonly action: TendAction;
  readonly deadlineMs: number;
}

export class Tending<T> {
  readonly #name: string;
  readonly #clock: Clock;
  readonly #emit: EventSink<PoolEvent>;
  readonly #timeoutMs: number;
  readonly #onDone: (entry: Entry<T>, action: TendAction, problem: string | null) => void;
  readonly #waiting = new Set<Call<T>>();
  #timer: Timer | null = null;
  /** Entries away for a check or a reset. */
  count = 0;
  #isClosing = false;
  /** Checks and resets that failed. */
  errorCount = 0;

  /** `onDone` gets each entry back, with what was wrong with it. */
  constructor(options: {
    name: string;
    clock: Clock;
    emit: EventSink<PoolEvent>;
    timeoutMs: number;
    onDone: (entry: Entry<T>, action: TendAction, problem: string | null) => void;
  }) {
    this.#name = options.name;
    this.#clock = options.clock;
    this.#emit = options.emit;
    this.#timeoutMs = options.timeoutMs;
    this.#onDone = options.onDone;
  }

  begin(entry: Entry<T>, action: TendAction, callback: (object: T, signal: AbortSignal) => unknown): void {
    this.count++;
    queueMicrotask(() => {
      entry.controller ??= new AbortController();
      let answer: unknown;
      try {
        answer = callback(entry.object, entry.controller.signal);
      } catch (error) {
        return this.#done(entry, action, messageOf(error));
      }
      if (isThenable(answer)) this.#await(entry, action, answer);
      else this.#answered(entry, action, answer);
    });
  }

  /** Stops the timer if nothing is under way. */
  rest(): void {
    if (this.#waiting.size > 0) return;
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Ends what is under way. */
  close(reason: Error): void {
    this.#isClosing = true;
    for (const call of this.#waiting) this.#giveUp(call, reason);
    this.rest();
  }

  #await(entry: Entry<T>, action: TendAction, answer: PromiseLike<unknown>): void {
    const call: Call<T> = { entry, action, deadlineMs: this.#clock.monotonicMs() + this.#timeoutMs };
    this.#waiting.add(call);
    if (this.#timer === null) this.#arm(this.#timeoutMs);
    answer.then(
      (value) => {
        if (this.#waiting.delete(call)) this.#answered(entry, action, value);
      },
      (error: unknown) => {
        if (this.#waiting.delete(call)) this.#done(entry, action, messageOf(error));
      },
    );
  }

  #answered(entry: Entry<T>, action: TendAction, answer: unknown): void {
    this.#done(entry, action, action === 'check' && !answer ? 'answered false' : null);
  }

  #done(entry: Entry<T>, action: TendAction, problem: string | null): void {
    this.count--;
    if (problem !== null && !this.#isClosing) {
      this.errorCount++;
      const atMs = this.#clock.nowMs();
      this.#emit({ type: 'pool.check_failed', atMs, pool: this.#name, action, message: problem });
    }
    this.#onDone(entry, action, problem);
  }

  #giveUp(call: Call<T>, reason: Error): void {
    if (!this.#waiting.delete(call)) return;
    call.entry.controller?.abort(reason);
    this.#done(call.entry, call.action, messageOf(reason));
  }

  #arm(delayMs: number): void {
    this.#timer = this.#clock.after(Math.max(0, delayMs), () => this.#expire(), { keepAlive: true });
  }

  #expire(): void {
    this.#timer = null;
    const nowMs = this.#clock.monotonicMs();
    for (const call of this.#waiting) {
      // A timer of the machine may fire a fraction of a millisecond early.
      if (call.deadlineMs > nowMs + 1) {
        this.#arm(call.deadlineMs - nowMs);
        return;
      }
      this.#giveUp(call, new TimeoutError(`${call.action}() of the pool ${this.#name}`, this.#timeoutMs));
    }
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
