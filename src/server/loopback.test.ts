import { describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { isLoopback } from './loopback.ts';
import { serveFake, until } from './test-server.ts';

describe('isLoopback', () => {
  it.each(['localhost', 'LOCALHOST', '127.0.0.1', '127.8.9.10', '::1', '[::1]'])('knows %s', (host) => {
    expect(isLoopback(host)).toBe(true);
  });

  it.each([
    '0.0.0.0',
    '::',
    '192.168.0.1',
    'example.com',
    '127.0.0.1.example.com',
    'localhost.example.com',
    '127.1',
    '',
    '::ffff:127.0.0.1',
  ])('does not take %s for it', (host) => {
    expect(isLoopback(host)).toBe(false);
  });
});

describe('a request', () => {
  it.each([
    ['localhost', 200],
    ['localhost:7341', 200],
    ['127.0.0.1:80', 200],
    ['[::1]:7341', 200],
    ['evil.example', 403],
    ['evil.example:7341', 403],
    ['127.0.0.1.evil.example', 403],
    ['localhost:80@evil.example', 400],
  ])('to %s is answered with %i', async (host, status) => {
    await using served = await serveFake(new ManualClock());
    using connection = await served.connect();
    connection.socket.write(`GET /health/live HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    await until(() => connection.ended);
    expect(connection.received).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    if (status === 403) expect(connection.received).toContain('HOST_NOT_ALLOWED');
  });

  it.each([
    ['a program', 'POST', {}, 200],
    ['our own page', 'POST', { 'sec-fetch-site': 'same-origin', origin: 'OWN' }, 200],
    ['our own page, in a browser without fetch metadata', 'POST', { origin: 'OWN' }, 200],
    ['another site', 'POST', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }, 403],
    ['another port of this machine', 'POST', { 'sec-fetch-site': 'same-site', origin: 'http://localhost:3000' }, 403],
    ['another site, in a browser without fetch metadata', 'POST', { origin: 'https://evil.example' }, 403],
    ['a page without an origin', 'POST', { origin: 'null' }, 403],
    ['an image of another site', 'GET', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, 403],
    ['a link on another site', 'GET', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, 200],
    ['a form on another site', 'POST', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, 403],
    ['the address bar', 'GET', { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }, 200],
  ] as const)('from %s (%s) is answered with the right status', async (_name, method, headers, status) => {
    await using served = await serveFake(new ManualClock());
    const [path, body] = method === 'POST' ? ['/ask', '{"question":"x"}'] : ['/health/live', ''];
    const lines = Object.entries(headers).map(
      ([name, value]) => `${name}: ${value.replace('OWN', 'http://localhost:7341')}\r\n`,
    );
    using connection = await served.connect();
    connection.socket.write(
      `${method} ${path} HTTP/1.1\r\nHost: localhost:7341\r\nConnection: close\r\nContent-Type: application/json\r\n` +
        `Content-Length: ${body.length}\r\n${lines.join('')}\r\n${body}`,
    );
    await until(() => connection.ended);
    expect(connection.received).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    if (status === 403) expect(connection.received).toContain('CROSS_SITE_REFUSED');
  });

  it('is never told that another origin may read the answer', async () => {
    await using served = await serveFake(new ManualClock());
    const response = await served.get('/ask', {
      method: 'OPTIONS',
      headers: { 'access-control-request-method': 'POST' },
    });
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([404, null]);
  });
});
