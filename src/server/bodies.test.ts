import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MIB } from '../base/bytes.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { JSON_DEPTH_LIMIT, JSON_VALUES_LIMIT, parseJson } from './json-body.ts';
import { ADMISSION_TIMER, jsonOf, serveFake, type TestServer, until } from './test-server.ts';

const scope = { tenant: 'acme' };

/** Sends a request over a bare socket; resolves with the answer once its body is there. */
async function send(
  served: TestServer,
  parts: readonly (string | Uint8Array)[],
): Promise<{ status: number; body: { code?: string } }> {
  using connection = await served.connect();
  for (const part of parts) connection.socket.write(part);
  await until(() => /\r\n\r\n.*[}\n]$/s.test(connection.received) || connection.ended);
  const [head, body] = connection.received.split('\r\n\r\n');
  return { status: Number(head?.split(' ')[1]), body: JSON.parse(body || '{}') };
}

const post = (length: number | 'chunked', path = '/memories') =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n${
    length === 'chunked' ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`
  }\r\n\r\n`;

describe('a JSON body', () => {
  it.each([
    ['not JSON', '{"text": ', 'INVALID_JSON'],
    ['empty', '', 'INVALID_JSON'],
    ['two values', '{} {}', 'INVALID_JSON'],
    ['NaN', '{"scope":{"tenant":"acme"},"text":"x","importance":NaN}', 'INVALID_JSON'],
    ['too deep', `${'['.repeat(100)}${']'.repeat(100)}`, 'JSON_TOO_DEEP'],
    ['far too deep', '['.repeat(300_000) + ']'.repeat(300_000), 'JSON_TOO_DEEP'],
    ['deep in metadata', JSON.stringify({ scope, text: 'x', metadata: nested(80) }), 'JSON_TOO_DEEP'],
  ])('that is %s is refused', async (_name, body, code) => {
    await using served = await serveFake(new ManualClock());
    const response = await served.post('/memories', body);
    expect([response.status, (await jsonOf(response)).code]).toEqual([400, code]);
  });

  it.each([
    ['numbers', (count: number) => `{"items":[${'1,'.repeat(count)}1]}`],
    ['objects', (count: number) => `{"items":[${'{},'.repeat(count)}{}]}`],
    ['keys', (count: number) => `{${'"k":1,'.repeat(count)}"k":1}`],
    ['lists', (count: number) => `{"metadata":{"a":[${'[],'.repeat(count)}[]]}}`],
  ])('of more %s than a request may hold is refused before it is parsed', async (_name, body) => {
    await using served = await serveFake(new ManualClock(), { limits: { bodyLimitBytes: 8 * MIB } });
    const response = await served.post('/memories/batch', body(JSON_VALUES_LIMIT));
    expect([response.status, (await jsonOf(response)).code]).toEqual([413, 'JSON_TOO_MANY_VALUES']);
  });

  it('may hold as many values as the limit, however its strings look', () => {
    const most = Array.from({ length: JSON_VALUES_LIMIT - 1 }, () => 1);
    expect(parseJson(Buffer.from(JSON.stringify(most)))).toEqual(most);
    expect(() => parseJson(Buffer.from(JSON.stringify([...most, 1])))).toThrow('values and keys');
    const strings = ['[{,:'.repeat(JSON_VALUES_LIMIT), '\\"[[[['.repeat(100), '\\', '"]', 'é[🙂{'];
    expect(parseJson(Buffer.from(JSON.stringify(strings)))).toEqual(strings);
  });

  it.each([
    ['/memories/batch', { items: Array.from({ length: 2000 }, () => ({ scope })) }, 'items.0.'],
    ['/memories/batch', { items: Array.from({ length: 2001 }, () => 1) }, 'items: Too big'],
    ['/memories/batch', { items: Array.from({ length: 2000 }, () => ({ scope, text: 'x', tags: [1, 2] })) }, 'tags.0'],
    ['/recall', { scope, query: 'x', tags: Array.from({ length: 50_000 }, () => 1) }, 'tags: Too big'],
    ['/recall', { scope, query: 'x', ...Object.fromEntries(Array.from({ length: 50_000 }, (_, k) => [k, k])) }, 'keys'],
  ])('to %s with no end of mistakes is told of the first', async (path, body, told) => {
    await using served = await serveFake(new ManualClock(), { limits: { bodyLimitBytes: 8 * MIB } });
    const response = await served.post(path, body);
    const problem = await jsonOf(response);
    expect([response.status, problem.code]).toEqual([400, 'INVALID_REQUEST']);
    expect(problem['detail']).toContain(told);
    expect((problem['details'] as { problems: string[] }).problems.length).toBeLessThanOrEqual(5);
    expect(JSON.stringify(problem).length).toBeLessThan(5_000);
  });

  it('may nest as deep as the limit', () => {
    const nest = (depth: number) => new TextEncoder().encode(JSON.stringify(nested(depth)));
    expect(parseJson(nest(JSON_DEPTH_LIMIT))).toEqual(nested(JSON_DEPTH_LIMIT));
    expect(() => parseJson(nest(JSON_DEPTH_LIMIT + 1))).toThrow('nests deeper');
  });

  it('is taken as it was sent, whatever JSON it is', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const text = JSON.stringify(value);
        expect(JSON.stringify(parseJson(new TextEncoder().encode(text)))).toBe(text);
      }),
    );
  });

  it('that is not UTF-8 is refused', async () => {
    await using served = await serveFake(new ManualClock());
    const body = Buffer.concat([
      Buffer.from('{"scope":{"tenant":"acme"},"text":"'),
      Buffer.of(0xc3, 0x28, 0xff),
      Buffer.from('"}'),
    ]);
    expect(await send(served, [post(body.length), body])).toMatchObject({
      status: 400,
      body: { code: 'INVALID_UTF8' },
    });
    const cut = Buffer.from('{"text":"🙂"}').subarray(0, 11);
    expect(await send(served, [post(cut.length), cut])).toMatchObject({ status: 400, body: { code: 'INVALID_UTF8' } });
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonx',
    '',
  ])('as "%s" is refused', async (type) => {
    await using served = await serveFake(new ManualClock());
    const response = await served.get('/memories', {
      method: 'POST',
      headers: { 'content-type': type },
      body: Buffer.from('{}'),
    });
    expect([response.status, (await jsonOf(response)).code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
  });

  it('may say its charset', async () => {
    await using served = await serveFake(new ManualClock());
    const headers = { 'content-type': 'Application/JSON; charset=utf-8' };
    expect((await served.post('/memories', { scope, text: 'x' }, { headers })).status).toBe(201);
  });

  it('over the limit is refused by its announced length, without being read', async () => {
    await using served = await serveFake(new ManualClock());
    expect(await send(served, [post(MIB + 1)])).toMatchObject({ status: 413, body: { code: 'BODY_TOO_LARGE' } });
  });

  it('over the limit is refused by what comes, when no length was announced', async () => {
    await using served = await serveFake(new ManualClock());
    const chunk = Buffer.from(`10000\r\n${'x'.repeat(0x10000)}\r\n`);
    const chunks = Array.from({ length: 17 }, () => chunk);
    expect(await send(served, [post('chunked'), ...chunks])).toMatchObject({
      status: 413,
      body: { code: 'BODY_TOO_LARGE' },
    });
  });

  it('exactly at the limit is read', async () => {
    await using served = await serveFake(new ManualClock());
    const body = JSON.stringify({ scope, text: 'x', source: '' });
    const full = JSON.stringify({ scope, text: 'x', source: 'y'.repeat(MIB - body.length) });
    expect((await served.post('/memories', full)).status).toBe(201);
    expect((await served.post('/memories', `${full} `)).status).toBe(413);
  });

  it('that stalls is given up', async () => {
    const clock = new ManualClock();
    await using served = await serveFake(clock, { limits: { requestTimeoutMs: 2000 } });
    using connection = await served.connect();
    connection.socket.write(`${post(100)}{"text":`);
    await until(() => clock.pendingTimers === 1 + ADMISSION_TIMER);
    await clock.advance(1999);
    expect(connection.received).toBe('');
    await clock.advance(1);
    await until(() => connection.received.includes('BODY_TIMEOUT'));
    expect(connection.received).toMatch(/^HTTP\/1.1 408 /);
  });

  it('that comes in pieces is put together, each piece with its own patience', async () => {
    const clock = new ManualClock();
    await using served = await serveFake(clock, { limits: { requestTimeoutMs: 2000 } });
    using connection = await served.connect();
    const body = JSON.stringify({ scope, text: 'in pieces' });
    connection.socket.write(post(body.length));
    for (const [index, character] of [...body].entries()) {
      await until(() => clock.pendingTimers === 1 + ADMISSION_TIMER);
      await clock.advance(index % 8 === 0 ? 1500 : 0);
      connection.socket.write(character);
      await until(() => connection.socket.bytesWritten >= index && connection.socket.writableLength === 0);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => connection.ended);
    expect(connection.received).toMatch(/^HTTP\/1.1 201 /);
  });

  it('whose sender hangs up half-way leaves nothing behind', async () => {
    const clock = new ManualClock();
    await using served = await serveFake(clock);
    {
      using connection = await served.connect();
      connection.socket.write(`${post(100)}{"text":`);
      await until(() => clock.pendingTimers === 1 + ADMISSION_TIMER);
    }
    await until(() => clock.pendingTimers === ADMISSION_TIMER);
    expect(served.events.filter(({ type }) => type === 'server.request_failed')).toEqual([]);
    expect((await served.get('/health/live')).status).toBe(200);
  });

  it('from a half-closed connection is answered', async () => {
    await using served = await serveFake(new ManualClock());
    using connection = await served.connect();
    const body = JSON.stringify({ scope, text: 'half-closed' });
    connection.socket.end(post(body.length) + body);
    await until(() => connection.ended);
    expect(connection.received).toMatch(/^HTTP\/1.1 201 /);
  });
});

describe('a request that is no HTTP', () => {
  it.each([
    ['nonsense', 'hello\r\n\r\n'],
    ['no host', 'GET / HTTP/1.1\r\n\r\n'],
    ['a bad path', 'GET /\\..\\x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'],
    ['no path', 'GET * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'],
    ['a bad address', 'GET http://[/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'],
  ])('(%s) is refused with 400', async (_name, request) => {
    await using served = await serveFake(new ManualClock());
    using connection = await served.connect();
    connection.socket.write(request);
    await until(() => connection.ended);
    expect(connection.received).toMatch(/^HTTP\/1.1 400 /);
    expect((await served.get('/health/live')).status).toBe(200);
  });

  it('(endless headers) is refused with 431', async () => {
    await using served = await serveFake(new ManualClock());
    using connection = await served.connect();
    connection.socket.write(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
    await until(() => connection.ended);
    expect(connection.received).toMatch(/^HTTP\/1.1 431 /);
  });
});

describe('a document', () => {
  const markdown = { 'content-type': 'text/markdown' };
  const ingest = (
    served: TestServer,
    body: NonNullable<RequestInit['body']>,
    query = 'name=guide.md&tenant=acme&agent=help',
    headers = markdown,
  ) => served.get(`/ingest?${query}`, { method: 'POST', headers, body, duplex: 'half' } as RequestInit);

  it('is taken in whole, in its scope', async () => {
    await using served = await serveFake(new ManualClock());
    const response = await ingest(served, '# Guide\n');
    expect([response.status, await response.json()]).toEqual([
      200,
      { name: 'guide.md', memories: 1, unchanged: false, tookMs: 1 },
    ]);
    expect(served.node.taken).toEqual([
      { name: 'guide.md', scope: { tenant: 'acme', agent: 'help' }, bytes: 8, sha256: sha256('# Guide\n') },
    ]);
  });

  it('of any size passes through without being held', async () => {
    await using served = await serveFake(new ManualClock(), { limits: { ingestLimitBytes: 256 * MIB } });
    const block = Buffer.alloc(MIB, 'streamed ');
    const hash = createHash('sha256');
    let sent = 0;
    const body = new ReadableStream({
      pull(controller) {
        if (sent === 160) return controller.close();
        sent++;
        hash.update(block);
        controller.enqueue(block);
      },
    });
    const before = process.memoryUsage().arrayBuffers;
    const response = await ingest(served, body);
    expect(response.status).toBe(200);
    expect(served.node.taken).toMatchObject([{ bytes: 160 * MIB, sha256: hash.digest('hex') }]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(96 * MIB);
  });

  it.each([
    ['over the limit', 'x'.repeat(MIB + 1), undefined, undefined, 413, 'BODY_TOO_LARGE'],
    ['of an unknown type', 'x', undefined, { 'content-type': 'application/pdf' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['without a name', 'x', 'tenant=acme', undefined, 400, 'INVALID_REQUEST'],
    ['with a control character in its name', 'x', 'name=a%00b&tenant=acme', undefined, 400, 'INVALID_REQUEST'],
    ['with a line end in its name', 'x', 'name=a%0Ab.md&tenant=acme', undefined, 400, 'INVALID_REQUEST'],
    ['without a tenant', 'x', 'name=x.md', undefined, 400, 'SCOPE_REQUIRED'],
    ['with a query it does not know', 'x', 'name=x.md&tenant=acme&speed=fast', undefined, 400, 'INVALID_REQUEST'],
  ])('%s is refused and not taken in', async (_name, body, query, headers, status, code) => {
    await using served = await serveFake(new ManualClock(), { limits: { ingestLimitBytes: MIB } });
    const response = await ingest(served, body, query, headers as typeof markdown | undefined);
    expect([response.status, (await jsonOf(response)).code]).toEqual([status, code]);
    expect(served.node.taken).toEqual([]);
  });

  it('that the node cannot read fails with its code', async () => {
    await using served = await serveFake(new ManualClock());
    served.node.ingest = async () => ({
      ...{
        documents: 1,
        unchanged: 0,
        passages: 0,
        badLines: 0,
        replacedCharacters: 0,
        warnings: [],
        bytes: 1,
        tookMs: 1,
      },
      failed: [{ name: 'guide.md', code: 'INGEST_BINARY', message: 'guide.md is not UTF-8 text.' }],
    });
    const response = await ingest(served, 'x');
    expect([response.status, await response.json()]).toMatchObject([
      415,
      { code: 'INGEST_BINARY', details: { name: 'guide.md' } },
    ]);
  });

  it('that breaks off is not taken in', async () => {
    const clock = new ManualClock();
    await using served = await serveFake(clock);
    {
      using connection = await served.connect();
      connection.socket.write(
        'POST /ingest?name=a.md&tenant=acme HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/markdown\r\nContent-Length: 100\r\n\r\nhalf',
      );
      await until(() => clock.pendingTimers === 1 + ADMISSION_TIMER);
    }
    await until(() => clock.pendingTimers === ADMISSION_TIMER);
    expect(served.node.taken).toEqual([]);
  });

  it('that cannot be kept says so', async () => {
    await using served = await serveFake(new ManualClock());
    await writeFile(join(served.node.paths.directory, 'incoming'), 'a file where the folder should be');
    const response = await ingest(served, 'x');
    expect([response.status, (await jsonOf(response)).code]).toEqual([507, 'UPLOAD_FAILED']);
    expect(served.events.at(-1)).toMatchObject({ type: 'server.request_failed', code: 'UPLOAD_FAILED' });
  });
});

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = { a: value };
  return value;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
