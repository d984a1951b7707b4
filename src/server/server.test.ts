import { describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { createFakeNode } from './fake-node.ts';
import { createServer } from './server.ts';
import { ADMISSION_TIMER, serveFake, until } from './test-server.ts';

const scope = { tenant: 'acme' };

function serverAt(server: { host?: string; port?: number }) {
  const clock = new ManualClock();
  return createServer({ clock, node: createFakeNode({ clock, directory: '/nowhere', server }) });
}

describe('listening', () => {
  it('tells address and port, and says so', async () => {
    await using served = await serveFake(new ManualClock());
    expect(served.events).toMatchObject([{ type: 'server.listening', address: '127.0.0.1', port: served.port }]);
    expect(await served.server.listen()).toEqual({ address: '127.0.0.1', port: served.port });
  });

  it('on localhost means this machine only', async () => {
    await using server = serverAt({ host: 'localhost' });
    expect(await server.listen()).toMatchObject({ address: '127.0.0.1' });
  });

  it.each(['0.0.0.0', '::', '192.168.1.1', 'example.com'])('on %s is refused', async (host) => {
    await using server = serverAt({ host });
    await expect(server.listen()).rejects.toMatchObject({ code: 'SERVER_NOT_LOOPBACK', details: { host } });
  });

  it('on a port in use is refused with the way out', async () => {
    await using served = await serveFake(new ManualClock());
    await using other = serverAt({ port: served.port });
    await expect(other.listen()).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      details: { port: served.port },
      message: expect.stringContaining('--port'),
    });
  });

  it('on an address this machine does not have is refused', async () => {
    await using server = serverAt({ host: '127.0.0.1', port: 70_000 });
    await expect(server.listen()).rejects.toMatchObject({
      code: expect.stringMatching(/LISTEN_FAILED|ERR_SOCKET_BAD_PORT/),
    });
  });

  it('after close is refused', async () => {
    const server = serverAt({});
    await server.close();
    await server.close();
    await expect(server.listen()).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('that is overtaken by close ends closed', async () => {
    const server = serverAt({});
    const listening = server.listen();
    await server.close();
    const { port } = await listening;
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  });
});

describe('closing', () => {
  it('lets a request in flight finish, and takes no new one', async () => {
    await using served = await serveFake(new ManualClock());
    let finish: (() => void) | undefined;
    served.node.onRecall = () =>
      new Promise((resolve) => {
        finish = () => resolve([]);
      });
    const answer = served.post('/recall', { scope, query: 'x' });
    await until(() => finish !== undefined);
    const closing = served.server.close();
    await expect(served.get('/health/live')).rejects.toThrow();
    finish!();
    expect((await answer).status).toBe(200);
    await closing;
    expect(served.events.at(-1)).toMatchObject({ type: 'server.closed', abandoned: 0 });
  });

  it('cuts off what does not finish in time, and tells the work', async () => {
    const clock = new ManualClock();
    await using served = await serveFake(clock, { closeTimeoutMs: 2000 });
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
    const answer = served.post('/recall', { scope, query: 'x' }).catch((error: unknown) => error);
    await until(() => asked);
    const closing = served.server.close();
    await until(() => clock.pendingTimers === 2 + ADMISSION_TIMER);
    await clock.advance(2000);
    await closing;
    await answer;
    expect(told).toMatchObject({ code: 'CLOSED' });
    expect(served.events.at(-1)).toMatchObject({ type: 'server.closed', abandoned: 1 });
  });

  it('does not wait for connections that are only kept alive', async () => {
    const clock = new ManualClock();
    await using served = await serveFake(clock);
    using idle = await served.connect();
    idle.socket.write('GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await until(() => idle.received.includes('"ok"'));
    using silent = await served.connect();
    await served.server.close();
    await until(() => idle.ended && silent.ended);
    expect(served.events.at(-1)).toMatchObject({ type: 'server.closed', abandoned: 0 });
  });

  it('leaves the globals of the process alone', async () => {
    const { Request: request, Response: response } = globalThis;
    await using _ = await serveFake(new ManualClock());
    expect([globalThis.Request, globalThis.Response]).toEqual([request, response]);
  });
});
