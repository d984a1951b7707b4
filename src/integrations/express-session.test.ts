import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import express, { type ErrorRequestHandler } from 'express';
import session, { type SessionData } from 'express-session';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MIB } from '../base/bytes.ts';
import { Budget } from '../budget/budget.ts';
import type { SessionPoolOptions } from '../holders/session/session-options.ts';
import { SessionPool } from '../holders/session/session-pool.ts';
import { TemporaryStore } from '../testing/temporary-store.ts';
import { type ExpressSessionStoreOptions, type ExpressSessionValue, TenureSessionStore } from './express-session.ts';

declare module 'express-session' {
  interface SessionData {
    visits?: number;
    cart?: string[];
    user?: string;
  }
}

let temporary: TemporaryStore;
let budget: Budget;
const closing: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  temporary = await TemporaryStore.create();
  budget = new Budget({ name: 'node', limitBytes: 64 * MIB });
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  expect(budget.close().leakedBytes).toBe(0);
  await temporary.close();
});

async function poolOf(options: Partial<SessionPoolOptions<ExpressSessionValue>> = {}) {
  const pool = new SessionPool<ExpressSessionValue>({ store: await temporary.openSessionStore(), budget, ...options });
  closing.push(() => pool.close());
  return pool;
}

/** A real server, and a client that keeps one cookie. */
async function serve(
  pool: SessionPool<ExpressSessionValue>,
  options: Partial<ExpressSessionStoreOptions> & { cookie?: session.CookieOptions; rolling?: boolean } = {},
) {
  const { cookie = {}, rolling = false, ...rest } = options;
  const store = new TenureSessionStore({ pool, ...rest });
  const app = express();
  const gates: (() => void)[] = [];
  const errors: { code?: string }[] = [];
  app.use(session({ store, secret: 'a long enough secret', resave: false, saveUninitialized: false, rolling, cookie }));
  app.get('/visit', (request, response) => {
    request.session.visits = (request.session.visits ?? 0) + 1;
    request.session.cart ??= [];
    request.session.cart.push(`item ${request.session.visits}`);
    response.json({ visits: request.session.visits, cart: request.session.cart, id: request.sessionID });
  });
  app.get('/look', (request, response) => void response.json({ visits: request.session.visits ?? null }));
  app.get('/slow', async (request, response) => {
    await new Promise<void>((resolve) => gates.push(resolve));
    request.session.user = 'slow';
    response.json({});
  });
  app.get('/slow-saved', async (request, response, next) => {
    await new Promise<void>((resolve) => gates.push(resolve));
    request.session.user = 'slow';
    request.session.save((error) => (error ? next(error) : response.json({})));
  });
  app.get('/login', (request, response, next) => {
    request.session.regenerate((error) => {
      if (error) return next(error);
      request.session.user = 'ann';
      response.json({ id: request.sessionID });
    });
  });
  app.get('/logout', (request, response, next) => {
    request.session.destroy((error) => (error ? next(error) : response.json({})));
  });
  const onError: ErrorRequestHandler = (error, _request, response, _next) => {
    errors.push(error);
    if (!response.headersSent) response.status(500).json({ code: error.code });
  };
  app.use(onError);
  const server: Server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    server.close();
    await once(server, 'close');
  });
  const { port } = server.address() as AddressInfo;
  let sent: string | undefined;
  const call = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      headers: { connection: 'close', ...(sent && { cookie: sent }) },
    });
    const [got] = response.headers.getSetCookie();
    if (got) sent = got.split(';')[0];
    return { status: response.status, cookie: got, body: (await response.json()) as Record<string, unknown> };
  };
  const waiting = async (count: number) => {
    while (gates.length < count) await new Promise((resolve) => setImmediate(resolve));
    for (const open of gates.splice(0)) open();
  };
  return { store, call, waiting, errors };
}

describe('express-session over a pool', () => {
  it('keeps what handlers set, gives each request a copy of its own, and writes nothing for who has no session', async () => {
    const pool = await poolOf();
    const { call } = await serve(pool);
    expect((await call('/look')).cookie).toBeUndefined();
    expect(await pool.totals()).toMatchObject({ sessions: 0 });
    expect((await call('/visit')).body).toMatchObject({ visits: 1, cart: ['item 1'] });
    expect((await call('/visit')).body).toMatchObject({ visits: 2, cart: ['item 1', 'item 2'] });
    await budget.reclaim({ targetBytes: MIB });
    expect(pool.statistics()).toMatchObject({ live: 0, spilled: 1 });
    expect((await call('/visit')).body).toMatchObject({ visits: 3, cart: ['item 1', 'item 2', 'item 3'] });
  });

  it('survives a restart of the server', async () => {
    const first = await serve(await poolOf());
    const { body } = await first.call('/visit');
    const again = await poolOf({ name: 'again' });
    expect((await again.get(body['id'] as string))?.value).toMatchObject({ visits: 1 });
  });

  it('starts anew at a log-in and ends at a log-out', async () => {
    const pool = await poolOf();
    const { call } = await serve(pool);
    const before = (await call('/visit')).body['id'] as string;
    const after = (await call('/login')).body['id'] as string;
    expect(after).not.toBe(before);
    expect(await pool.get(before)).toBeNull();
    expect((await pool.get(after))?.value).toMatchObject({ user: 'ann' });
    await call('/logout');
    expect(await pool.get(after)).toBeNull();
  });

  it('ends sessions when their cookie ends, moves that end by a touch without a write, and not by reading', async () => {
    const pool = await poolOf();
    const { call } = await serve(pool, { cookie: { maxAge: 60_000 }, rolling: true });
    const id = (await call('/visit')).body['id'] as string;
    const made = (await pool.get(id, { isRolling: false }))!;
    expect(made.expiresAtMs - Date.now()).toBeLessThanOrEqual(60_000);
    expect(made.expiresAtMs - Date.now()).toBeGreaterThan(50_000);
    await call('/look');
    expect((await pool.get(id, { isRolling: false }))?.version).toBe(made.version);
    expect(pool.statistics().written).toBe(1);
  });

  it('lets the later of two requests win, as every store does, unless told to compare versions', async () => {
    const lastWrite = await serve(await poolOf());
    await lastWrite.call('/visit');
    const slow = lastWrite.call('/slow');
    await Promise.all([slow, lastWrite.call('/visit').then(() => lastWrite.waiting(1))]);
    expect((await lastWrite.call('/look')).body).toEqual({ visits: 1 });
  });

  it('refuses the later of two requests when it compares versions, and loses nothing', async () => {
    const pool = await poolOf();
    const versions = await serve(pool, { concurrency: 'versions' });
    const id = (await versions.call('/visit')).body['id'] as string;
    const slow = versions.call('/slow');
    await Promise.all([slow, versions.call('/visit').then(() => versions.waiting(1))]);
    await slow;
    expect(versions.errors).toMatchObject([{ code: 'SESSION_CONFLICT' }]);
    const saved = versions.call('/slow-saved');
    await Promise.all([saved, versions.call('/visit').then(() => versions.waiting(1))]);
    expect(await saved).toMatchObject({ status: 500, body: { code: 'SESSION_CONFLICT' } });
    expect((await versions.call('/visit')).body).toMatchObject({ visits: 4 });
    expect(Object.keys((await pool.get(id))!.value).sort()).toEqual(['cart', 'cookie', 'visits']);
  });

  it('merges two requests when the pool has a merge', async () => {
    const pool = await poolOf({ merge: ({ theirs, mine }) => ({ ...theirs, ...mine, visits: theirs['visits'] }) });
    const versions = await serve(pool, { concurrency: 'versions' });
    const id = (await versions.call('/visit')).body['id'] as string;
    const slow = versions.call('/slow');
    await Promise.all([slow, versions.call('/visit').then(() => versions.waiting(1))]);
    expect((await slow).status).toBe(200);
    expect((await pool.get(id))?.value).toMatchObject({ visits: 2, user: 'slow' });
  });

  it('passes what the pool says to the error handler', async () => {
    const pool = await poolOf({ maxSessionBytes: 150 });
    const { call, errors } = await serve(pool);
    for (let visit = 0; visit < 12; visit++) await call('/visit');
    expect(errors[0]).toMatchObject({ code: 'SESSION_TOO_LARGE' });
  });
});

describe('the contract of a store', () => {
  const data = (fields: object = {}) =>
    ({ cookie: { originalMaxAge: null, path: '/' }, visits: 1, ...fields }) as unknown as SessionData;
  const called = <T>(action: (callback: (error?: unknown, result?: T | null) => void) => void) =>
    new Promise<T | null | undefined>((resolve, reject) =>
      action((error, result) => (error ? reject(error as Error) : resolve(result))),
    );

  it('is kept: set, get, touch, all, length, destroy, clear', async () => {
    const store = new TenureSessionStore({ pool: await poolOf(), ownerOf: ({ user }) => user });
    await called((callback) => store.set('a', data({ user: 'ann' }), callback));
    await called((callback) => store.set('a', data({ visits: 2 }), callback));
    await called((callback) => store.set('b', data(), callback));
    expect(await called((callback) => store.get('a', callback))).toMatchObject({ visits: 2 });
    expect(await called((callback) => store.get('none', callback))).toBeNull();
    await called((callback) => store.touch('a', data(), callback));
    expect(Object.keys((await called((callback) => store.all(callback))) ?? {})).toEqual(['a', 'b']);
    expect(await called((callback) => store.length(callback))).toBe(2);
    await called((callback) => store.destroy('a', callback));
    expect(await called((callback) => store.length(callback))).toBe(1);
    await called((callback) => store.clear(callback));
    expect(await called((callback) => store.all(callback))).toEqual({});
    store.destroy('b');
    expect(() => new TenureSessionStore({ pool: undefined as never, concurrency: 'never' as never })).toThrow(
      'concurrency',
    );
  });

  it('ends a session whose cookie has ended', async () => {
    const pool = await poolOf();
    const store = new TenureSessionStore({ pool });
    const ended = data({ cookie: { expires: new Date(0), maxAge: -5, originalMaxAge: 1 } });
    await called((callback) => store.set('a', data(), callback));
    await called((callback) => store.touch('a', ended, callback));
    expect(await pool.get('a')).toBeNull();
    await called((callback) => store.set('b', data(), callback));
    await called((callback) => store.set('b', ended, callback));
    expect(await pool.get('b')).toBeNull();
  });

  it('makes one session of many first writes at once', async () => {
    const pool = await poolOf();
    const store = new TenureSessionStore({ pool });
    await Promise.all([1, 2, 3, 4].map((visits) => called((callback) => store.set('a', data({ visits }), callback))));
    expect((await pool.get('a'))?.version).toBe(4);
  });

  it('tells a store that fails to the callback', async () => {
    const pool = await poolOf();
    const store = new TenureSessionStore({ pool });
    await pool.close();
    await expect(called((callback) => store.get('a', callback))).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(called((callback) => store.set('a', data(), callback))).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(called((callback) => store.length(callback))).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
