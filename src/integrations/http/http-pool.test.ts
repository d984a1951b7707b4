/** Outgoing connections against a real server: kept, bounded, counted, and closed when the budget asks. */
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import * as undici from 'undici';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Budget } from '../../budget/budget.ts';
import { ScriptedConsumer } from '../../testing/scripted-consumer.ts';
import { HttpPool, type HttpPoolOptions } from './http-pool.ts';

const SOCKET_BYTES = 100_000;

let server: Server;
let url: string;
let budget: Budget;
let connections: Set<Socket>;
let connected: number;
let answer: (response: ServerResponse) => void;
const pools: HttpPool[] = [];

beforeEach(async () => {
  budget = new Budget({ limitBytes: 20 * SOCKET_BYTES, regrowthBytesPerSecond: Number.POSITIVE_INFINITY });
  connections = new Set();
  connected = 0;
  answer = (response) => void response.end('fine');
  server = createServer((_, response) => answer(response)).on('connection', (socket: Socket) => {
    connected++;
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
});
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  expect(budget.reservedBytes).toBe(0);
  expect(budget.close().leakedBytes).toBe(0);
});

function poolOf(options: HttpPoolOptions = {}): HttpPool {
  const pool = new HttpPool({ budget, bytesPerSocket: SOCKET_BYTES, ...options });
  pools.push(pool);
  return pool;
}

function fetchWith(pool: HttpPool): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent: pool.http }, (response: IncomingMessage) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve(text)).on('error', reject);
    }).on('error', reject);
  });
}

/** Sockets become free a turn after their answer has ended. */
async function until(condition: () => boolean): Promise<void> {
  for (let round = 0; round < 400; round++) {
    if (condition()) return;
    await delay(5);
  }
  throw new Error('It did not come to that in two seconds.');
}

describe('the agents of Node', () => {
  it('keep connections, and use them again', async () => {
    const pool = poolOf();
    for (let index = 0; index < 5; index++) {
      expect(await fetchWith(pool)).toBe('fine');
      await until(() => pool.statistics().idle === 1);
    }
    expect(connected).toBe(1);
    expect(pool.statistics()).toMatchObject({
      max: 100,
      size: 1,
      idle: 1,
      created: 1,
      borrows: 5,
      bytes: SOCKET_BYTES,
    });
  });

  it('open no more than max; further requests wait for one', async () => {
    const pool = poolOf({ max: 3 });
    const waiting: ServerResponse[] = [];
    answer = (response) => void waiting.push(response);
    const answers = Array.from({ length: 8 }, () => fetchWith(pool));
    await until(() => waiting.length === 3);
    expect(pool.statistics()).toMatchObject({ size: 3, borrowed: 3, waiting: 5 });
    answer = (response) => void response.end('fine');
    for (const response of waiting) response.end('fine');
    await Promise.all(answers);
    expect(connected).toBe(3);
  });

  it('close free connections when the budget asks, the one free longest first, and none in use', async () => {
    const pool = poolOf();
    await Promise.all([1, 2, 3].map(() => fetchWith(pool)));
    await until(() => pool.statistics().idle === 3);
    let response: ServerResponse | undefined;
    answer = (given) => {
      response = given;
    };
    const busy = fetchWith(pool);
    await until(() => response !== undefined);
    const { accountedBytes } = await budget.reclaim({ targetBytes: 10 * SOCKET_BYTES });
    expect(accountedBytes).toBeGreaterThanOrEqual(2 * SOCKET_BYTES);
    expect(pool.statistics()).toMatchObject({ size: 1, idle: 0, destroyed: expect.objectContaining({ reclaim: 2 }) });
    response!.end('fine');
    expect(await busy).toBe('fine');
    answer = (given) => void given.end('fine');
    expect(await fetchWith(pool)).toBe('fine');
  });

  it('wait for room in the budget, and fail the request when there is none in time', async () => {
    const crowd = new ScriptedConsumer(budget, { name: 'crowd', bytes: 20 * SOCKET_BYTES, onReclaim: () => 0 });
    const impatient = poolOf({ name: 'impatient', acquireTimeoutMs: 30 });
    await expect(fetchWith(impatient)).rejects.toMatchObject({ code: 'BUDGET_EXCEEDED' });
    expect(impatient.statistics()).toMatchObject({ size: 0, timeouts: 1, createErrors: 0, bytes: 0 });
    const patient = poolOf({ name: 'patient' });
    const answered = fetchWith(patient);
    await delay(20);
    expect(connected).toBe(0);
    crowd.give(10 * SOCKET_BYTES);
    expect(await answered).toBe('fine');
    await patient.close();
    crowd.give(10 * SOCKET_BYTES);
  });

  it('give the bytes of a connection back that the other side closed, or that was never made', async () => {
    const pool = poolOf();
    await fetchWith(pool);
    await until(() => pool.statistics().idle === 1);
    for (const socket of connections) socket.destroy();
    await until(() => pool.statistics().size === 0);
    expect(pool.statistics().bytes).toBe(0);
    await new Promise((resolve) => server.close(resolve));
    await expect(fetchWith(pool)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await until(() => pool.statistics().bytes === 0);
    server.listen(0);
  });

  it('close with requests under way', async () => {
    const pool = poolOf();
    answer = () => {};
    const failing = fetchWith(pool).catch((error: { code: string }) => error.code);
    await until(() => pool.statistics().borrowed === 1);
    await pool.close();
    await pool.close();
    expect(await failing).toBe('ECONNRESET');
    await expect(fetchWith(pool)).rejects.toMatchObject({ code: 'CLOSED' });
    expect(pool.isClosed).toBe(true);
  });
});

describe('undici', () => {
  it('has its connections in the same books, free ones closed first', async () => {
    const pool = poolOf();
    const dispatcher = pool.undici(undici);
    await Promise.all([1, 2, 3].map(async () => (await undici.request(url, { dispatcher })).body.text()));
    await until(() => pool.statistics().idle === pool.statistics().size);
    const { size } = pool.statistics();
    expect(size).toBeGreaterThan(0);
    expect(pool.statistics()).toMatchObject({ bytes: size * SOCKET_BYTES, borrowed: 0 });
    let response: ServerResponse | undefined;
    answer = (given) => {
      response = given;
    };
    const busy = undici.request(url, { dispatcher });
    await until(() => response !== undefined);
    expect(pool.statistics().borrowed).toBe(1);
    await budget.reclaim({ targetBytes: 20 * SOCKET_BYTES });
    expect(pool.statistics()).toMatchObject({ size: 1, borrowed: 1 });
    response!.end('fine');
    expect(await (await busy).body.text()).toBe('fine');
    await until(() => pool.statistics().idle === 1);
    answer = (given) => void given.end('fine');
    expect(await (await undici.request(url, { dispatcher })).body.text()).toBe('fine');
    expect(await (await undici.fetch(url, { dispatcher })).text()).toBe('fine');
  });

  it('waits for room in the budget, and is told when there is none', async () => {
    const crowd = new ScriptedConsumer(budget, { name: 'crowd', bytes: 20 * SOCKET_BYTES, onReclaim: () => 0 });
    const pool = poolOf({ acquireTimeoutMs: 30 });
    await expect(undici.request(url, { dispatcher: pool.undici(undici) })).rejects.toMatchObject({
      code: 'BUDGET_EXCEEDED',
    });
    expect(pool.statistics()).toMatchObject({ timeouts: 1, createErrors: 0, creating: 0 });
    crowd.give(20 * SOCKET_BYTES);
  });

  it('is refused when it is none', () => {
    expect(() => poolOf().undici({} as never)).toThrow('must be undici');
  });
});

it('refuses options that are none', () => {
  for (const options of [{ max: 0 }, { bytesPerSocket: -1 }, { idleTimeoutMs: Number.NaN }, { acquireTimeoutMs: -1 }]) {
    expect(() => new HttpPool(options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  }
});
