/** Waiting for something with a signal or a time limit, leaving neither listener nor timer behind. */
import { listenForAbort } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import { TimeoutError } from '../../base/errors.ts';

/** What `promise` comes to, unless `signal` aborts first; `promise` goes on by itself then. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else listenForAbort(signal, onAbort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** What `promise` comes to within `timeoutMs`. @throws TimeoutError that names `what`. */
export function within<T>(
  promise: PromiseLike<T>,
  { clock, timeoutMs, what }: { clock: Clock; timeoutMs: number; what: string },
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = clock.after(timeoutMs, () => reject(new TimeoutError(what, timeoutMs)), { keepAlive: true });
    Promise.resolve(promise)
      .then(resolve, reject)
      .finally(() => timer.cancel());
  });
}

/** Tells what comes later from what is there. */
export function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
