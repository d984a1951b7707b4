import { describe, expect, it } from 'vitest';
import { ClosedError } from '../../base/errors.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { type Connection, jsonOf, serveFake, type TestServer, until } from '../test-server.ts';
import { StreamClient } from './stream-client.ts';

/** A client that reads what comes. */
async function listen(served: TestServer): Promise<Connection> {
  const connection = await served.connect();
  connection.socket.write('GET /monitoring/stream HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n');
  await until(() => connection.received.includes('event: reading'));
  return connection;
}

const count = (text: string, part: string) => text.split(part).length - 1;

describe('the live stream', () => {
  it('begins with the state now, in the form of server-sent events', async () => {
    await using served = await serveFake(new ManualClock());
    using connection = await listen(served);
    const [head] = connection.received.split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1.1 200 /);
    expect(head!.toLowerCase()).toContain('content-type: text/event-stream');
    expect(head!.toLowerCase()).toContain('cache-control: no-store');
    expect(connection.received).toContain('retry: 2000\n\n');
    const { reading, pressure, budget } = served.node.status();
    expect(connection.received).toContain(`event: reading\ndata: ${JSON.stringify({ reading, pressure, budget })}\n\n`);
  });

  it('sends a reading when there is a new one, at most four times a second', async () => {
    const clock = new ManualClock();
    await using served = await serveFake(clock);
    using connection = await listen(served);
    for (let step = 1; step <= 20; step++) {
      served.node.set({ atMs: clock.nowMs() });
      await clock.advance(100);
    }
    await until(() => count(connection.received, 'event: reading') === 9);
    served.node.events.emit({ type: 'test.last', atMs: 1 });
    await until(() => connection.received.includes('test.last'));
    expect(count(connection.received, 'event: reading')).toBe(9);
    await clock.advance(5000);
    served.node.events.emit({ type: 'test.silence', atMs: 1 });
    await until(() => connection.received.includes('test.silence'));
    expect(count(connection.received, 'event: reading')).toBeLessThanOrEqual(10);
  });

  it('sends events as they happen, in order, each with its line for a person', async () => {
    await using served = await serveFake(new ManualClock());
    using connection = await listen(served);
    const forgotten = { type: 'agent_memory.forgotten', atMs: 1, count: 2, tenant: 'acme' };
    const failed = { type: 'platform.background_failed', atMs: 2, what: 'compaction', message: 'no room' };
    served.node.events.emit(forgotten);
    served.node.events.emit(failed);
    await until(() => connection.received.includes('no room'));
    const told = [
      { ...forgotten, severity: 'debug', text: 'forgot 2 memories of acme' },
      { ...failed, severity: 'error', text: 'compaction failed: no room' },
    ];
    expect(connection.received).toContain(
      told.map((event) => `event: event\ndata: ${JSON.stringify(event)}\n\n`).join(''),
    );
  });

  it('shows every 15 seconds that it lives', async () => {
    const clock = new ManualClock();
    await using served = await serveFake(clock);
    using connection = await listen(served);
    await clock.advance(45_000);
    await until(() => count(connection.received, ': beat\n\n') >= 1);
    expect(connection.received).toMatch(/: beat\n\n/);
  });

  it('works only while somebody listens, and frees everything when the last client goes', async () => {
    const clock = new ManualClock();
    await using served = await serveFake(clock);
    expect([served.node.events.subscriberCount, clock.pendingTimers]).toEqual([0, 0]);
    const one = await listen(served);
    const other = await listen(served);
    expect([served.node.events.subscriberCount, clock.pendingTimers]).toEqual([1, 2]);
    one.socket.destroy();
    served.node.events.emit({ type: 'test.after', atMs: 1 });
    await until(() => other.received.includes('test.after'));
    other.socket.destroy();
    await until(() => served.node.events.subscriberCount === 0 && clock.pendingTimers === 0);
  });

  it('is not begun by a HEAD request', async () => {
    const clock = new ManualClock();
    await using served = await serveFake(clock);
    const response = await served.get('/monitoring/stream', { method: 'HEAD' });
    expect([response.status, served.node.events.subscriberCount, clock.pendingTimers]).toEqual([200, 0, 0]);
  });

  it('has room for 64 clients', async () => {
    await using served = await serveFake(new ManualClock());
    const clients = await Promise.all(Array.from({ length: 64 }, () => listen(served)));
    const refused = await served.get('/monitoring/stream');
    expect([refused.status, (await jsonOf(refused)).code]).toEqual([503, 'TOO_MANY_STREAMS']);
    clients[0]!.socket.destroy();
    await until(() => clients[0]!.ended);
    for (const client of clients) client.socket.destroy();
  });

  it('ends when the server closes, and when the node has closed', async () => {
    const clock = new ManualClock();
    await using served = await serveFake(clock);
    using closed = await listen(served);
    served.node.monitor.status = () => {
      throw new ClosedError('The node');
    };
    await clock.advance(250);
    await until(() => closed.received.endsWith('0\r\n\r\n'));
    await until(() => served.node.events.subscriberCount === 0);

    await using other = await serveFake(new ManualClock());
    using ended = await listen(other);
    await other.server.close();
    await until(() => ended.ended);
    expect(ended.received.endsWith('0\r\n\r\n')).toBe(true);
  });

  it('a client that does not read holds nothing but the newest reading and the last events', async () => {
    const clock = new ManualClock();
    await using served = await serveFake(clock);
    using slow = await listen(served);
    slow.socket.pause();
    // Enough to fill what the system buffers for the connection; then nothing moves.
    const padding = 'x'.repeat(100_000);
    for (let number = 0; number < 1000; number++) {
      served.node.events.emit({ type: 'test.flood', atMs: number, padding } as never);
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (let step = 1; step <= 100; step++) {
      served.node.set({ atMs: step });
      await clock.advance(250);
    }
    slow.socket.resume();
    await until(() => slow.received.includes('"atMs":100,'));
    expect(slow.received).toMatch(/: \d+ events missed\n\n/);
    expect(count(slow.received, 'event: reading')).toBeLessThan(20);
    expect(count(slow.received, 'test.flood')).toBeLessThan(1000);
    expect(slow.received).toContain('"atMs":999,');
  });
});

describe('StreamClient', () => {
  const nothing = { onBegin: () => undefined, onEnd: () => undefined };

  async function textOf(client: StreamClient): Promise<string> {
    return new Response(client.body).text();
  }

  it('keeps the newest reading and the last 256 events, and counts the missed', async () => {
    const client = new StreamClient('head\n\n', nothing);
    for (let number = 0; number < 300; number++) {
      client.offerReading(`{"number":${number}}`);
      client.offerEvent(`${number}`);
    }
    client.beat();
    client.beat();
    client.end();
    const text = await textOf(client);
    const events = Array.from({ length: 256 }, (_, index) => `event: event\ndata: ${index + 44}\n\n`).join('');
    expect(text).toBe(`head\n\n: 44 events missed\n\n${events}event: reading\ndata: {"number":299}\n\n: beat\n\n`);
  });

  it('begins with the first read and ends with the client', async () => {
    const told: string[] = [];
    const client = new StreamClient('head\n\n', { onBegin: () => told.push('begin'), onEnd: () => told.push('end') });
    expect(told).toEqual([]);
    const reader = client.body.getReader();
    await reader.read();
    const waiting = reader.read();
    expect(told).toEqual(['begin']);
    await reader.cancel();
    expect(await waiting).toMatchObject({ done: true });
    client.offerEvent('late');
    client.end();
    expect(told).toEqual(['begin', 'end']);
  });
});
