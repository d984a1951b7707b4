/**
 * Checking and resetting objects, in bounded time, at little cost: a pool may check on every borrow.
 *
 * A callback that answers at once costs a microtask. One that answers with a promise joins those under way; they began in order and have the
 * same time, so one timer, for the oldest, is enough for all, and the list is in the entries themselves. The signal a callback gets is that of its entry, made once: it aborts when a
 * callback takes too long or the pool closes, and after either the object is destroyed. A late answer is nobody's.
 */
import type { Clock, Timer } from '../../base/clock.ts';
import { messageOf, TimeoutError } from '../../base/errors.ts';
import type { EventSink } from '../../base/events.ts';
import { type Entry, EntryList } from './entry.ts';
import type { PoolEvent } from './pool-events.ts';

export type TendAction = 'check' | 'reset';

export class Tending<T> {
  readonly #name: string;
  readonly #clock: Clock;
  readonly #emit: EventSink<PoolEvent>;
  readonly #timeoutMs: number;
  readonly #onDone: (entry: Entry<T>, action: TendAction, problem: string | null) => void;
  /** Those whose answer is awaited, in the order they began. */
  readonly #waiting = new EntryList<T>('tended');
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
    void this.#tend(entry, action, callback);
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
    while (this.#waiting.first !== null) this.#giveUp(this.#waiting.first, reason);
    this.rest();
  }

  async #tend(
    entry: Entry<T>,
    action: TendAction,
    callback: (object: T, signal: AbortSignal) => unknown,
  ): Promise<void> {
    // Never within the call of the pool that asks for it.
    await null;
    entry.controller ??= new AbortController();
    const turn = ++entry.turn;
    let problem: string | null = null;
    try {
      let answer = callback(entry.object, entry.controller.signal);
      if (isThenable(answer)) {
        this.#join(entry, action);
        answer = await answer;
      }
      if (action === 'check' && !answer) problem = 'answered false';
    } catch (error) {
      problem = messageOf(error);
    }
    if (entry.turn !== turn) return;
    if (entry.tending !== null) this.#leave(entry);
    this.#done(entry, action, problem);
  }

  #join(entry: Entry<T>, action: TendAction): void {
    entry.tending = action;
    entry.deadlineMs = this.#clock.monotonicMs() + this.#timeoutMs;
    this.#waiting.push(entry);
    if (this.#timer === null) this.#arm(this.#timeoutMs);
  }

  #leave(entry: Entry<T>): void {
    entry.tending = null;
    this.#waiting.remove(entry);
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

  /** Its answer, if one still comes, is nobody's. */
  #giveUp(entry: Entry<T>, reason: Error): void {
    const action = entry.tending!;
    entry.turn++;
    this.#leave(entry);
    entry.controller?.abort(reason);
    this.#done(entry, action, messageOf(reason));
  }

  #arm(delayMs: number): void {
    this.#timer = this.#clock.after(Math.max(0, delayMs), () => this.#expire(), { keepAlive: true });
  }

  #expire(): void {
    this.#timer = null;
    const nowMs = this.#clock.monotonicMs();
    // Always from the first: what an aborted callback does, such as closing the pool, may have ended others.
    for (let entry = this.#waiting.first; entry !== null; entry = this.#waiting.first) {
      // A timer of the machine may fire a fraction of a millisecond early.
      if (entry.deadlineMs > nowMs + 1) {
        this.#arm(entry.deadlineMs - nowMs);
        return;
      }
      this.#giveUp(entry, new TimeoutError(`${entry.tending}() of the pool ${this.#name}`, this.#timeoutMs));
    }
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
