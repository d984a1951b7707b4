/**
 * What stands before every request that makes the node work: admission, a checked body, a time limit.
 */
import type { MiddlewareHandler } from 'hono';
import type { Clock } from '../base/clock.ts';
import { TimeoutError } from '../base/errors.ts';
import { admitted } from './admitted.ts';
import { jsonBody } from './json-body.ts';
import type { ServedNode } from './served-node.ts';

export type ServerEnvironment = { Variables: { signal: AbortSignal } };

type Middleware = MiddlewareHandler<ServerEnvironment>;

/**
 * Ends the wait for an answer after `timeoutMs`, when the client is gone, or when the server closes.
 *
 * The work is told by its signal; an answer it still gives is dropped.
 */
export function answerWithin(timeoutMs: number, clock: Clock): Middleware {
  return async (c, next) => {
    const outer = c.get('signal');
    const own = new AbortController();
    const end = () => own.abort(outer.reason);
    if (outer.aborted) end();
    outer.addEventListener('abort', end, { once: true });
    const timer = clock.after(timeoutMs, () => own.abort(new TimeoutError(`${c.req.method} ${c.req.path}`, timeoutMs)));
    c.set('signal', own.signal);
    try {
      await Promise.race([next(), rejectionOf(own.signal)]);
    } finally {
      timer.cancel();
      outer.removeEventListener('abort', end);
    }
  };
}

/** Rejects with the signal's reason; never resolves. */
function rejectionOf(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** What the routes work with. */
export interface Served {
  readonly node: ServedNode;
  readonly clock: Clock;
}

/** The middleware of a route that takes JSON and works on it. */
export function jsonWork(served: Served): Middleware[] {
  const { node, clock } = served;
  const { bodyLimitBytes, requestTimeoutMs } = node.configuration.server;
  return [
    admitted('json', served),
    jsonBody({ maxBytes: bodyLimitBytes, idleMs: requestTimeoutMs, clock }),
    answerWithin(requestTimeoutMs, clock),
  ];
}
