/**
 * The HTTP front of the contestants that have no framework of their own: `node:http`, JSON bodies, a cookie for the session.
 *
 *   POST /login { user, style }                         begins a session
 *   POST /chat  { id, question, context, file, … }      answers; 401 where the session is gone
 *   GET  /session                                       what the user left behind
 *   GET  /turns/:user/:id                               an earlier turn; 404 where it is gone
 *   GET  /health                                        that the server listens, and how often it collected garbage
 *
 * A contestant on it is a file in `contestants/` that exports `open` and ends with `if (isStarted(import.meta)) await serve(open)`; it is
 * started as `node <file> <port> <upstream> <directory>`. Others open it to see what it holds (`fill-subsystem.mjs`).
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { constants, PerformanceObserver } from 'node:perf_hooks';
import { Agent } from './agent.mjs';

/**
 * @typedef {object} Sessions
 * @property {(id: string) => import('./agent.mjs').Session | undefined | Promise<import('./agent.mjs').Session | undefined>} read
 * @property {(id: string, session: import('./agent.mjs').Session) => void | Promise<void>} create
 * @property {(id: string, change: (session: import('./agent.mjs').Session) => import('./agent.mjs').Session) => import('./agent.mjs').Session | Promise<import('./agent.mjs').Session>} update
 *
 * @typedef {object} Contestant
 * @property {import('./agent.mjs').Holders} holders
 * @property {Sessions} sessions
 * @property {(bytes: number, signal: AbortSignal) => Admitted | Answer | Promise<Admitted | Answer>} [admit] Asked before a
 *   request's body is read, with its length.
 * @property {() => void | Promise<void>} [close]
 *
 * @typedef {Disposable & { bodyIsRead(): void }} Admitted Is told when the body is read, and disposed of when the request is over.
 *
 * @typedef {object} Answer
 * @property {number} status
 * @property {unknown} body
 * @property {Record<string, string>} [headers]
 */

export function isStarted({ filename }) {
  return process.argv[1] === filename;
}

/** @param {(options: { directory: string }) => Contestant | Promise<Contestant>} open `directory` holds the knowledge base, and is the contestant's to write in. */
export async function serve(open) {
  const [port, upstream, directory] = process.argv.slice(2);
  const { holders, sessions, admit, close } = await open({ directory });
  const front = createFront({ agent: new Agent({ holders, upstream }), sessions, admit });
  front.listen(Number(port), '127.0.0.1');
  process.once('SIGTERM', async () => {
    front.close();
    front.closeAllConnections();
    await close?.();
  });
}

function createFront({ agent, sessions, admit }) {
  async function handle(request, bodyIsRead) {
    const [, route, ...rest] = request.url.split('/');
    if (route === 'health') return { status: 200, body: collections };
    if (route === 'turns') return found(await agent.turn(rest[0], Number(rest[1])), 404);
    const id = /(?:^|; )sid=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1] ?? '';
    if (route === 'session') return found(await sessions.read(id), 401);
    if (route === 'login') return login(await json(request, bodyIsRead));
    if (route === 'chat') return chat(id, await json(request, bodyIsRead));
    return { status: 404, body: { error: 'no such route' } };
  }

  async function login(body) {
    const id = randomUUID();
    await sessions.create(id, agent.login(body));
    return { status: 200, body: {}, headers: { 'set-cookie': `sid=${id}; HttpOnly` } };
  }

  async function chat(id, body) {
    const session = await sessions.read(id);
    if (!session) return found(undefined, 401);
    return { status: 200, body: await agent.chat(session, body, (change) => sessions.update(id, change)) };
  }

  return createServer(async (request, response) => {
    let admitted;
    try {
      // Whoever asks for its health would take a busy server for a dead one.
      if (request.url !== '/health') {
        admitted = await admit?.(Number(request.headers['content-length'] ?? 0), whileOpen(response));
      }
      if (isRefusal(admitted)) request.resume();
      send(response, isRefusal(admitted) ? admitted : await handle(request, () => admitted?.bodyIsRead()));
    } catch (error) {
      if (response.destroyed) return;
      console.error(error);
      send(response, { status: 500, body: { error: String(error) } });
    } finally {
      if (!isRefusal(admitted)) admitted?.[Symbol.dispose]();
    }
  });
}

/** Aborts when the client is gone: nobody waits for an answer that nobody will read. */
function whileOpen(response) {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  return gone.signal;
}

function isRefusal(admitted) {
  return admitted !== undefined && 'status' in admitted;
}

/** Garbage collections of this process so far, by kind, as the performance hooks count them. */
export const collections = { major: 0, minor: 0, pauseMs: 0 };

new PerformanceObserver((list) => {
  for (const { duration, detail } of list.getEntries()) {
    if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) collections.major++;
    if (detail.kind === constants.NODE_PERFORMANCE_GC_MINOR) collections.minor++;
    collections.pauseMs += duration;
  }
}).observe({ entryTypes: ['gc'] });

function found(body, otherwise) {
  return body === undefined ? { status: otherwise, body: { error: 'gone' } } : { status: 200, body };
}

function send(response, { status, body, headers }) {
  if (response.headersSent) return;
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

async function json(request, isRead) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = JSON.parse(Buffer.concat(chunks).toString());
  isRead();
  return body;
}
