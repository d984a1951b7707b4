/**
 * Listening to signals that many share.
 *
 * One signal for ten thousand waits is what signals are for: the shutdown of a server, a client that went away. Node takes more than ten
 * listeners of a signal for a leak and warns. Ours leave when the wait is over, so a signal we are handed may have any number.
 */
import { setMaxListeners } from 'node:events';

/** Calls `listener` once when `signal` aborts. Whoever listens removes the listener when there is nothing to wait for any more. */
export function listenForAbort(signal: AbortSignal, listener: () => void): void {
  // Not 0, which means the same: of a signal with 0 Node 20 cannot tell the number any more. A signal that is not Node's has no bound.
  if (signal instanceof EventTarget) setMaxListeners(Number.POSITIVE_INFINITY, signal);
  signal.addEventListener('abort', listener, { once: true });
}
