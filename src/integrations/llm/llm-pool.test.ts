/** Language-model clients against a service that answers, limits, breaks and hangs, with a real client over real HTTP. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import OpenAI from 'openai';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Budget } from '../../budget/budget.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { LlmPool, type LlmPoolOptions } from './llm-pool.ts';
import { RequestRate } from './request-rate.ts';

let server: Server;
let baseURL: string;
let budget: Budget;
/** What the service does with a request. */
let answer: (response: ServerResponse) => void;
let underWay = 0;
let mostUnderWay = 0;
let closedEarly = 0;
const pools: { close(options: { timeoutMs: number }): Promise<unknown> }[] = [];

beforeEach(async () => {
  budget = new Budget({ limitBytes: 2 ** 24 });
  underWay = mostUnderWay = closedEarly = 0;
  answer = (response) => setImmediate(() => complete(response));
  server = createServer((request, response) => {
    underWay++;
    mostUnderWay = Math.max(mostUnderWay, underWay);
    response.once('close', () => {
      underWay--;
      if (!response.writableEnded) closedEarly++;
    });
    request.resume().once('end', () => answer(response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  baseURL = `http://127.0.0.1:${(server.address() as { port: number }).port}/v1`;
});
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close({ timeoutMs: 0 })));
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  expect(budget.reservedBytes).toBe(0);
  expect(budget.close().leakedBytes).toBe(0);
});

function complete(response: ServerResponse): void {
  const message = { role: 'assistant', content: 'Tuesday.' };
  response.setHeader('content-type', 'application/json');
  response.end(
    JSON.stringify({ id: '1', object: 'chat.completion', choices: [{ index: 0, message, finish_reason: 'stop' }] }),
  );
}

function poolOf(options: Partial<LlmPoolOptions<OpenAI>> = {}): LlmPool<OpenAI> {
  const create = () => new OpenAI({ baseURL, apiKey: 'none', maxRetries: 0 });
  const pool = new LlmPool<OpenAI>({ create, budget, ...options });
  pools.push(pool);
  return pool;
}

const ask = (client: OpenAI, { signal }: { signal: AbortSignal }) =>
  client.chat.completions.create({ model: 'small', messages: [{ role: 'user', content: 'When?' }] }, { signal });

/** A breaker that remembers. */
function breakerOf() {
  const told: string[] = [];
  return {
    told,
    admit: () => void told.push('admit'),
    succeeded: () => void told.push('good'),
    failed: () => void told.push('bad'),
  };
}

describe('requests', () => {
  it('go through, ten at a time by default, each client counted in the budget', async () => {
    const pool = poolOf();
    const answers = await Promise.all(Array.from({ length: 40 }, () => pool.request(ask)));
    expect(answers.map(({ choices }) => choices[0]!.message.content)).toEqual(Array(40).fill('Tuesday.'));
    expect(mostUnderWay).toBeLessThanOrEqual(10);
    expect(pool.statistics()).toMatchObject({
      max: 10,
      borrowed: 0,
      borrows: 40,
      bytes: pool.statistics().size * 65_536,
    });
    await budget.reclaim({ targetBytes: 2 ** 24 });
    expect(pool.statistics().size).toBe(0);
  });

  it('are aborted at the service when the caller gives up', async () => {
    answer = () => {};
    const breaker = breakerOf();
    const pool = poolOf({ breaker });
    const controller = new AbortController();
    const asking = pool.request(ask, { signal: controller.signal });
    while (underWay === 0) await delay(5);
    controller.abort(new Error('enough'));
    await expect(asking).rejects.toThrow('enough');
    while (underWay > 0) await delay(5);
    expect(closedEarly).toBe(1);
    expect(breaker.told).toEqual(['admit']);
    expect(pool.statistics().borrowed).toBe(0);
  });

  it('that take too long are aborted, though the work does not listen', async () => {
    const clock = new ManualClock();
    const breaker = breakerOf();
    const pool = poolOf({ clock, breaker, requestTimeoutMs: 5_000 });
    const hanging = pool.request(() => new Promise(() => {})).catch((error: unknown) => error);
    await clock.advance(0);
    await clock.advance(5_000);
    expect(await hanging).toMatchObject({ code: 'TIMEOUT', details: { timeoutMs: 5_000 } });
    expect(breaker.told).toEqual(['admit', 'bad']);
    const closing = pool.close();
    await clock.advance(0);
    await closing;
    expect(clock.pendingTimers).toBe(0);
  });

  it('are aborted when the pool closes over them', async () => {
    answer = () => {};
    const pool = poolOf();
    const asking = pool.request(ask).catch((error: unknown) => error);
    while (underWay === 0) await delay(5);
    expect(await pool.close({ timeoutMs: 10 })).toMatchObject({ leases: 1 });
    expect(await asking).toMatchObject({ code: 'CLOSED' });
    await expect(pool.request(ask)).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('tell the breaker how the service is, and not how the caller is', async () => {
    const breaker = breakerOf();
    const pool = poolOf({ breaker });
    for (const status of [500, 429, 400]) {
      answer = (response) => response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
      await expect(pool.request(ask)).rejects.toMatchObject({ status });
    }
    answer = (response) => response.destroy();
    await expect(pool.request(ask)).rejects.toThrow();
    expect(breaker.told.filter((one) => one !== 'admit')).toEqual(['bad', 'bad', 'good', 'bad']);
    const open = {
      ...breakerOf(),
      admit: () => {
        throw new Error('open');
      },
    };
    const closed = poolOf({ name: 'other', breaker: open });
    await expect(closed.request(ask)).rejects.toThrow('open');
    expect(closed.statistics()).toMatchObject({ borrows: 0, size: 0 });
  });

  it('wait as long as a 429 says, all that are not yet sent', async () => {
    const clock = new ManualClock();
    const pool = poolOf({ clock, requestsPerMinute: 6_000 });
    const limited = () => Promise.reject({ status: 429, headers: new Headers({ 'retry-after': '7' }) });
    await expect(pool.request(limited)).rejects.toMatchObject({ status: 429 });
    let isSent = false;
    const next = pool.request(() => {
      isSent = true;
    });
    await clock.advance(0);
    await clock.advance(6_900);
    expect(isSent).toBe(false);
    await clock.advance(200);
    expect(isSent).toBe(true);
    await next;
    const closing = pool.close();
    await clock.advance(0);
    await closing;
  });

  it('refuse options that are none', () => {
    expect(() => new LlmPool({ create: undefined as never })).toThrow('create');
    for (const requestsPerMinute of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => poolOf({ name: `bad ${requestsPerMinute}`, requestsPerMinute })).toThrow('requestsPerMinute');
    }
    expect(() => poolOf({ name: 'bad burst', requestsPerMinute: 60, burst: 0 })).toThrow('burst');
    expect(() => poolOf({ name: 'bad time', requestTimeoutMs: -1 })).toThrow('requestTimeoutMs');
  });
});

describe('the rate', () => {
  it('lets a burst through, then one after the other evenly, in order', async () => {
    const clock = new ManualClock();
    const rate = new RequestRate({ clock, requestsPerMinute: 60, burst: 3 });
    const sent: [number, number][] = [];
    const waits = Array.from({ length: 6 }, (_, index) =>
      rate.pass({ timeoutMs: 60_000 }).then(() => sent.push([index, clock.monotonicMs()])),
    );
    await clock.advance(0);
    await clock.advance(10_000);
    await Promise.all(waits);
    expect(sent).toEqual([
      [0, 0],
      [1, 0],
      [2, 0],
      [3, 1_000],
      [4, 2_000],
      [5, 3_000],
    ]);
  });

  it('refuses at once who would have to wait too long, and forgets who gave up', async () => {
    const clock = new ManualClock();
    const rate = new RequestRate({ clock, requestsPerMinute: 60, burst: 1 });
    await rate.pass({ timeoutMs: 0 });
    await expect(rate.pass({ timeoutMs: 999 })).rejects.toMatchObject({ code: 'LLM_RATE_LIMITED', retryMs: 1_000 });
    const controller = new AbortController();
    const wait = rate.pass({ timeoutMs: 5_000, signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(wait).rejects.toThrow('enough');
    await expect(rate.pass({ timeoutMs: 5_000, signal: controller.signal })).rejects.toThrow('enough');
    const next = rate.pass({ timeoutMs: 1_000 });
    await clock.advance(1_000);
    await next;
    expect(clock.pendingTimers).toBe(0);
  });

  it('never lets more through in a minute than it says and its burst', async () => {
    const clock = new ManualClock();
    const rate = new RequestRate({ clock, requestsPerMinute: 120, burst: 10 });
    let sent = 0;
    for (let index = 0; index < 500; index++) void rate.pass({ timeoutMs: 600_000 }).then(() => sent++);
    await clock.advance(0);
    await clock.advance(60_000);
    expect(sent).toBeLessThanOrEqual(130);
    expect(sent).toBeGreaterThanOrEqual(128);
    await clock.advance(600_000);
  });
});
