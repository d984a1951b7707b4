/**
 * A small HTTP server that speaks the wire of a node, moved by hand.
 *
 * It serves the built page under the policy of the real server, so what the policy forbids fails here too. Readings are sent when a test
 * says so; requests can be refused; and it can die and come back on the same port.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import type { TenureEventBase } from '../../src/base/events.ts';
import { toldEvent } from '../../src/server/told-event.ts';
import type { Answer, Moment, NodeEvent, NodeStatus } from '../../src/server/wire.ts';
import { ANSWER, eventsBefore, historyBetween, momentAt, statusAt } from './node-figures.ts';

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const MEDIA_TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}

export class FixtureServer implements AsyncDisposable {
  /** Paths that are refused, until removed. */
  readonly refusals = new Map<string, Refusal>();
  /** Questions that were asked. */
  readonly questions: string[] = [];
  /** The state that is told; tests change it. */
  status: NodeStatus;
  events: NodeEvent[];
  answer: Answer = ANSWER;
  /** Whether there is a past. */
  hasHistory = true;
  /** While set, answers wait for it. */
  hold: Promise<void> = Promise.resolve();
  readonly #directory: string;
  readonly #streams = new Set<ServerResponse>();
  #server: Server | undefined;
  #port = 0;

  private constructor(directory: string, nowMs: number) {
    this.#directory = directory;
    this.status = statusAt(nowMs);
    this.events = eventsBefore(nowMs);
  }

  /** Serves the page built in `directory`; the node's story ends at `nowMs`. */
  static async start(directory: string, nowMs: number): Promise<FixtureServer> {
    const fixture = new FixtureServer(directory, nowMs);
    await fixture.listen();
    return fixture;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  /** Pages that listen to the stream now. */
  get listeners(): number {
    return this.#streams.size;
  }

  async listen(): Promise<void> {
    this.#server = createServer((request, response) => void this.#respond(request, response));
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** As a kill would: every connection is cut. */
  async die(): Promise<void> {
    const closed = once(this.#server!, 'close');
    this.#server!.close();
    this.#server!.closeAllConnections();
    await closed;
    this.#streams.clear();
  }

  /** Sends a reading, and lets the status tell the same. */
  sendReading(moment: Moment = momentAt(this.status.reading.atMs + 250)): void {
    this.status = { ...this.status, ...moment };
    this.#send('reading', moment);
  }

  /** Sends an event, told in the server's own words. */
  sendEvent(event: TenureEventBase & Readonly<Record<string, unknown>>): void {
    const told = toldEvent(event);
    this.events = [told, ...this.events];
    this.#send('event', told);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server!.listening) await this.die();
  }

  #send(name: string, data: unknown): void {
    for (const stream of this.#streams) stream.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, this.url);
    const path = url.pathname;
    const refusal = this.refusals.get(path);
    if (path === '/monitoring/stream' && !refusal) return this.#open(response);
    const body = await bodyOf(request);
    await this.hold;
    if (refusal) {
      const { status, code, detail } = refusal;
      sendJson(response, { type: `urn:tenure:${code}`, title: 'Refused', status, code, detail, details: {} }, status);
    } else if (path === '/monitoring/memory') {
      sendJson(response, this.status);
    } else if (path === '/monitoring/events') {
      sendJson(response, { events: this.events });
    } else if (path === '/monitoring/history') {
      const number = (name: string) => Number(url.searchParams.get(name));
      const range = { fromMs: number('fromMs'), toMs: number('toMs'), points: number('points') };
      sendJson(response, this.hasHistory ? historyBetween(range) : { resolutionMs: 30_000, points: [] });
    } else if (path === '/ask') {
      this.questions.push(JSON.parse(body).question);
      sendJson(response, this.answer);
    } else {
      await this.#sendFile(path === '/' ? 'index.html' : path, response);
    }
  }

  #open(response: ServerResponse): void {
    this.#streams.add(response);
    response.on('close', () => this.#streams.delete(response));
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    const { reading, pressure, budget } = this.status;
    response.write(`retry: 2000\n\nevent: reading\ndata: ${JSON.stringify({ reading, pressure, budget })}\n\n`);
  }

  async #sendFile(path: string, response: ServerResponse): Promise<void> {
    try {
      const content = await readFile(join(this.#directory, path));
      const type = MEDIA_TYPES[extname(path)]!;
      response.writeHead(200, { 'content-type': type, 'content-security-policy': POLICY }).end(content);
    } catch {
      response.writeHead(404).end();
    }
  }
}

function sendJson(response: ServerResponse, body: unknown, status = 200): void {
  const type = status < 400 ? 'application/json' : 'application/problem+json';
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(JSON.stringify(body));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
