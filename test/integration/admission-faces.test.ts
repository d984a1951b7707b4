/** The faces over real frameworks and real sockets: the same behaviour, and the same books, from each. */
import { Agent, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import fastify from 'fastify';
import { Hono } from 'hono';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { Budget } from '../../src/budget/budget.ts';
import { admitRequests as admitExpress } from '../../src/integrations/admission/express.ts';
import { admitRequests as admitFastify } from '../../src/integrations/admission/fastify.ts';
import { admitRequests as admitHono } from '../../src/integrations/admission/hono.ts';
import { ticketOf } from '../../src/integrations/admission/node-request.ts';
import { Admission } from '../../src/pressure/admission/admission.ts';
import type { AdmissionEvent } from '../../src/pressure/admission/admission-events.ts';
import type { AdmissionOptions } from '../../src/pressure/admission/admission-options.ts';
import type { Ticket } from '../../src/pressure/admission/ticket.ts';
import { faces, honoApp, Stage } from './framework-faces.ts';

let stage: Stage;
let budget: Budget;
let admission: Admission;
let events: AdmissionEvent[];
let pressure: { shedding: boolean };
let server: Server | undefined;

beforeEach(() => {
  stage = new Stage();
  events = [];
  pressure = { shedding: false };
  budget = new Budget({ name: 'node', limitBytes: 1_000_000 });
  make();
});

function make(options: Partial<AdmissionOptions> = {}): void {
  admission?.close();
  admission = new Admission({ budget, pressure, events: (event) => events.push(event), ...options });
}

afterEach(async () => {
  for (const resolve of [...stage.hanging, ...stage.chunks]) resolve();
  await until(() => admission.statistics().openTickets === 0);
  expect(admission.statistics()).toMatchObject({ openTickets: 0, openBytes: 0, waiting: 0 });
  expect(budget.reservedBytes).toBe(0);
  const closing = server;
  server = undefined;
  if (closing) {
    closing.closeAllConnections();
    await new Promise((resolve) => closing.close(resolve));
  }
  admission.close();
  expect(budget.close()).toMatchObject({ leakedBytes: 0 });
});

async function listen(made: Promise<Server> | Server): Promise<string> {
  const listening = await made;
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
}

async function until(condition: () => boolean): Promise<void> {
  const giveUpMs = systemClock.monotonicMs() + 10_000;
  while (!condition()) {
    if (systemClock.monotonicMs() > giveUpMs) throw new Error(`Never came true: ${condition}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Takes `bytes` that nobody can reclaim. */
function fill(bytes: number): Disposable {
  const ticket = admission.tryAdmit(bytes);
  if (!ticket.admitted) throw new Error('There was no room to fill.');
  return ticket;
}

describe.each(Object.entries(faces))('%s', (_name, face) => {
  it('takes requests with a ticket, over one connection, and books each until its answer is out', async () => {
    const url = await listen(face(stage, admission, { estimate: 100_000 }));
    for (let count = 1; count <= 20; count++) {
      const response = await fetch(`${url}/ok`);
      expect([response.status, await response.text()]).toEqual([200, 'ok']);
      expect(stage.seen).toHaveLength(count);
      expect(stage.seen.at(-1)).toMatchObject({ admitted: true });
    }
    await until(() => admission.statistics().openTickets === 0);
    expect(admission.statistics()).toMatchObject({ admitted: 20, refused: { budget: 0 } });
  });

  it('takes HEAD with a ticket, lets OPTIONS and exempt paths pass without one, and what is not there too', async () => {
    const url = await listen(face(stage, admission, { exempt: ['/ok', '/inner/*'] }));
    pressure.shedding = true;
    for (const [method, path, status] of [
      ['GET', '/ok?deep=1', 200],
      ['HEAD', '/ok', 200],
      ['GET', '/inner/room', 404],
      ['GET', '/inner', 503],
      ['HEAD', '/throw', 503],
      ['GET', '/nowhere', 503],
    ] as const) {
      const response = await fetch(url + path, { method });
      await response.text();
      expect([method, path, response.status]).toEqual([method, path, status]);
    }
    const preflight = await fetch(`${url}/throw`, { method: 'OPTIONS' });
    expect(preflight.status).not.toBe(503);
    expect(stage.seen.every((ticket) => ticket === undefined)).toBe(true);
    pressure.shedding = false;
    for (const [method, path] of [
      ['HEAD', '/hang'],
      ['GET', '/nowhere'],
    ] as const) {
      const answer = fetch(url + path, { method });
      if (path === '/hang') await until(() => stage.hanging.length > 0);
      for (const resolve of stage.hanging) resolve();
      await (await answer).text();
    }
  });

  it('answers a refusal with 503, Retry-After and a problem document', async () => {
    const url = await listen(face(stage, admission, { estimate: 100_000, waitMs: 0 }));
    using _full = fill(950_000);
    const response = await fetch(`${url}/ok`);
    expect(response.status).toBe(503);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(response.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    expect(await response.json()).toMatchObject({
      ...{ status: 503, code: 'ADMISSION_REFUSED', type: 'urn:tenure:problem:admission-refused' },
      details: { reason: 'budget', requestBytes: 100_000 },
    });
    expect(stage.seen).toEqual([]);
  });

  it('answers 413 to a body that could never fit, before a byte of it is read', async () => {
    const url = await listen(face(stage, admission, { estimate: 1_000, bodyFactor: 10 }));
    const response = await fetch(`${url}/body`, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: new Uint8Array(200_000),
    });
    expect([response.status, response.headers.get('retry-after')]).toEqual([413, null]);
    expect(await response.json()).toMatchObject({ details: { reason: 'too_large', requestBytes: 2_001_000 } });
  });

  it('counts the body before it comes where its length is told, and as it comes where it is not', async () => {
    const url = await listen(face(stage, admission, { estimate: 1_000, bodyFactor: 2 }));
    const headers = { 'content-type': 'application/octet-stream' };
    const told = await fetch(`${url}/body`, { method: 'POST', headers, body: new Uint8Array(100_000) });
    expect(await told.text()).toBe('201000');
    const chunks = async function* () {
      for (let chunk = 0; chunk < 20; chunk++) yield new Uint8Array(10_000);
    };
    const init = { method: 'POST', headers, body: ReadableStream.from(chunks()), duplex: 'half' };
    const untold = await fetch(`${url}/body`, init as RequestInit);
    expect(await untold.text()).toBe('401000');
  });

  it('lets go when the handler throws', async () => {
    const url = await listen(face(stage, admission, {}));
    const response = await fetch(`${url}/throw`);
    await response.text();
    expect(response.status).toBe(500);
    await until(() => admission.statistics().openTickets === 0);
  });

  it('keeps the ticket of a stream to its end', async () => {
    const url = await listen(face(stage, admission, {}));
    const response = await fetch(`${url}/stream`);
    const reading = response.text();
    for (let part = 0; part < 3; part++) {
      await until(() => stage.chunks.length > part);
      expect(admission.statistics().openTickets).toBe(1);
      stage.chunks[part]!();
    }
    expect(await reading).toBe('part 0\npart 1\npart 2\n');
    await until(() => admission.statistics().openTickets === 0);
  });

  it('lets go when the client leaves in the middle of a stream, or of a handler that hangs', async () => {
    const url = await listen(face(stage, admission, {}));
    const controller = new AbortController();
    const response = await fetch(`${url}/stream`, { signal: controller.signal });
    await response.body?.getReader().read();
    expect(admission.statistics().openTickets).toBe(1);
    controller.abort();
    await until(() => admission.statistics().openTickets === 0);
    expect(stage.seen[0]).toMatchObject({ isOpen: false });

    const leaving = new AbortController();
    const hanging = fetch(`${url}/hang`, { signal: leaving.signal }).catch(() => 'left');
    await until(() => stage.hanging.length === 1);
    expect(admission.statistics().openTickets).toBe(1);
    leaving.abort();
    expect(await hanging).toBe('left');
    await until(() => admission.statistics().openTickets === 0);
  });

  it('lets a request wait for room, and forgets it when its client leaves meanwhile', async () => {
    const url = await listen(face(stage, admission, { estimate: 100_000, waitMs: 60_000 }));
    const full = fill(950_000);
    const waiting = fetch(`${url}/ok`);
    await until(() => admission.statistics().waiting === 1);
    const controller = new AbortController();
    const leaving = fetch(`${url}/ok`, { signal: controller.signal }).catch(() => 'left');
    await until(() => admission.statistics().waiting === 2);
    controller.abort();
    expect(await leaving).toBe('left');
    await until(() => admission.statistics().waiting === 1);
    expect(stage.seen).toEqual([]);
    full[Symbol.dispose]();
    const response = await waiting;
    expect([response.status, await response.text()]).toEqual([200, 'ok']);
    expect(stage.seen).toHaveLength(1);
  });

  it('fails the request, and nothing else, when the admission is closed', async () => {
    const url = await listen(face(stage, admission, {}));
    admission.close();
    const response = await fetch(`${url}/ok`);
    await response.text();
    expect(response.status).toBe(500);
  });

  it('uses the learned cost where the estimate throws or is no size', async () => {
    const estimates = [Number.NaN, -5, Number.POSITIVE_INFINITY, '7' as unknown as number];
    const estimate = () => {
      const next = estimates.pop();
      if (next === undefined) throw new Error('estimate is broken');
      return next;
    };
    const url = await listen(face(stage, admission, { estimate }));
    for (let count = 0; count < 6; count++) {
      const response = await fetch(`${url}/ok`);
      expect([response.status, await response.text()]).toEqual([200, 'ok']);
    }
    expect(events).toMatchObject([{ type: 'admission.estimate_failed', message: '7 is no size' }]);
  });

  it('learns what requests of a kind cost', async () => {
    make({ defaultEstimateBytes: 10 });
    const url = await listen(face(stage, admission, {}));
    const before = stage.seen.length;
    for (let count = 0; count < 10; count++) {
      const hanging = fetch(`${url}/hang`);
      await until(() => stage.hanging.length === count + 1);
      expect(stage.seen.at(-1)?.adjust(50_000)).toBe(true);
      stage.hanging[count]!();
      await (await hanging).text();
      await until(() => admission.statistics().openTickets === 0);
    }
    expect(before).toBe(0);
    expect(stage.seen[0]?.kind).toMatch(/^GET \/hang/);
    expect(admission.estimate(stage.seen[0]!.kind)).toBeGreaterThanOrEqual(50_000);
  });

  it('balances when many clients come, wait, leave and are refused at once', async () => {
    make({ maxBytes: 500_000, maxWaiting: 20, circuit: false });
    const url = await listen(face(stage, admission, { estimate: 100_000, waitMs: 200 }));
    const outcomes = await Promise.all(
      Array.from({ length: 120 }, async (_, index) => {
        const controller = new AbortController();
        const answer = fetch(`${url}/ok`, { signal: controller.signal }).then(async (response) => {
          await response.text();
          return response.status;
        });
        if (index % 5 === 0) setImmediate(() => controller.abort());
        return answer.catch(() => 'left');
      }),
    );
    expect(outcomes).toContain(200);
    await until(() => admission.statistics().openTickets === 0 && admission.statistics().waiting === 0);
  });

  it('balances when a client cuts its own body short', async () => {
    const url = await listen(face(stage, admission, { estimate: 1_000 }));
    const { port } = new URL(url);
    for (const head of ['content-length: 100000', 'transfer-encoding: chunked']) {
      const admitted = admission.statistics().admitted;
      const socket = connect(Number(port), '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(
        `POST /body HTTP/1.1\r\nhost: x\r\ncontent-type: application/octet-stream\r\n${head}\r\n\r\n5\r\nhello\r\n`,
      );
      await until(() => admission.statistics().admitted > admitted);
      socket.destroy();
      await until(() => admission.statistics().openTickets === 0);
    }
  });

  it('keeps an idle connection open after a refusal', async () => {
    const url = await listen(face(stage, admission, { estimate: 100_000, waitMs: 0 }));
    const full = fill(950_000);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const statusOf = () =>
      new Promise<number>((resolve, reject) => {
        httpRequest(`${url}/ok`, { agent }, (response: IncomingMessage) => {
          response.resume().on('end', () => resolve(response.statusCode ?? 0));
        })
          .on('error', reject)
          .end();
      });
    expect(await statusOf()).toBe(503);
    full[Symbol.dispose]();
    expect(await statusOf()).toBe(200);
    agent.destroy();
  });
});

describe('Hono without a socket', () => {
  it('holds the ticket until the answer has been read, was cancelled, or failed', async () => {
    const app = honoApp(stage, admission, {});
    const open = () => admission.statistics().openTickets;
    const plain = await app.request('/ok');
    expect(open()).toBe(1);
    expect(await plain.text()).toBe('ok');
    expect(open()).toBe(0);
    const cancelled = await app.request('/stream');
    expect(open()).toBe(1);
    await cancelled.body?.cancel();
    expect(open()).toBe(0);
    const failed = await app.request('/throw');
    expect([failed.status, await failed.text()]).toEqual([500, 'failed']);
    expect(open()).toBe(0);
    const empty = await app.request('/ok', { method: 'HEAD' });
    await empty.text();
    expect(open()).toBe(0);
    pressure.shedding = true;
    expect((await app.request('/ok')).status).toBe(503);
  });

  it('answers a refusal as it is told to', async () => {
    const app = new Hono();
    app.use(admitHono({ admission, onRefused: (refusal, c) => c.text(`no: ${refusal.reason}`, 429) }));
    pressure.shedding = true;
    const response = await app.request('/');
    expect([response.status, await response.text()]).toEqual([429, 'no: pressure']);
  });

  it('knows the route a request will take', async () => {
    const kinds: (string | undefined)[] = [];
    const app = new Hono<{ Variables: { ticket: Ticket | undefined } }>();
    app.use(admitHono({ admission }));
    app.get('/users/:id', (c) => {
      kinds.push(c.get('ticket')?.kind);
      return c.body(null);
    });
    for (const id of ['1', '2']) await (await app.request(`/users/${id}`)).text();
    expect(kinds).toEqual(['GET /users/:id', 'GET /users/:id']);
  });
});

describe('Fastify without a socket', () => {
  it('lets go of what was injected', async () => {
    const app = fastify();
    await app.register(admitFastify, { admission });
    app.get('/users/:id', async (request) => ticketOf(request)?.kind);
    const response = await app.inject('/users/7');
    expect(response.body).toBe('GET /users/:id');
    await until(() => admission.statistics().openTickets === 0);
    await app.close();
  });
});

it.each([
  { admission: undefined },
  { admission: {} },
  { bodyFactor: -1 },
  { bodyFactor: Number.NaN },
  { estimate: -1 },
  { estimate: 'guess' },
  { exempt: ['health'] },
  { exempt: '/health' },
])('refuses the option %j', (options) => {
  const all = { admission, ...options } as never;
  expect(() => admitExpress(all)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
});
