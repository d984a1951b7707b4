/**
 * Admission for Hono, on Node's server and anywhere else Hono runs.
 *
 * On Node (`@hono/node-server`) a request ends with the `close` of its response, and the response itself is not touched. Elsewhere, and for
 * `app.request()`, the ticket is held until the body of the answer has been read to its end, has failed, or was cancelled.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context, MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import type { Refusal } from '../../pressure/admission/refusal.ts';
import type { Ticket } from '../../pressure/admission/ticket.ts';
import { ClientLeftError, clientSignal, holdUntilEnd } from './node-request.ts';
import { refusalAnswer } from './refusal-answer.ts';
import { type AdmitRequestsOptions, RequestGate } from './request-gate.ts';

/** What a handler behind `admitRequests` finds in its context. */
export interface AdmissionEnvironment {
  Variables: {
    /** Undefined where the request needed none. */
    ticket: Ticket | undefined;
  };
}

/** How requests are admitted under Hono. */
export interface HonoAdmitRequestsOptions extends AdmitRequestsOptions<Context> {
  /** Answers a refusal in place of the problem document; may throw for `app.onError`. */
  readonly onRefused?: (refusal: Refusal, context: Context) => Response | Promise<Response>;
}

/** A status of no standard, for an answer that nobody is there to read. */
const CLIENT_LEFT = 499;

/**
 * Takes each request only with a ticket; `c.get('ticket')` has it. Put it before what reads bodies.
 *
 * @example
 * ```ts
 * app.use(admitRequests({ admission, exempt: ['/health'] }));
 * ```
 * @throws InvalidArgumentError for an option outside its range.
 */
export function admitRequests(options: HonoAdmitRequestsOptions): MiddlewareHandler<AdmissionEnvironment> {
  const gate = new RequestGate<Context>(options);
  const { onRefused = answer } = options;
  return async (c, next) => {
    const { incoming, outgoing } = (c.env ?? {}) as { incoming?: IncomingMessage; outgoing?: ServerResponse };
    const { method, path } = c.req;
    let outcome: Ticket | Refusal | null;
    try {
      const entering = gate.enter({
        ...{
          request: c,
          method,
          path,
          contentLength: incoming?.headers['content-length'] ?? c.req.header('content-length'),
        },
        kind: () => `${method} ${matchedRoutes(c).at(-1)?.path ?? '*'}`,
        signal: () => (outgoing ? clientSignal(outgoing) : c.req.raw.signal),
      });
      outcome = entering instanceof Promise ? await entering : entering;
    } catch (error) {
      const hasLeft = outgoing === undefined ? c.req.raw.signal.aborted : error instanceof ClientLeftError;
      if (hasLeft) return new Response(null, { status: CLIENT_LEFT });
      throw error;
    }
    if (outcome === null) return next();
    if (!outcome.admitted) return onRefused(outcome, c);
    c.set('ticket', outcome);
    if (incoming !== undefined && outgoing !== undefined) {
      holdUntilEnd(outcome, { incoming, outgoing, bodyFactor: gate.bodyFactor });
      return next();
    }
    try {
      await next();
    } catch (error) {
      outcome.release();
      throw error;
    }
    holdUntilRead(outcome, c);
  };
}

function answer(refusal: Refusal): Response {
  const { status, headers, body } = refusalAnswer(refusal);
  return new Response(body, { status, headers });
}

function holdUntilRead(ticket: Ticket, c: Context): void {
  const { body } = c.res;
  // Of an answer to HEAD Hono drops the body unread.
  if (body === null || c.req.method === 'HEAD') {
    ticket.release();
    return;
  }
  const reader = body.getReader();
  const release = () => ticket.release();
  const watched = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        release();
        controller.close();
      } catch (error) {
        release();
        throw error;
      }
    },
    cancel(reason) {
      release();
      return reader.cancel(reason);
    },
  });
  c.res = new Response(watched, c.res);
}
