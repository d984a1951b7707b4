/** A listening server over a fake node, for tests: real sockets, a clock the test moves, and books that must balance at the end. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { invariant } from '../base/assert.ts';
import { type Clock, systemClock } from '../base/clock.ts';
import { createFakeNode, type FakeNode } from './fake-node.ts';
import { createServer, type Server, type ServerOptions } from './server.ts';
import type { ServerEvent } from './server-event.ts';

/** The timer by which admission looks after its tickets: there from the first request on, for as long as the clock stands. */
export const ADMISSION_TIMER = 1;

/** What a clock for tests can do besides telling the time. */
export interface MovedClock extends Clock {
  advance(durationMs: number): Promise<void>;
  readonly pendingTimers: number;
}

export interface TestServer extends AsyncDisposable {
  readonly node: FakeNode;
  readonly server: Server;
  readonly events: ServerEvent[];
  readonly url: string;
  readonly port: number;
  get(path: string, init?: RequestInit): Promise<Response>;
  /** POSTs JSON; a string goes as it is. */
  post(path: string, body: unknown, init?: RequestInit): Promise<Response>;
  /** A bare connection. */
  connect(): Promise<Connection>;
}

export interface Connection extends Disposable {
  readonly socket: Socket;
  /** All that came back so far. */
  readonly received: string;
  /** True once the server has ended the connection. */
  readonly ended: boolean;
}

/** Serves a fake node on a free port. Closing checks that nothing is left: timers, listeners, uploads. */
export async function serveFake(
  clock: MovedClock,
  options: Partial<ServerOptions> & { limits?: Partial<FakeNode['configuration']['server']> } = {},
): Promise<TestServer> {
  const directory = await mkdtemp(join(tmpdir(), 'tenure-server-'));
  const node = createFakeNode({ clock, directory, ...(options.limits ? { server: options.limits } : {}) });
  const events: ServerEvent[] = [];
  const server = createServer({ node, clock, onEvent: (event) => events.push(event), ...options });
  const { port } = await server.listen();
  const url = `http://127.0.0.1:${port}`;
  return {
    node,
    server,
    events,
    url,
    port,
    get: (path, init) => fetch(url + path, init),
    post: (path, body, init) =>
      fetch(url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: typeof body === 'string' ? body : JSON.stringify(body),
        ...init,
      }),
    connect: () => connection(port),
    async [Symbol.asyncDispose]() {
      await server.close();
      node.admission.close();
      invariant(node.budget.close().leakedBytes === 0, 'Requests that are over still hold bytes.');
      await until(() => node.events.subscriberCount === 0 && clock.pendingTimers === 0);
      const left = await readdir(join(directory, 'incoming')).catch(() => []);
      invariant(left.length === 0, `Uploads were left behind: ${left.join(', ')}.`);
      await rm(directory, { recursive: true });
    },
  };
}

async function connection(port: number): Promise<Connection> {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  let ended = false;
  socket.setEncoding('utf8').on('data', (text: string) => {
    received += text;
  });
  for (const end of ['end', 'close', 'error']) {
    socket.on(end, () => {
      ended = true;
    });
  }
  await new Promise((resolve) => socket.once('connect', resolve));
  return {
    socket,
    get received() {
      return received;
    },
    get ended() {
      return ended;
    },
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

/** The JSON of an answer, to look at. */
export async function jsonOf(
  response: Response,
): Promise<{ [field: string]: unknown; code?: string; memory?: unknown }> {
  return (await response.json()) as Record<string, unknown>;
}

/** Resolves once `condition` holds; looks after every turn of the event loop, for ten seconds at most. */
export async function until(condition: () => boolean): Promise<void> {
  const giveUpMs = systemClock.monotonicMs() + 10_000;
  while (!condition()) {
    invariant(systemClock.monotonicMs() < giveUpMs, `Never came true: ${condition}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
