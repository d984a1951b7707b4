/**
 * The HTTP server of one node.
 *
 *   created ──listen──▶ listening ──close──▶ closing ──(requests answered, or time is over)──▶ closed
 *
 * Closing takes no new connections, ends the live streams, lets requests in flight finish within a time limit, and cuts off
 * the rest. The node itself stays open: who opened it closes it, after the server.
 */
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { type Clock, systemClock } from '../base/clock.ts';
import { ClosedError, messageOf } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import { type App, createApp } from './app.ts';
import { Connections } from './connections.ts';
import { requireLoopback } from './loopback.ts';
import { problemResponse } from './problem.ts';
import { ListenError, RequestRefusedError } from './refusal.ts';
import { RequestsInFlight } from './requests-in-flight.ts';
import type { ServedNode } from './served-node.ts';
import type { ServerEvent } from './server-event.ts';
import { Broadcast } from './stream/broadcast.ts';

/** Longest time for the request line and headers. */
const HEADERS_TIMEOUT_MS = 10_000;
/** Longest time for a whole request, a large document included. */
const REQUEST_TIMEOUT_MS = 600_000;
const CONNECTION_LIMIT = 1024;
const CLOSE_TIMEOUT_MS = 5000;

export interface ServerOptions {
  readonly node: ServedNode;
  readonly clock?: Clock;
  /** Told of what the server does. */
  readonly onEvent?: EventSink<ServerEvent>;
  /** Built dashboard; the package's own by default. */
  readonly dashboardDirectory?: string;
  /** How long closing waits for requests in flight, in milliseconds; 5,000 by default. */
  readonly closeTimeoutMs?: number;
}

export interface Server extends AsyncDisposable {
  /** The routes alone, for requests without a socket. */
  readonly app: App;
  /** Listens where the node's configuration says. @throws ListenError `PORT_IN_USE`, `SERVER_NOT_LOOPBACK`, `LISTEN_FAILED` */
  listen(): Promise<{ address: string; port: number }>;
  close(): Promise<void>;
}

/** The server of `node`; it listens when told to. */
export function createServer(options: ServerOptions): Server {
  const { node, clock = systemClock, onEvent = () => undefined } = options;
  const dashboardDirectory = options.dashboardDirectory ?? join(import.meta.dirname, '../../dist/dashboard');
  const broadcast = new Broadcast({ node, clock });
  const requests = new RequestsInFlight();
  const app = createApp({ node, clock, broadcast, requests, dashboardDirectory, onEvent });
  const http = createHttpServer(
    { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS },
    getRequestListener(app.fetch, {
      overrideGlobalObjects: false,
      errorHandler: (error) => problemResponse(new RequestRefusedError('INVALID_REQUEST', messageOf(error))),
    }),
  );
  http.maxConnections = CONNECTION_LIMIT;
  let listening: Promise<{ address: string; port: number }> | undefined;
  let closing: Promise<void> | undefined;
  const connections = new Connections(http);

  const listen = async () => {
    const { host, port } = node.configuration.server;
    requireLoopback(host);
    const bound = await listenOn(http, { host: host === 'localhost' ? '127.0.0.1' : host, port });
    onEvent({ type: 'server.listening', atMs: clock.nowMs(), ...bound });
    return bound;
  };

  const close = async () => {
    broadcast.close();
    await listening?.catch(() => undefined);
    if (http.listening) await closeConnections();
  };

  const closeConnections = async () => {
    let abandoned = 0;
    const timer = clock.after(options.closeTimeoutMs ?? CLOSE_TIMEOUT_MS, () => {
      abandoned = requests.size;
      requests.abortAll(new ClosedError('The server'));
      http.closeAllConnections();
    });
    const closed = new Promise((resolve) => http.close(resolve));
    connections.endIdle();
    await closed;
    timer.cancel();
    onEvent({ type: 'server.closed', atMs: clock.nowMs(), abandoned });
  };

  return {
    app,
    async listen() {
      if (closing) throw new ClosedError('The server');
      listening ??= listen();
      return listening;
    },
    close() {
      closing ??= close();
      return closing;
    },
    [Symbol.asyncDispose]() {
      return this.close();
    },
  };
}

function listenOn(http: HttpServer, at: { host: string; port: number }): Promise<{ address: string; port: number }> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => reject(listenError(error, at));
    http.once('error', onError);
    http.listen(at.port, at.host, () => {
      http.off('error', onError);
      const { address, port } = http.address() as AddressInfo;
      resolve({ address, port });
    });
  });
}

function listenError(cause: NodeJS.ErrnoException, { host, port }: { host: string; port: number }): ListenError {
  const details = { host, port };
  if (cause.code !== 'EADDRINUSE') {
    return new ListenError('LISTEN_FAILED', `The server cannot listen on ${host}:${port}: ${cause.message}`, {
      details,
      cause,
    });
  }
  const text = `Port ${port} on ${host} is in use, perhaps by another Tenure. Stop that program, or choose a port: --port, TENURE_PORT, or server.port (0 takes a free one).`;
  return new ListenError('PORT_IN_USE', text, { details, cause });
}
