/**
 * An undici `Agent` whose sockets are in the books. The undici is the user's: it is handed in, never loaded from here.
 *
 * undici tells nobody when one of its sockets is free, but it publishes what it sends and when an answer has ended on `diagnostics_channel`
 * (`undici:client:sendHeaders`, `undici:request:trailers`, `undici:request:error`); from that, a socket without a request under way is free.
 */
import { channel } from 'node:diagnostics_channel';
import type { Duplex } from 'node:stream';
import type { SocketBooks } from './socket-books.ts';

type Callback = (...answer: [error: Error, socket: null] | [error: null, socket: never]) => void;

type Answer = (error: Error | null, socket: Duplex | null) => void;

/** What is used of undici. */
export interface UndiciModule<A> {
  readonly Agent: new (options: never) => A;
  buildConnector(options?: never): (options: never, callback: never) => void;
}

/** What undici’s `Agent` takes, `connect` as an object of connector options. */
export type UndiciAgentOptions = Readonly<Record<string, unknown>> & { readonly connect?: object };

interface Sent {
  readonly request: object;
  readonly socket?: Duplex;
}

/** An agent in the books, and how to stop listening for it. */
export function undiciAgent<A>(
  undici: UndiciModule<A>,
  { books, options }: { books: SocketBooks; options: UndiciAgentOptions },
): { agent: A; stop: () => void } {
  const connector = undici.buildConnector({ ...options.connect } as never) as (
    options: object,
    callback: Callback,
  ) => void;
  const open = (target: object, callback: Answer) =>
    connector(target, (error, connected) => {
      const socket = connected as unknown as Duplex | null;
      if (socket === null || error !== null) {
        books.failed();
        callback(error, null);
      } else {
        books.add(socket);
        books.freed(socket);
        callback(null, socket);
      }
    });
  const connect = (target: object, callback: Answer) => {
    if (books.tryCharge()) return open(target, callback);
    books.charge().then(
      () => open(target, callback),
      (error: Error) => callback(error, null),
    );
  };
  const agent = new undici.Agent({ ...options, connect } as never);
  return { agent, stop: watch(books) };
}

function watch(books: SocketBooks): () => void {
  const sockets = new WeakMap<object, Duplex>();
  const underWay = new WeakMap<Duplex, number>();
  const onSent = (message: unknown) => {
    const { request, socket } = message as Sent;
    if (!socket || !books.has(socket)) return;
    sockets.set(request, socket);
    underWay.set(socket, (underWay.get(socket) ?? 0) + 1);
    books.taken(socket);
  };
  const onEnded = (message: unknown) => {
    const { request } = message as Sent;
    const socket = sockets.get(request);
    if (!socket) return;
    sockets.delete(request);
    const left = (underWay.get(socket) ?? 1) - 1;
    underWay.set(socket, left);
    if (left === 0 && !socket.destroyed) books.freed(socket);
  };
  const subscriptions: [string, (message: unknown) => void][] = [
    ['undici:client:sendHeaders', onSent],
    ['undici:request:trailers', onEnded],
    ['undici:request:error', onEnded],
  ];
  for (const [name, listener] of subscriptions) channel(name).subscribe(listener);
  return () => {
    for (const [name, listener] of subscriptions) channel(name).unsubscribe(listener);
  };
}
