/**
 * Admission for Hono, on Node's server and anywhere else Hono runs.
 *
 * On Node (`@hono/node-server`) a request ends with the `close` of its response, and the response itself is not touched. Elsewhere, and for
 * `app.request()`, the ticket is held until the body of the answer has been read to its end, has failed, or was cancelled.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context, MiddlewareHandler, Next } from 'hono';
import { matchedRoutes } from 'hono/route';
import type { Refusal } from '../../pressure/admission/refusal.ts';
import type { Ticket } from '../../pressure/admission/ticket.ts';
import { ClientLeftError, clientSignal, holdUntilEnd, rawHeader } from './node-request.ts';
import { refusalAnswer } from './refusal-answer.ts';
import { type AdmitRequestsOptions, Arrival, RequestGate } from './request-gate.ts';

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
  const settle = (outcome: Ticket | Refusal | null, c: Context, next: Next): Answer => {
    if (outcome === null) return next();
    if (!outcome.admitted) return Promise.resolve(onRefused(outcome, c));
    c.set('ticket', outcome);
    const node = nodeOf(c);
    if (node === null) return elsewhere(outcome, c, next);
    // Spelled out: a spread of two fields takes longer here than all the rest.
    const { incoming, outgoing } = node;
    holdUntilEnd(outcome, { incoming, outgoing, bodyFactor: gate.bodyFactor });
    return next();
  };
  const late = async (entering: Promise<Ticket | Refusal>, c: Context, next: Next): Answer => {
    let outcome: Ticket | Refusal;
    try {
      outcome = await entering;
    } catch (error) {
      const hasLeft = nodeOf(c) === null ? c.req.raw.signal.aborted : error instanceof ClientLeftError;
      if (hasLeft) return new Response(null, { status: CLIENT_LEFT });
      throw error;
    }
    return settle(outcome, c, next);
  };
  // No async function where there is nothing to wait for: another promise in the chain would be the dearest part of all this.
  return (c, next) => {
    const entering = gate.enter(new HonoArrival(c));
    return entering instanceof Promise ? late(entering, c, next) : settle(entering, c, next);
  };
}

type Answer = ReturnType<MiddlewareHandler>;

/** What `@hono/node-server` hands on. */
interface NodeBindings {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

function nodeOf(c: Context): NodeBindings | null {
  const { incoming, outgoing } = (c.env ?? {}) as Partial<NodeBindings>;
  return incoming === undefined || outgoing === undefined ? null : { incoming, outgoing };
}

async function elsewhere(ticket: Ticket, c: Context, next: Next): Promise<void> {
  try {
    await next();
  } catch (error) {
    ticket.release();
    throw error;
  }
  holdUntilRead(ticket, c);
}

class HonoArrival extends Arrival<Context> {
  constructor(c: Context) {
    const { method, path } = c.req;
    const node = nodeOf(c);
    // Asking Hono for a header would make it build all of them.
    const contentLength = node === null ? c.req.header('content-length') : rawHeader(node.incoming, 'content-length');
    super({ request: c, method, path, contentLength });
  }

  route(): string {
    return `${this.method} ${matchedRoutes(this.request).at(-1)?.path ?? '*'}`;
  }

  get signal(): AbortSignal {
    const node = nodeOf(this.request);
    return node === null ? this.request.req.raw.signal : clientSignal(node.outgoing);
  }
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
  const { res } = c;
  // Else Hono would take the headers of the old answer over into another copy of the new one.
  c.res = undefined;
  c.res = new Response(watched, res);
}
