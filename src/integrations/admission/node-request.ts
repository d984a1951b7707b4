/**
 * Requests as Node has them, under whatever framework: when they are over, whether their client is still there, what their body comes to.
 *
 * A response ends in one event, `close`: after its last byte, or when the connection is lost before. It comes for streams, for handlers that
 * throw, and for handlers that hang until the client gives up.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { TenureError } from '../../base/errors.ts';
import type { Ticket } from '../../pressure/admission/ticket.ts';

/** Counting each chunk would ask the budget for a few bytes at a time. */
const COUNT_STEP_BYTES = 64 * 1024;
const TICKET = Symbol('tenure ticket');

/** The client closed the connection while its request waited to be admitted. Code `CLIENT_LEFT`. */
export class ClientLeftError extends TenureError {
  override readonly name = 'ClientLeftError';
  constructor() {
    super('CLIENT_LEFT', 'The client closed the connection before its request was admitted.');
  }
}

/** The ticket of a request: of one of Node, or of a framework that has Node's as `raw`. Undefined where it needed none. */
export function ticketOf(request: object): Ticket | undefined {
  const { [TICKET]: ticket, raw } = request as { [TICKET]?: Ticket; raw?: object };
  return ticket ?? (raw as { [TICKET]?: Ticket } | undefined)?.[TICKET];
}

/** Lets `ticketOf` find the ticket. */
export function remember(incoming: IncomingMessage, ticket: Ticket): void {
  (incoming as { [TICKET]?: Ticket })[TICKET] = ticket;
}

/**
 * One header as it was sent. `incoming.headers` would make an object of all of them, which costs more than an admission and which Hono, by
 * itself, never asks for.
 */
export function rawHeader(incoming: IncomingMessage, name: 'content-length' | 'transfer-encoding'): string | undefined {
  const { rawHeaders } = incoming;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const sent = rawHeaders[index]!;
    if (sent.length === name.length && sent.toLowerCase() === name) return rawHeaders[index + 1];
  }
  return undefined;
}

/** Lets go of `ticket` when the response is over, and counts a body of unknown length until then. */
export function holdUntilEnd(
  ticket: Ticket,
  { incoming, outgoing, bodyFactor }: { incoming: IncomingMessage; outgoing: ServerResponse; bodyFactor: number },
): void {
  if (outgoing.destroyed) {
    ticket.release();
    return;
  }
  outgoing.on('close', () => ticket.release());
  if (bodyFactor > 0 && rawHeader(incoming, 'transfer-encoding') !== undefined) countBody(incoming, ticket, bodyFactor);
}

/** Aborts when the client goes away before it was answered. */
export function clientSignal(outgoing: ServerResponse): AbortSignal {
  const controller = new AbortController();
  const leave = () => controller.abort(new ClientLeftError());
  if (outgoing.destroyed) leave();
  else outgoing.once('close', leave);
  return controller.signal;
}

/** The parser hands each chunk to `push`, so that is where all of them pass, whoever reads them and whenever. */
function countBody(incoming: IncomingMessage, ticket: Ticket, bodyFactor: number): void {
  let uncountedBytes = 0;
  incoming.push = (chunk: Uint8Array | null, encoding?: BufferEncoding) => {
    if (chunk !== null) uncountedBytes += chunk.length;
    if (uncountedBytes >= COUNT_STEP_BYTES || chunk === null) {
      ticket.addBody(Math.ceil(uncountedBytes * bodyFactor));
      uncountedBytes = 0;
    }
    return Object.getPrototypeOf(incoming).push.call(incoming, chunk, encoding);
  };
}
