/**
 * Agents of `node:http` and `node:https` whose sockets are in the books.
 *
 * They keep connections alive and bound them as Node's agents do; only opening one, keeping one and using one again pass by the books. These
 * are the hooks Node documents for agents: `createConnection`, `keepSocketAlive`, `reuseSocket`.
 */
import { type AgentOptions, type ClientRequest, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import type { SocketBooks } from './socket-books.ts';

type Callback = (error: Error | null, socket?: Duplex) => void;
/** What Node calls: its return value, if any, would be taken for the socket. */
type CreateConnection = (options: object, callback: Callback) => Duplex | undefined;
interface AgentHooks {
  /** What Node holds against `maxTotalSockets`; not in its documentation, there in every version. */
  totalSocketCount?: number;
  createConnection: CreateConnection;
  keepSocketAlive(socket: Duplex): boolean;
  reuseSocket(socket: Duplex, request: ClientRequest): void;
}

export function httpAgent(books: SocketBooks, options: AgentOptions): HttpAgent {
  return inBooks(new HttpAgent(options), books);
}

export function httpsAgent(books: SocketBooks, options: AgentOptions): HttpsAgent {
  return inBooks(new HttpsAgent(options), books);
}

function inBooks<A extends HttpAgent>(agent: A, books: SocketBooks): A {
  const hooks = agent as unknown as AgentHooks;
  const { createConnection, keepSocketAlive, reuseSocket } = hooks;
  const open = (options: object): Duplex => {
    let socket: Duplex | undefined;
    try {
      socket = createConnection.call(agent, options, () => {});
    } finally {
      if (socket === undefined) books.failed();
    }
    if (socket === undefined) throw new Error('The agent opened no connection.');
    books.add(socket);
    books.taken(socket);
    return socket;
  };
  hooks.createConnection = (options, callback) => {
    if (books.tryCharge()) return open(options);
    // Node counts a connection when it is there; one that waits for room must count as well, or there would be more than max.
    count(hooks, 1);
    books
      .charge()
      .then(() => open(options))
      .finally(() => count(hooks, -1))
      .then(
        (socket) => callback(null, socket),
        (error: Error) => callback(error),
      );
    return undefined;
  };
  hooks.keepSocketAlive = (socket) => {
    const isKept = keepSocketAlive.call(agent, socket);
    if (isKept) books.freed(socket);
    return isKept;
  };
  hooks.reuseSocket = (socket, request) => {
    books.taken(socket);
    reuseSocket.call(agent, socket, request);
  };
  return agent;
}

function count(agent: AgentHooks, change: number): void {
  if (typeof agent.totalSocketCount === 'number') agent.totalSocketCount += change;
}
