import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { serveFake, type TestServer, until } from './test-server.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-dashboard-'));
});

afterEach(() => rm(folder, { recursive: true }));

async function build(): Promise<string> {
  const directory = join(folder, 'dashboard');
  await mkdir(join(directory, 'assets'), { recursive: true });
  await writeFile(join(folder, 'secret.txt'), 'secret');
  await writeFile(join(directory, 'index.html'), '<!doctype html><title>Dashboard</title>');
  await writeFile(join(directory, 'assets', 'page-3fKd8_aQ.js'), 'let page;');
  await writeFile(join(directory, 'assets', 'page-Zz-_09aa.css'), 'a{}');
  await writeFile(join(directory, 'mark.svg'), '<svg/>');
  return directory;
}

const serve = (dashboardDirectory: string) => serveFake(new ManualClock(), { dashboardDirectory });

describe('the dashboard', () => {
  it.each([
    ['/', 'text/html; charset=utf-8', 'no-cache'],
    ['/assets/page-3fKd8_aQ.js', 'text/javascript; charset=utf-8', 'public, max-age=31536000, immutable'],
    ['/assets/page-Zz-_09aa.css', 'text/css; charset=utf-8', 'public, max-age=31536000, immutable'],
    ['/mark.svg', 'image/svg+xml', 'no-cache'],
  ])('%s is %s, %s', async (path, type, cache) => {
    await using served = await serve(await build());
    const response = await served.get(path);
    expect([response.status, response.headers.get('content-type'), response.headers.get('cache-control')]).toEqual([
      200,
      type,
      cache,
    ]);
    const again = await served.get(path, { headers: { 'if-none-match': response.headers.get('etag')! } });
    expect([again.status, await again.text()]).toEqual([304, '']);
    const changed = await served.get(path, { headers: { 'if-none-match': '"other"' } });
    expect([changed.status, await changed.text()]).toEqual([200, await response.text()]);
    const head = await served.get(path, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-type'), await head.text()]).toEqual([200, type, '']);
  });

  it('runs nothing but its own files', async () => {
    await using served = await serve(await build());
    for (const path of ['/', '/monitoring/memory', '/nothing']) {
      const { headers } = await served.get(path);
      const policy = headers.get('content-security-policy')!;
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self'");
      expect(policy).not.toContain('unsafe');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  it.each([
    '/../secret.txt',
    '/assets/../../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/assets/..%5c..%5csecret.txt',
    '/%2e%2e%2fsecret.txt%00.html',
    '/.%00./secret.txt',
    '//secret.txt',
    '/index.html/../../secret.txt',
    '/link.txt',
    '/assets',
    '/assets/',
    '/%ff',
    '/%',
  ])('has no file at %s', async (path) => {
    const directory = await build();
    await symlink(join(folder, 'secret.txt'), join(directory, 'link.txt'));
    await using served = await serve(directory);
    expect(await raw(served, path)).toMatch(/^HTTP\/1.1 40[04] /);
  });

  it('that is not built yet says how to build it, and appears when it is', async () => {
    const directory = join(folder, 'dashboard');
    await using served = await serve(directory);
    const missing = await served.get('/');
    expect([missing.status, missing.headers.get('content-type')]).toEqual([503, 'text/html; charset=UTF-8']);
    expect(await missing.text()).toContain('npm run build');
    await build();
    expect((await served.get('/')).status).toBe(200);
  });

  it('that was built anew is served anew', async () => {
    const directory = await build();
    await using served = await serve(directory);
    const before = await served.get('/');
    await writeFile(join(directory, 'assets', 'page-NEW_-789.js'), 'let next;');
    await writeFile(join(directory, 'index.html'), '<!doctype html><title>Next</title>');
    const after = await served.get('/', { headers: { 'if-none-match': before.headers.get('etag')! } });
    expect([after.status, await after.text()]).toEqual([200, '<!doctype html><title>Next</title>']);
    expect((await served.get('/assets/page-NEW_-789.js')).status).toBe(200);
  });
});

async function raw(served: TestServer, path: string): Promise<string> {
  using connection = await served.connect();
  connection.socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  await until(() => connection.ended);
  expect(connection.received).not.toContain('secret\n');
  return connection.received;
}
