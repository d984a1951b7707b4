/**
 * Calling what somebody else wrote, for a limited time.
 *
 * The callback runs a microtask later, never within the caller: what it does to the pool meets the pool in order. Whether it throws,
 * rejects, hangs or comes late, the call ends; what comes after that is handed to `late`, so that a connection opened too late is closed
 * and not forgotten.
 */
import { type Clock, checkedDelay } from '../../base/clock.ts';
import { TimeoutError } from '../../base/errors.ts';

export interface BoundedCall<R> {
  readonly clock: Clock;
  /** For the error of a time-out. */
  readonly what: string;
  readonly timeoutMs: number;
  /** Ends the call early, with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** The signal it gets aborts when the call is over without it. */
  run(signal: AbortSignal): R | PromiseLike<R>;
  /** Takes what came too late. A failure that comes too late is nobody's. */
  late?(result: R): void;
}

/** What `run` comes to; rejects with what it threw, a `TimeoutError`, or the signal's reason. */
export function boundedCall<R>(call: BoundedCall<R>): Promise<R> {
  const { clock, what, timeoutMs, signal } = call;
  return new Promise<R>((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const controller = new AbortController();
    let isOver = false;
    const finish = () => {
      isOver = true;
      timer.cancel();
      signal?.removeEventListener('abort', callOff);
    };
    const giveUp = (reason: unknown) => {
      finish();
      reject(reason);
      controller.abort(reason);
    };
    const callOff = () => giveUp(signal?.reason);
    const timer = clock.after(checkedDelay(timeoutMs), () => giveUp(new TimeoutError(what, timeoutMs)), {
      keepAlive: true,
    });
    signal?.addEventListener('abort', callOff, { once: true });
    Promise.resolve()
      .then(() => call.run(controller.signal))
      .then(
        (result) => {
          if (isOver) return call.late?.(result);
          finish();
          resolve(result);
        },
        (error: unknown) => {
          if (isOver) return;
          finish();
          reject(error);
        },
      );
  });
}
