/**
 * Admission for Express 5 and 4, and for whatever else takes a `(req, res, next)` over Node's own requests.
 *
 * It knows nothing of Express but that signature, so importing it loads no framework.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Refusal } from '../../pressure/admission/refusal.ts';
import type { Ticket } from '../../pressure/admission/ticket.ts';
import { kindOfPath } from './kind-of-path.ts';
import { ClientLeftError, clientSignal, holdUntilEnd, remember } from './node-request.ts';
import { refusalAnswer } from './refusal-answer.ts';
import { type AdmitRequestsOptions, Arrival, RequestGate } from './request-gate.ts';

/** What Express calls for each request. */
export type AdmissionHandler<R extends IncomingMessage = IncomingMessage> = (
  request: R,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/**
 * Takes each request only with a ticket; `ticketOf(request)` has it. Put it before what reads bodies.
 *
 * @example
 * ```ts
 * app.use(admitRequests({ admission, exempt: ['/health'] }));
 * ```
 * @throws InvalidArgumentError for an option outside its range.
 */
export function admitRequests<R extends IncomingMessage = IncomingMessage>(
  options: AdmitRequestsOptions<R>,
): AdmissionHandler<R> {
  const gate = new RequestGate(options);
  return (incoming, outgoing, next) => {
    const settle = (outcome: Ticket | Refusal | null) => {
      if (outcome !== null && !outcome.admitted) {
        const { status, headers, body } = refusalAnswer(outcome);
        outgoing.writeHead(status, headers).end(body);
        return;
      }
      if (outcome !== null) {
        remember(incoming, outcome);
        holdUntilEnd(outcome, { incoming, outgoing, bodyFactor: gate.bodyFactor });
      }
      next();
    };
    const fail = (error: unknown) => {
      if (!(error instanceof ClientLeftError)) next(error);
    };
    let entering: ReturnType<RequestGate<R>['enter']>;
    try {
      entering = gate.enter(new ExpressArrival(incoming, outgoing));
    } catch (error) {
      next(error);
      return;
    }
    if (entering instanceof Promise) entering.then(settle, fail);
    else settle(entering);
  };
}

class ExpressArrival<R extends IncomingMessage> extends Arrival<R> {
  readonly #outgoing: ServerResponse;

  constructor(incoming: R, outgoing: ServerResponse) {
    const { method = 'GET', headers } = incoming;
    super({ request: incoming, method, path: pathOf(incoming), contentLength: headers['content-length'] });
    this.#outgoing = outgoing;
  }

  route(): string {
    return kindOfPath(this.method, this.path);
  }

  get signal(): AbortSignal {
    return clientSignal(this.#outgoing);
  }
}

/** Express cuts what a router is mounted on from `url`. */
function pathOf(incoming: IncomingMessage): string {
  const url = (incoming as { originalUrl?: string }).originalUrl ?? incoming.url ?? '/';
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}
