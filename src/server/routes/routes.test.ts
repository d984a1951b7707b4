import { describe, expect, it } from 'vitest';
import { ClosedError, TenureError } from '../../base/errors.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { readinessSchema } from '../schemas/health.ts';
import { recalledSchema, rememberedSchema } from '../schemas/memory.ts';
import { nodeStatusSchema } from '../schemas/monitoring.ts';
import { problemSchema } from '../schemas/problem.ts';
import { ADMISSION_TIMER, jsonOf, serveFake, until } from '../test-server.ts';

const scope = { tenant: 'acme', user: 'ann' };

async function problemOf(response: Response) {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const problem = problemSchema.strict().parse(await response.json());
  expect(problem.status).toBe(response.status);
  return problem;
}

describe('health', () => {
  it('is alive', async () => {
    await using served = await serveFake(new ManualClock());
    const response = await served.get('/health/live');
    expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }]);
  });

  it.each([
    ['ready', 'ok', 'ok', 200],
    ['ready', 'failing', 'ok', 503],
    ['ready', 'ok', 'shedding', 503],
    ['starting', 'ok', 'ok', 503],
    ['closing', 'ok', 'ok', 503],
  ] as const)('when %s with a store that is %s and memory that is %s answers %i', async (...row) => {
    const [status, store, memory, expected] = row;
    await using served = await serveFake(new ManualClock());
    served.node.set({ ready: { status, checks: { store, memory } } });
    const response = await served.get('/health/ready');
    expect(response.status).toBe(expected);
    expect(readinessSchema.parse(await response.json())).toEqual({ status, checks: { store, memory } });
  });

  it.each([
    ['low', 'healthy', 200],
    ['moderate', 'healthy', 200],
    ['high', 'degraded', 200],
    ['critical', 'unhealthy', 503],
  ] as const)('of memory at pressure %s is %s', async (level, status, expected) => {
    await using served = await serveFake(new ManualClock());
    served.node.set({ level });
    const response = await served.get('/health/memory');
    expect(response.status).toBe(expected);
    expect(await jsonOf(response)).toEqual({
      status,
      memory_mb: 64,
      peak_mb: 80,
      pressure: { score: 12, level, reason: 'anon 64 of 1024 MB' },
    });
  });
});

describe('monitoring', () => {
  it('tells the state, as described', async () => {
    await using served = await serveFake(new ManualClock());
    const response = await served.get('/monitoring/memory');
    const body = await response.json();
    expect(nodeStatusSchema.strict().parse(body)).toEqual(body);
    expect(body).toEqual(JSON.parse(JSON.stringify(served.node.status())));
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  it('gives history of the range asked for, the last hour by default', async () => {
    const clock = new ManualClock();
    await using served = await serveFake(clock);
    const asked = await served.get('/monitoring/history?fromMs=1000&toMs=61000&points=60');
    expect(await jsonOf(asked)).toEqual({ resolutionMs: 1000, points: [] });
    const unasked = await served.get('/monitoring/history');
    expect(await jsonOf(unasked)).toEqual({ resolutionMs: 6000, points: [] });
  });

  it.each([
    ['/monitoring/history?fromMs=2&toMs=1', 'INVALID_ARGUMENT'],
    ['/monitoring/history?fromMs=yesterday', 'INVALID_REQUEST'],
    ['/monitoring/history?points=1', 'INVALID_REQUEST'],
    ['/monitoring/history?points=1e9', 'INVALID_REQUEST'],
    ['/monitoring/history?from=1', 'INVALID_REQUEST'],
    ['/monitoring/events?limit=-1', 'INVALID_REQUEST'],
    ['/monitoring/events?limit=1&limit=2', 'INVALID_REQUEST'],
  ])('refuses %s', async (path, code) => {
    await using served = await serveFake(new ManualClock());
    expect(await problemOf(await served.get(path))).toMatchObject({ status: 400, code });
  });

  it('gives the newest events', async () => {
    await using served = await serveFake(new ManualClock());
    const response = await served.get('/monitoring/events?limit=2');
    expect(await jsonOf(response)).toEqual({
      events: [
        { type: 'test.happened', atMs: 0, severity: 'info', text: 'test.happened' },
        { type: 'test.happened', atMs: 1, severity: 'info', text: 'test.happened' },
      ],
    });
  });
});

describe('memories', () => {
  it('are remembered, got, recalled and forgotten within their scope', async () => {
    await using served = await serveFake(new ManualClock());
    const text = 'Ann prefers short answers. 短い答え 🙂';
    const metadata = { nested: { list: [1, null, 'two'] } };
    const told = await served.post('/memories', { scope, text, tags: ['preference'], metadata, importance: 0.9 });
    expect(told.status).toBe(201);
    const { memory } = rememberedSchema.strict().parse(await told.json());
    expect(memory).toMatchObject({ scope, text, tags: ['preference'], metadata, importance: 0.9 });

    const got = await served.get(`/memories/${memory.id}?tenant=acme&user=ann`);
    expect((await jsonOf(got)).memory).toEqual(memory);
    expect(await problemOf(await served.get(`/memories/${memory.id}?tenant=acme`))).toMatchObject({
      status: 404,
      code: 'NOT_FOUND',
    });

    const recalled = await served.post('/recall', { scope, query: 'short' });
    const { results } = recalledSchema.strict().parse(await recalled.json());
    expect(results).toMatchObject([{ memory, why: [{ signal: 'words' }] }]);

    const foreign = await served.get(`/memories/${memory.id}?tenant=other&user=ann`, { method: 'DELETE' });
    expect(foreign.status).toBe(404);
    const forgotten = await served.get(`/memories/${memory.id}?tenant=acme&user=ann`, { method: 'DELETE' });
    expect([forgotten.status, await forgotten.text()]).toEqual([204, '']);
    expect((await served.get(`/memories/${memory.id}?tenant=acme&user=ann`)).status).toBe(404);
  });

  it('are remembered in batches', async () => {
    await using served = await serveFake(new ManualClock());
    const items = [1, 2, 3].map((number) => ({ scope, text: `fact ${number}` }));
    const response = await served.post('/memories/batch', { items });
    expect(response.status).toBe(201);
    expect((await jsonOf(response))['memories']).toEqual([{ id: 'memory-0' }, { id: 'memory-1' }, { id: 'memory-2' }]);
  });

  it.each([
    ['/memories', { text: 'x' }],
    ['/memories', { text: 'x', scope: null }],
    ['/memories', { text: 'x', scope: {} }],
    ['/memories', { text: 'x', scope: { user: 'ann' } }],
    ['/memories/batch', { items: [{ scope, text: 'x' }, { text: 'y' }] }],
    ['/recall', { query: 'x' }],
    ['/ask', { question: 'x', scope: { user: 'ann' } }],
  ])('%s without a scope is refused: %j', async (path, body) => {
    await using served = await serveFake(new ManualClock());
    expect(await problemOf(await served.post(path, body))).toMatchObject({ status: 400, code: 'SCOPE_REQUIRED' });
  });

  it.each(['GET', 'DELETE'])('%s without a tenant is refused', async (method) => {
    await using served = await serveFake(new ManualClock());
    expect(await problemOf(await served.get('/memories/1?user=ann', { method }))).toMatchObject({
      code: 'SCOPE_REQUIRED',
    });
  });

  it.each([
    ['/memories', { scope, text: 5 }, 'text: Invalid input: expected string, received number'],
    ['/memories', { scope, text: 'x', txet: 'y' }, 'Unrecognized key: "txet"'],
    ['/memories', { scope: { ...scope, usr: 'ann' }, text: 'x' }, 'scope: Unrecognized key: "usr"'],
    ['/memories', { scope, text: 'x', metadata: [] }, 'metadata: '],
    ['/memories', [], 'expected object, received array'],
    ['/memories', 'null', 'expected object, received null'],
    ['/memories/batch', { items: {} }, 'items: '],
    ['/recall', { scope, query: 'x', limit: 1.5 }, 'limit: '],
    ['/recall', { scope, query: 'x', tags: 'one' }, 'tags: '],
    ['/ask', {}, 'question: '],
  ])('%s refuses %j', async (path, body, problem) => {
    await using served = await serveFake(new ManualClock());
    const refused = await problemOf(await served.post(path, body));
    expect(refused).toMatchObject({ status: 400, code: 'INVALID_REQUEST', type: 'urn:tenure:problem:invalid-request' });
    expect(refused.detail).toContain(problem);
  });

  it('carries the codes of the rooms below, with their statuses', async () => {
    await using served = await serveFake(new ManualClock());
    expect(await problemOf(await served.post('/memories', { scope: { tenant: '' }, text: 'x' }))).toMatchObject({
      status: 400,
      code: 'SCOPE_INVALID',
      details: { part: 'tenant' },
    });
    served.node.onRecall = () =>
      Promise.reject(new TenureError('STORE_FULL', 'No space left.', { details: { path: '/data' } }));
    expect(await problemOf(await served.post('/recall', { scope, query: 'x' }))).toMatchObject({
      status: 507,
      code: 'STORE_FULL',
      detail: 'No space left.',
      details: { path: '/data' },
    });
    expect(served.events.at(-1)).toMatchObject({ type: 'server.request_failed', code: 'STORE_FULL', path: '/recall' });
  });

  it('says nothing of an error without a code, but tells it as an event', async () => {
    await using served = await serveFake(new ManualClock());
    served.node.onRecall = () => Promise.reject(new Error('password=hunter2'));
    const problem = await problemOf(await served.post('/recall', { scope, query: 'x' }));
    expect(problem).toMatchObject({ status: 500, code: 'INTERNAL' });
    expect(JSON.stringify(problem)).not.toContain('hunter2');
    expect(served.events.at(-1)).toMatchObject({
      type: 'server.request_failed',
      status: 500,
      message: 'password=hunter2',
    });
  });

  it('that take too long are given up, and the work is told', async () => {
    const clock = new ManualClock();
    await using served = await serveFake(clock, { limits: { requestTimeoutMs: 1000 } });
    let told: unknown;
    served.node.onRecall = (_query, signal) =>
      new Promise(() => {
        signal!.addEventListener('abort', () => {
          told = signal!.reason;
        });
      });
    const answer = served.post('/recall', { scope, query: 'x' });
    await until(() => clock.pendingTimers === 1 + ADMISSION_TIMER);
    await clock.advance(1000);
    expect(await problemOf(await answer)).toMatchObject({ status: 504, code: 'TIMEOUT' });
    expect(told).toMatchObject({ code: 'TIMEOUT' });
  });

  it('whose client has gone are told so', async () => {
    await using served = await serveFake(new ManualClock());
    let told: unknown;
    let asked = false;
    served.node.onRecall = (_query, signal) => {
      asked = true;
      return new Promise((_resolve, reject) => {
        signal!.addEventListener('abort', () => {
          told = signal!.reason;
          reject(signal!.reason);
        });
      });
    };
    const client = new AbortController();
    const answer = served.post(
      '/recall',
      { scope, query: 'x' },
      { signal: client.signal, ...jsonInit({ scope, query: 'x' }) },
    );
    await until(() => asked);
    client.abort();
    await expect(answer).rejects.toThrow();
    await until(() => told !== undefined);
    expect(told).toMatchObject({ code: 'CLIENT_GONE' });
    expect(served.events.filter(({ type }) => type === 'server.request_failed')).toEqual([]);
  });
});

describe('the help agent', () => {
  it('answers', async () => {
    await using served = await serveFake(new ManualClock());
    const response = await served.post('/ask', { question: 'budgets' });
    expect([response.status, (await jsonOf(response))['answer']]).toEqual([200, 'About budgets']);
  });
});

describe('while pressure is critical', () => {
  it.each(['/memories', '/memories/batch', '/recall', '/ask', '/ingest?name=a.md&tenant=acme'])(
    'new work is refused: POST %s',
    async (path) => {
      await using served = await serveFake(new ManualClock());
      served.node.monitor.shedding = true;
      const response = await served.post(path, { scope, text: 'x', query: 'x', question: 'x' });
      expect(response.headers.get('retry-after')).toBe('5');
      expect(await problemOf(response)).toMatchObject({ status: 503, code: 'SHEDDING' });
      expect(served.events.filter(({ type }) => type === 'server.request_failed')).toEqual([]);
    },
  );

  it('health, monitoring and forgetting go on', async () => {
    await using served = await serveFake(new ManualClock());
    await served.post('/memories', { scope, text: 'x' });
    served.node.monitor.shedding = true;
    for (const path of [
      '/health/live',
      '/health/ready',
      '/health/memory',
      '/monitoring/memory',
      '/monitoring/history',
    ]) {
      expect((await served.get(path)).status, path).toBe(200);
    }
    expect((await served.get('/memories/memory-0?tenant=acme&user=ann', { method: 'DELETE' })).status).toBe(204);
  });
});

describe('what is not there', () => {
  it.each([
    ['GET', '/nothing'],
    ['POST', '/nothing'],
    ['PUT', '/memories'],
    ['POST', '/health/live'],
    ['GET', '/health/live/'],
  ])('%s %s is a problem too', async (method, path) => {
    await using served = await serveFake(new ManualClock());
    expect(await problemOf(await served.get(path, { method }))).toMatchObject({ status: 404, code: 'NOT_FOUND' });
  });

  it('a closed node says so', async () => {
    await using served = await serveFake(new ManualClock());
    served.node.onRecall = () => Promise.reject(new ClosedError('The node'));
    const response = await served.post('/recall', { scope, query: 'x' });
    expect(response.headers.get('retry-after')).toBe('5');
    expect(await problemOf(response)).toMatchObject({ status: 503, code: 'CLOSED' });
  });
});

function jsonInit(body: unknown): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
