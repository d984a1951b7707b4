import { Hono } from 'hono';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MIB } from '../base/bytes.ts';
import { TenureError } from '../base/errors.ts';
import { Budget } from '../budget/budget.ts';
import { SessionPool } from '../holders/session/session-pool.ts';
import { TemporaryStore } from '../testing/temporary-store.ts';
import { type HonoSessionOptions, type SessionVariables, sessions } from './hono-session.ts';

interface Mine {
  readonly visits: number;
  readonly user?: string;
}

const secret = 'a long enough secret';
let temporary: TemporaryStore;
let budget: Budget;
let pool: SessionPool<Mine, string>;

beforeEach(async () => {
  temporary = await TemporaryStore.create();
  budget = new Budget({ name: 'node', limitBytes: 64 * MIB });
  pool = new SessionPool<Mine, string>({ store: await temporary.openSessionStore(), budget });
});
afterEach(async () => {
  await pool.close();
  expect(budget.close().leakedBytes).toBe(0);
  await temporary.close();
});

/** An app, and a client of it that keeps its cookie. */
function serve(options: Partial<HonoSessionOptions<Mine, string>> = {}) {
  const app = new Hono<{ Variables: SessionVariables<Mine, string> }>();
  app.use(sessions({ pool, secret, initial: (): Mine => ({ visits: 0 }), ...options }));
  app.get('/visit', (c) => {
    const session = c.get('session');
    session.set({ ...session.get(), visits: session.get().visits + 1 });
    return c.json({ visits: session.get().visits });
  });
  app.get('/look', (c) =>
    c.json({ ...c.get('session').get(), id: c.get('session').id, items: c.get('session').items }),
  );
  app.get('/add', async (c) => {
    await c.get('session').append(['x'], { keepLast: 2 });
    await c.get('session').update((value) => ({ ...value, visits: value.visits + 10 }));
    return c.json({});
  });
  app.get('/login', async (c) => {
    await c.get('session').regenerate();
    c.get('session').set({ ...c.get('session').get(), user: 'ann' });
    return c.json({});
  });
  app.get('/logout', async (c) => {
    await c.get('session').destroy();
    return c.json({});
  });
  app.get('/broken', (c) => {
    c.get('session').set({ visits: 999 });
    throw new Error('broken');
  });
  app.get('/late', async (c) => {
    const session = c.get('session');
    await pool.update(session.id!, { visits: 50 });
    session.set({ visits: 1 });
    return c.json({});
  });
  app.onError((error, c) => c.json({ code: error instanceof TenureError ? error.code : 'OTHER' }, 500));
  let sent: string | undefined;
  const call = async (path: string, headers: Record<string, string> = {}) => {
    const response = await app.request(path, { headers: { ...(sent && { cookie: sent }), ...headers } });
    const [got] = response.headers.getSetCookie();
    if (got && !headers['cookie']) sent = /Max-Age=0/.test(got) ? undefined : got.split(';')[0];
    return { status: response.status, cookie: got, body: (await response.json()) as Record<string, unknown> };
  };
  return { call, cookie: () => sent };
}

describe('sessions for Hono', () => {
  it('keep what was set, for who has one, in a cookie that scripts cannot read', async () => {
    const { call } = serve();
    expect((await call('/look')).cookie).toBeUndefined();
    expect(await pool.totals()).toMatchObject({ sessions: 0 });
    const first = await call('/visit');
    expect(first.cookie).toMatch(/^session=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
    const second = await call('/visit');
    expect(second).toMatchObject({ body: { visits: 2 }, cookie: undefined });
    await budget.reclaim({ targetBytes: MIB });
    expect((await call('/visit')).body).toEqual({ visits: 3 });
  });

  it('are changed at once by update and append', async () => {
    const { call } = serve();
    for (let turn = 0; turn < 3; turn++) await call('/add');
    expect((await call('/look')).body).toMatchObject({ visits: 30, items: ['x', 'x'] });
  });

  it('get a new id at a log-in and end at a log-out', async () => {
    const { call, cookie } = serve({ ownerOf: (_, { user }) => user });
    await call('/visit');
    const planted = cookie()!;
    const before = (await call('/look')).body['id'] as string;
    expect((await call('/login')).cookie).toBeDefined();
    const { body } = await call('/look');
    expect(body).toMatchObject({ user: 'ann', visits: 1 });
    expect(body['id']).not.toBe(before);
    expect((await call('/look', { cookie: planted })).body['id']).toBeNull();
    await call('/login');
    expect((await call('/logout')).cookie).toMatch(/^session=; Max-Age=0/);
    expect(await pool.totals()).toMatchObject({ sessions: 0 });
    expect((await call('/look')).body).toMatchObject({ visits: 0, id: null });
  });

  it('log in somebody who had none with an id nobody knew', async () => {
    const { call } = serve();
    await call('/login');
    expect((await call('/look')).body).toMatchObject({ user: 'ann' });
    expect(pool.statistics().created).toBe(1);
  });

  it('take no cookie that was not signed, and one that was signed with the secret before', async () => {
    const old = serve({ secret: 'the secret of last year' });
    await old.call('/visit');
    const { call } = serve({ secret: [secret, 'the secret of last year'] });
    expect((await call('/visit', { cookie: old.cookie()! })).body).toEqual({ visits: 2 });
    const forged = old.cookie()!.replace(/.(?=\.)/, 'X');
    const alone = serve();
    expect((await alone.call('/visit', { cookie: forged })).body).toEqual({ visits: 1 });
    expect((await alone.call('/visit', { cookie: old.cookie()! })).body).toEqual({ visits: 1 });
  });

  it('send the cookie anew with each response when it has an age', async () => {
    const { call } = serve({ cookieName: 'sid', cookie: { maxAge: 3600, secure: false } });
    await call('/visit');
    expect((await call('/look')).cookie).toMatch(/^sid=[^;]+; Max-Age=3600; Path=\/; HttpOnly; SameSite=Lax$/);
  });

  it('are not written when the handler failed, nor over what another request has written', async () => {
    const { call } = serve();
    await call('/visit');
    expect(await call('/broken')).toMatchObject({ status: 500, body: { code: 'OTHER' } });
    expect((await call('/look')).body).toMatchObject({ visits: 1 });
    expect(await call('/late')).toMatchObject({ status: 500, body: { code: 'SESSION_CONFLICT' } });
    expect((await call('/look')).body).toMatchObject({ visits: 50 });
  });

  it('refuse a secret that is none', () => {
    for (const bad of ['short', '', [], ['short'], undefined as never]) {
      expect(() => sessions({ pool, secret: bad, initial: () => ({ visits: 0 }) })).toThrow('secret');
    }
  });
});
