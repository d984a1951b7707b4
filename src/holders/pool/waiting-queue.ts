/**
 * Those who wait for an object, first come first served.
 *
 * Joining, leaving and being served take constant time, also for the one who gives up in the middle of 10,000. Most wait the same time,
 * so they run out of patience in the order they came: one timer, for the oldest of them, serves all. Only who asked for a time of its own has a
 * timer of its own. The shared timer keeps the process alive while somebody waits; it is left to run when the last one is served, for the
 * next will wait soon, and `rest` stops it where nobody came.
 */
import { listenForAbort } from '../../base/abort.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Lease } from './lease.ts';

/** One who waits. */
export class Waiter<T> {
  readonly startMs: number;
  readonly deadlineMs: number;
  readonly site: { readonly stack?: string } | null;
  readonly resolve: (lease: Lease<T>) => void;
  readonly reject: (reason: unknown) => void;
  /** Undoes what was set up for it alone: its own timer, its listener on a signal. */
  cleanup: (() => void) | null = null;
  hasOwnTimer = false;
  isWaiting = false;
  previous: Waiter<T> | null = null;
  next: Waiter<T> | null = null;

  constructor(options: {
    startMs: number;
    timeoutMs: number;
    site: { readonly stack?: string } | null;
    resolve: (lease: Lease<T>) => void;
    reject: (reason: unknown) => void;
  }) {
    this.startMs = options.startMs;
    this.deadlineMs = options.startMs + options.timeoutMs;
    this.site = options.site;
    this.resolve = options.resolve;
    this.reject = options.reject;
  }
}

export class WaitingQueue<T> {
  readonly #clock: Clock;
  readonly #onTimeout: (waiter: Waiter<T>) => void;
  readonly #onAbort: () => void;
  first: Waiter<T> | null = null;
  #last: Waiter<T> | null = null;
  size = 0;
  #timer: Timer | null = null;

  /** `onTimeout` gets one who has waited for its time and no longer stands in the queue; `onAbort` hears of one who was called off. */
  constructor(options: { clock: Clock; onTimeout: (waiter: Waiter<T>) => void; onAbort: () => void }) {
    this.#clock = options.clock;
    this.#onAbort = options.onAbort;
    this.#onTimeout = options.onTimeout;
  }

  /** Joins at the end. With `signal`, or a time of its own, more is set up for it. */
  join(waiter: Waiter<T>, options: { signal?: AbortSignal | undefined; ownTimeoutMs?: number | undefined } = {}): void {
    waiter.isWaiting = true;
    waiter.previous = this.#last;
    if (this.#last === null) this.first = waiter;
    else this.#last.next = waiter;
    this.#last = waiter;
    this.size++;
    const { signal, ownTimeoutMs } = options;
    if (signal || ownTimeoutMs !== undefined) this.#attend(waiter, signal, ownTimeoutMs);
    if (ownTimeoutMs === undefined && this.#timer === null) this.#arm(waiter.deadlineMs - waiter.startMs);
  }

  /** Takes the oldest out. */
  shift(): Waiter<T> | null {
    const waiter = this.first;
    if (waiter !== null) this.leave(waiter);
    return waiter;
  }

  leave(waiter: Waiter<T>): void {
    const { previous, next } = waiter;
    if (previous === null) this.first = next;
    else previous.next = next;
    if (next === null) this.#last = previous;
    else next.previous = previous;
    waiter.previous = null;
    waiter.next = null;
    waiter.isWaiting = false;
    this.size--;
    waiter.cleanup?.();
  }

  /** Stops the timer if nobody waits. */
  rest(): void {
    if (this.size > 0) return;
    this.#timer?.cancel();
    this.#timer = null;
  }

  #attend(waiter: Waiter<T>, signal: AbortSignal | undefined, ownTimeoutMs: number | undefined): void {
    const leaveWith = (tell: () => void) => {
      if (!waiter.isWaiting) return;
      this.leave(waiter);
      tell();
    };
    const onAbort = () =>
      leaveWith(() => {
        waiter.reject(signal?.reason);
        this.#onAbort();
      });
    if (signal) listenForAbort(signal, onAbort);
    let timer: Timer | null = null;
    if (ownTimeoutMs !== undefined) {
      waiter.hasOwnTimer = true;
      timer = this.#clock.after(ownTimeoutMs, () => leaveWith(() => this.#onTimeout(waiter)), { keepAlive: true });
    }
    waiter.cleanup = () => {
      timer?.cancel();
      signal?.removeEventListener('abort', onAbort);
    };
  }

  #arm(delayMs: number): void {
    this.#timer = this.#clock.after(Math.max(0, delayMs), () => this.#expire(), { keepAlive: true });
  }

  #expire(): void {
    this.#timer = null;
    const nowMs = this.#clock.monotonicMs();
    for (let waiter = this.first; waiter !== null; ) {
      const { next }: Waiter<T> = waiter;
      if (!waiter.hasOwnTimer) {
        // A timer of the machine may fire a fraction of a millisecond early.
        if (waiter.deadlineMs > nowMs + 1) {
          this.#arm(waiter.deadlineMs - nowMs);
          return;
        }
        this.leave(waiter);
        this.#onTimeout(waiter);
      }
      // Whoever was told of a refusal may have served or called off the next.
      waiter = next === null || next.isWaiting ? next : this.first;
    }
  }
}
