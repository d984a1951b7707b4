/**
 * The connections of an HTTP server, to end those that wait for nothing when it closes.
 *
 * Node closes connections that have been used and are kept alive, but waits for those that never sent a request; browsers open such
 * spare ones all the time.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

export class Connections {
  /** Requests being answered on each open connection. */
  readonly #requests = new Map<Socket, number>();
  #ending = false;

  constructor(http: Server) {
    http.on('connection', (socket) => {
      this.#requests.set(socket, 0);
      socket.once('close', () => this.#requests.delete(socket));
    });
    http.on('request', ({ socket }, response) => {
      this.#count(socket, 1);
      response.once('close', () => this.#count(socket, -1));
    });
  }

  /** Ends idle connections now, and the others when their last answer is out. */
  endIdle(): void {
    this.#ending = true;
    for (const socket of this.#requests.keys()) this.#endIfIdle(socket);
  }

  #count(socket: Socket, change: 1 | -1): void {
    const requests = this.#requests.get(socket);
    if (requests === undefined) return;
    this.#requests.set(socket, requests + change);
    if (this.#ending) this.#endIfIdle(socket);
  }

  #endIfIdle(socket: Socket): void {
    if (this.#requests.get(socket) === 0) socket.destroySoon();
  }
}
