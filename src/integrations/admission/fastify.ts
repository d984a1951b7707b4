/**
 * Admission for Fastify 5: a plugin that holds for the instance it is registered on and all below it, whichever comes first.
 *
 * Fastify has found the route before it asks, so the kind of a request is its route.
 */
import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import type { Refusal } from '../../pressure/admission/refusal.ts';
import type { Ticket } from '../../pressure/admission/ticket.ts';
import { ClientLeftError, clientSignal, holdUntilEnd } from './node-request.ts';
import { refusalAnswer } from './refusal-answer.ts';
import { type AdmitRequestsOptions, RequestGate } from './request-gate.ts';

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
    const { raw: incoming, method, url } = request;
    const { raw: outgoing } = reply;
    const settle = (outcome: Ticket | Refusal | null) => {
      if (outcome !== null && !outcome.admitted) {
        refuse(reply, outcome);
        return;
      }
      if (outcome !== null) holdUntilEnd(outcome, { incoming, outgoing, bodyFactor: gate.bodyFactor });
      next();
    };
    const fail = (error: Error) => {
      if (error instanceof ClientLeftError) reply.hijack();
      else next(error);
    };
    const query = url.indexOf('?');
    const entering = gate.enter({
      ...{ request, method, path: query < 0 ? url : url.slice(0, query) },
      contentLength: request.headers['content-length'],
      kind: () => `${method} ${request.routeOptions.url ?? '*'}`,
      signal: () => clientSignal(outgoing),
    });
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

function refuse(reply: FastifyReply, refusal: Refusal): void {
  const { status, headers, body } = refusalAnswer(refusal);
  // As bytes: to a text Fastify adds a charset, which a problem document does not have.
  reply.code(status).headers(headers).send(Buffer.from(body));
}
