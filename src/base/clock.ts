/**
 * Time, handed in.
 *
 * Nothing in Tenure reads `Date.now` or starts a bare timer: it asks a `Clock`. So a week of pressure runs as a seeded
 * simulation in seconds (`testing/manual-clock.ts`), and a test never sleeps. Wall time may jump both ways;
 * durations are taken from `monotonicMs`, which never goes back.
 */
import { listenForAbort } from './abort.ts';
import { InvalidArgumentError } from './errors.ts';

/** A pending timer; `cancel` is idempotent and harmless after the timer fired. */
export interface Timer extends Disposable {
  cancel(): void;
}

/** Where time comes from: the machine, or a test. */
export interface Clock {
  /** Milliseconds since the epoch. May jump when the system clock is set. */
  nowMs(): number;
  /** Milliseconds since an arbitrary start, with fractions; never decreases. */
  monotonicMs(): number;
  /** Calls `callback` once after `delayMs`. The timer does not keep the process alive unless `keepAlive` is set. */
  after(delayMs: number, callback: () => void, options?: { keepAlive?: boolean }): Timer;
  /** Calls `callback` every `intervalMs`, first after one interval. Never keeps the process alive. */
  every(intervalMs: number, callback: () => void): Timer;
}

/** The longest delay `setTimeout` takes; a longer one would fire at once. About 24.8 days. */
const MAX_DELAY_MS = 2 ** 31 - 1;

function timer(stop: () => void): Timer {
  return { cancel: stop, [Symbol.dispose]: stop };
}

/** The clock of the machine. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, callback, options = {}) {
    const handle = setTimeout(callback, checkedDelay(delayMs));
    if (!options.keepAlive) handle.unref();
    return timer(() => clearTimeout(handle));
  },
  every(intervalMs, callback) {
    const handle = setInterval(callback, Math.max(1, checkedDelay(intervalMs)));
    handle.unref();
    return timer(() => clearInterval(handle));
  },
};

/** A delay every `Clock` accepts: finite, 0 to 2^31 - 1 ms. `argument` is what the caller calls it. */
export function checkedDelay(delayMs: number, argument = 'delayMs'): number {
  if (!(typeof delayMs === 'number' && delayMs >= 0 && delayMs <= MAX_DELAY_MS)) {
    const problem = `must be a number of milliseconds from 0 to ${MAX_DELAY_MS}; got ${String(delayMs)}.`;
    throw new InvalidArgumentError(argument, problem);
  }
  return delayMs;
}

/**
 * Waits `delayMs`. Rejects with `signal.reason` as soon as the signal aborts, leaving no timer and no listener behind.
 */
export function wait(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      pending.cancel();
      reject(signal?.reason);
    };
    const pending = clock.after(
      delayMs,
      () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      },
      { keepAlive: true },
    );
    if (signal) listenForAbort(signal, onAbort);
  });
}

/** Lets everything else that is ready have its turn of the event loop: input, timers, other pieces of work. Takes no time. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
