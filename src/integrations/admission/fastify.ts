/**
 * Admission for Fastify 5: a plugin that holds for the instance it is registered on and all below it, whichever comes first.
 *
 * Fastify has found the route before it asks, so the kind of a request is its route.
 */
import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import type { Refusal } from '../../pressure/admission/refusal.ts';
import type { Ticket } from '../../pressure/admission/ticket.ts';
import { ClientLeftError, clientSignal, holdUntilEnd, remember } from './node-request.ts';
import { refusalAnswer } from './refusal-answer.ts';
import { type AdmitRequestsOptions, Arrival, RequestGate } from './request-gate.ts';

/**
 * Takes each request only with a ticket; `ticketOf(request)` has it.
 *
 * @example
 * ```ts
 * await app.register(admitRequests, { admission, exempt: ['/health'] });
 * ```
 * @throws InvalidArgumentError for an option outside its range.
 */
export const admitRequests: FastifyPluginCallback<AdmitRequestsOptions<FastifyRequest>> = (app, options, done) => {
  const gate = new RequestGate(options);
  app.addHook('onRequest', (request, reply, next) => {
    const { raw: incoming } = request;
    const { raw: outgoing } = reply;
    const settle = (outcome: Ticket | Refusal | null) => {
      if (outcome !== null && !outcome.admitted) {
        refuse(reply, outcome);
        return;
      }
      if (outcome !== null) {
        remember(incoming, outcome);
        holdUntilEnd(outcome, { incoming, outgoing, bodyFactor: gate.bodyFactor });
      }
      next();
    };
    const fail = (error: Error) => {
      if (error instanceof ClientLeftError) reply.hijack();
      else next(error);
    };
    const entering = gate.enter(new FastifyArrival(request, reply));
    if (entering instanceof Promise) entering.then(settle, fail);
    else settle(entering);
  });
  done();
};

// Fastify shuts a plugin in with its own routes unless it says otherwise; these are the two marks that `fastify-plugin` sets.
Object.assign(admitRequests, {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'tenure-admission',
});

class FastifyArrival extends Arrival<FastifyRequest> {
  readonly #reply: FastifyReply;

  constructor(request: FastifyRequest, reply: FastifyReply) {
    const { method, url, headers } = request;
    const query = url.indexOf('?');
    const path = query < 0 ? url : url.slice(0, query);
    super({ request, method, path, contentLength: headers['content-length'] });
    this.#reply = reply;
  }

  route(): string {
    return `${this.method} ${this.request.routeOptions.url ?? '*'}`;
  }

  get signal(): AbortSignal {
    return clientSignal(this.#reply.raw);
  }
}

function refuse(reply: FastifyReply, refusal: Refusal): void {
  const { status, headers, body } = refusalAnswer(refusal);
  // As bytes: to a text Fastify adds a charset, which a problem document does not have.
  reply.code(status).headers(headers).send(Buffer.from(body));
}
