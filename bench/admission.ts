/** What does admission cost: a ticket, a refusal, and a request that goes through the middleware? */
import { EventEmitter } from 'node:events';
import { Agent, createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { Budget } from '../src/budget/budget.ts';
import { admitRequests } from '../src/integrations/admission/hono.ts';
import { Admission } from '../src/pressure/admission/admission.ts';
import { ScriptedConsumer } from '../src/testing/scripted-consumer.ts';
import { median, percentile } from './data/percentile.ts';
import type { Bench } from './table.ts';

const LIMIT_BYTES = 2 ** 30;
const TICKET_BYTES = 64 * 1024;
const FLOOR_US = 20;
const AIM_US = 3;

export const bench: Bench = {
  name: 'admission',
  question: 'What does admission cost a request?',
  async run({ small }) {
    const calls = small ? 20_000 : 300_000;
    const rounds = small ? 4 : 60;
    const rows: (string | number)[][] = [];
    for (const [name, microseconds] of core(calls, small ? 3 : 15))
      rows.push([name, '', '', round(microseconds), '', '', '']);
    const inProcess = await compared({ rounds, requests: small ? 50 : 400, open: openInProcess });
    const asOnNode = await compared({ rounds, requests: small ? 50 : 2_000, open: openAsOnNode });
    const overHttp = await compared({ rounds, requests: small ? 50 : 400, open: openHttp });
    for (const [name, { without, withIt, added }] of [
      ['Hono over HTTP, one connection', overHttp] as const,
      ['Hono as on Node, without the network', asOnNode] as const,
      ['Hono without a socket (app.request)', inProcess] as const,
    ]) {
      const addedUs = median(added);
      const p99 = [without, withIt].map((all) => round(percentile(all, 0.99)));
      rows.push([name, round(median(without)), round(median(withIt)), round(addedUs), ...p99, verdict(addedUs)]);
    }
    return {
      columns: [
        'what',
        'p50 without, µs',
        'p50 with, µs',
        'added, p50 µs',
        'p99 without, µs',
        'p99 with, µs',
        `floor ${FLOOR_US}, aim ${AIM_US}`,
      ],
      rows,
      notes: [
        'Requests: two applications in one process, the same but for the middleware, take turns in blocks; the first of a pair changes from pair to pair. Added p50 is the median over pairs of the difference of their medians.',
        'Without a socket the answer is read through a stream that knows when it ends; over HTTP the connection tells, and the answer is not touched.',
      ],
    };
  },
};

function core(calls: number, runs: number): [string, number][] {
  const budget = new Budget({ limitBytes: LIMIT_BYTES });
  const pressure = { shedding: false };
  const admission = new Admission({ budget, pressure, circuit: false });
  const broken = new Admission({ budget, name: 'with a circuit' });
  const options = { kind: 'GET /' };
  const fill = new ScriptedConsumer(budget, { onReclaim: () => 0 });
  const rows: [string, number][] = [];
  const row = (name: string, call: () => void) => rows.push([name, timed(call, { calls, runs })]);
  row('ticket: tryAdmit and release', () => {
    const ticket = admission.tryAdmit(TICKET_BYTES, options);
    if (ticket.admitted) ticket.release();
  });
  pressure.shedding = true;
  row('refusal: pressure', () => void admission.tryAdmit(TICKET_BYTES, options));
  pressure.shedding = false;
  fill.reservation.tryGrow(LIMIT_BYTES);
  row('refusal: no room', () => void admission.tryAdmit(TICKET_BYTES, options));
  row('refusal: circuit open', () => void broken.tryAdmit(TICKET_BYTES, options));
  fill.reservation.free();
  admission.close();
  broken.close();
  budget.close();
  return rows;
}

/** Microseconds of one call: the median of runs, two to warm up left out. */
function timed(call: () => void, { calls, runs }: { calls: number; runs: number }): number {
  const microseconds: number[] = [];
  for (let run = -2; run < runs; run++) {
    const started = performance.now();
    for (let index = 0; index < calls; index++) call();
    if (run >= 0) microseconds.push(((performance.now() - started) * 1e3) / calls);
  }
  return median(microseconds);
}

/** One request and its whole answer. */
type Ask = () => Promise<void>;
interface Opened extends AsyncDisposable {
  readonly ask: Ask;
}
type Open = (app: Hono) => Promise<Opened>;

async function compared(options: { rounds: number; requests: number; open: Open }) {
  const { rounds, requests, open } = options;
  const budget = new Budget({ limitBytes: LIMIT_BYTES });
  const admission = new Admission({ budget, pressure: { shedding: false } });
  const without: number[] = [];
  const withIt: number[] = [];
  const added: number[] = [];
  {
    await using plain = await open(application());
    await using admitted = await open(application(admission));
    for (let round = -2; round < rounds; round++) {
      const order = round % 2 === 0 ? [plain, admitted] : [admitted, plain];
      const taken = new Map<Opened, number[]>();
      for (const each of order) taken.set(each, await latencies(each.ask, requests));
      if (round < 0) continue;
      without.push(...taken.get(plain)!);
      withIt.push(...taken.get(admitted)!);
      added.push(median(taken.get(admitted)!) - median(taken.get(plain)!));
    }
  }
  admission.close();
  const { leakedBytes } = budget.close();
  if (leakedBytes > 0) throw new Error(`${leakedBytes} bytes of requests that are over are still held.`);
  return { without, withIt, added };
}

async function latencies(ask: Ask, requests: number): Promise<number[]> {
  const microseconds: number[] = [];
  for (let index = 0; index < requests; index++) {
    const started = performance.now();
    await ask();
    microseconds.push((performance.now() - started) * 1e3);
  }
  return microseconds;
}

function application(admission?: Admission): Hono {
  const app = new Hono();
  app.use((_context, next) => next());
  if (admission) app.use(admitRequests({ admission, exempt: ['/health'] }));
  app.get('/users/:id', (c) => c.json({ id: c.req.param('id'), name: 'Ann', likes: ['short answers'] }));
  return app;
}

async function openInProcess(app: Hono): Promise<Opened> {
  return {
    ask: async () => void (await (await app.request('/users/7')).text()),
    [Symbol.asyncDispose]: async () => {},
  };
}

/** What Node hands over, without its sockets: the work of the processor alone, which other work on the machine disturbs least. */
async function openAsOnNode(app: Hono): Promise<Opened> {
  const incoming = { rawHeaders: ['Host', '127.0.0.1', 'Connection', 'keep-alive'] };
  return {
    async ask() {
      const outgoing = new EventEmitter();
      await app.fetch(new Request('http://127.0.0.1/users/7'), { incoming, outgoing });
      outgoing.emit('close');
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

async function openHttp(app: Hono): Promise<Opened> {
  const server: Server = createServer(getRequestListener(app.fetch));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const options = { agent, port: (server.address() as AddressInfo).port, host: '127.0.0.1', path: '/users/7' };
  return {
    ask: () =>
      new Promise((resolve, reject) => {
        request(options, (response) => response.resume().on('end', resolve))
          .on('error', reject)
          .end();
      }),
    async [Symbol.asyncDispose]() {
      agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function verdict(addedUs: number): string {
  if (addedUs <= AIM_US) return 'aim met';
  return addedUs <= FLOOR_US ? 'floor met' : 'missed';
}

function round(microseconds: number): number {
  return Math.round(microseconds * 100) / 100;
}
