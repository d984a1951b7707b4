/**
 * Sessions for Hono over a session pool: `tenure/hono-session`.
 *
 * The id travels in a signed cookie; the session is read before the handler and saved after it, before the response leaves, so what a
 * client was told is durable. A visitor for whom nothing was kept has no session and gets no cookie. A save is made from the version the
 * request has read: when another request has changed the session meanwhile it is refused with `SESSION_CONFLICT`, or merged if the pool has
 * a `merge`; `update` with a function and `append` never conflict. A response that streams has left when its body is made: save before.
 */
import type { Context, MiddlewareHandler } from 'hono';
import { deleteCookie, getSignedCookie, setSignedCookie } from 'hono/cookie';
import type { CookieOptions } from 'hono/utils/cookie';
import { InvalidArgumentError } from '../base/errors.ts';
import type { Session } from '../holders/session/session.ts';
import type { SessionUpdate } from '../holders/session/session-calls.ts';
import type { SessionPool } from '../holders/session/session-pool.ts';

const LEAST_SECRET = 16;
const DEFAULT_COOKIE = 'session';

/** How sessions are used under Hono. */
export interface HonoSessionOptions<V, I> {
  /** Where sessions live. The middleware does not close it. */
  readonly pool: SessionPool<V, I>;
  /** Signs the cookie: 16 characters at least. Of several the first signs, and all are taken: to change it without ending sessions. */
  readonly secret: string | readonly string[];
  /** What a session holds before anything was set. */
  initial(): V;
  /** Name of the cookie; `session` by default. */
  readonly cookieName?: string;
  /** Over `httpOnly`, `secure`, `sameSite: 'Lax'` and `path: '/'`. With `maxAge` (seconds) the cookie is sent anew with each response. */
  readonly cookie?: Omit<CookieOptions, 'prefix' | 'signingSecret'>;
  /** Whom a session is charged to (quotas), once it is made. */
  ownerOf?(context: Context, value: V): string | undefined;
}

/** For `new Hono<{ Variables: SessionVariables<Mine> }>()`. */
export interface SessionVariables<V, I = unknown> {
  readonly session: HonoSession<V, I>;
}

/** The session of one request: `c.get('session')`. */
export class HonoSession<V, I = unknown> {
  readonly #pool: SessionPool<V, I>;
  readonly #initial: () => V;
  readonly #ownerOf: (value: V) => string | undefined;
  #session: Session<V, I> | null;
  #wanted: { of: V } | null = null;
  #sentId: string | null;

  /** @internal */
  constructor(options: {
    pool: SessionPool<V, I>;
    session: Session<V, I> | null;
    sentId: string | null;
    initial: () => V;
    ownerOf: (value: V) => string | undefined;
  }) {
    this.#pool = options.pool;
    this.#session = options.session;
    this.#sentId = options.sentId;
    this.#initial = options.initial;
    this.#ownerOf = options.ownerOf;
  }

  /** Null while nothing is kept for this visitor. */
  get id(): string | null {
    return this.#session?.id ?? null;
  }

  /** What was set in this request, else what is kept, else the initial value. What is kept is frozen. */
  get(): V {
    if (this.#wanted) return this.#wanted.of;
    return this.#session ? this.#session.value : this.#initial();
  }

  /** What was appended, oldest first. */
  get items(): readonly I[] {
    return this.#session?.items ?? [];
  }

  /** Replaces the value; kept by `save`, which the middleware calls after the handler. */
  set(value: V): void {
    this.#wanted = { of: value };
  }

  /**
   * Keeps what was set.
   *
   * @throws what `SessionPool.update` and `create` throw; SessionConflictError when another request was first.
   */
  async save(): Promise<void> {
    const wanted = this.#wanted;
    if (!wanted) return;
    const session = this.#session;
    this.#session = session
      ? await this.#pool.update(session.id, wanted.of, { version: session.version })
      : await this.#create(wanted.of);
    if (this.#wanted === wanted) this.#wanted = null;
  }

  /** Changes the value by a function of the newest one, at once; what was set before is saved first. @throws as `SessionPool.update`. */
  async update(change: SessionUpdate<V, I>): Promise<V> {
    const { id } = await this.#kept();
    this.#session = await this.#pool.update(id, change);
    return this.#session.value;
  }

  /** Adds items at the end, at once. @throws as `SessionPool.append`. */
  async append(items: readonly I[], options: { readonly keepLast?: number } = {}): Promise<void> {
    const { id } = await this.#kept();
    this.#session = await this.#pool.append(id, items, options);
  }

  /** Gives the session a new id, at once: to be called when a user logs in. @throws as `SessionPool.regenerate`. */
  async regenerate(): Promise<void> {
    const before = this.#session;
    const { id } = await this.#kept();
    // One that was made just now has an id that nobody knows.
    if (before) this.#session = await this.#pool.regenerate(id);
  }

  /** Ends the session, at once, and takes the cookie back: to be called when a user logs out. */
  async destroy(): Promise<void> {
    this.#wanted = null;
    if (this.#session) await this.#pool.destroy(this.#session.id);
    this.#session = null;
  }

  /**
   * What the cookie has to say now: nothing, a new id, or that there is none any more.
   *
   * @internal
   */
  cookieNeeded({ isRolling }: { isRolling: boolean }): { id: string } | 'none' | null {
    const { id } = this;
    if (id === null) return this.#sentId === null ? null : 'none';
    return id === this.#sentId && !isRolling ? null : { id };
  }

  async #kept(): Promise<Session<V, I>> {
    await this.save();
    this.#session ??= await this.#create(this.#initial());
    return this.#session;
  }

  #create(value: V): Promise<Session<V, I>> {
    return this.#pool.create(value, { owner: this.#ownerOf(value) });
  }
}

/**
 * Middleware that gives each request its session as `c.get('session')`.
 *
 * @throws InvalidArgumentError for a secret that is missing or too short.
 * @example
 * ```text
 * const app = new Hono<{ Variables: SessionVariables<{ user?: string }> }>();
 * app.use(sessions({ pool, secret: process.env.SESSION_SECRET!, initial: () => ({}) }));
 * app.post('/login', async (c) => {
 *   await c.get('session').regenerate();
 *   c.get('session').set({ user: 'ann' });
 *   return c.text('welcome');
 * });
 * ```
 */
export function sessions<V, I = unknown>(
  options: HonoSessionOptions<V, I>,
): MiddlewareHandler<{ Variables: SessionVariables<V, I> }> {
  const { pool, cookieName = DEFAULT_COOKIE } = options;
  const secrets = secretsOf(options.secret);
  const cookie: CookieOptions = { path: '/', httpOnly: true, secure: true, sameSite: 'Lax', ...options.cookie };
  const isRolling = cookie.maxAge !== undefined;
  return async (context, next) => {
    const sentId = await idOf(context, { cookieName, secrets });
    const session = new HonoSession<V, I>({
      ...{ pool, sentId, session: sentId === null ? null : await pool.get(sentId) },
      initial: () => options.initial(),
      ownerOf: (value) => options.ownerOf?.(context, value),
    });
    context.set('session', session);
    await next();
    // An answer to an error does not keep what the handler had only half done.
    if (context.error === undefined) await session.save();
    const needed = session.cookieNeeded({ isRolling });
    if (needed === 'none') deleteCookie(context, cookieName, cookie);
    else if (needed) await setSignedCookie(context, cookieName, needed.id, secrets[0]!, cookie);
  };
}

/** The id a client has sent, if we have signed it. */
async function idOf(context: Context, by: { cookieName: string; secrets: readonly string[] }): Promise<string | null> {
  for (const secret of by.secrets) {
    const id = await getSignedCookie(context, secret, by.cookieName);
    if (id) return id;
  }
  return null;
}

function secretsOf(secret: string | readonly string[]): readonly string[] {
  const secrets = typeof secret === 'string' ? [secret] : secret;
  const isGood = (each: unknown) => typeof each === 'string' && each.length >= LEAST_SECRET;
  if (Array.isArray(secrets) && secrets.length > 0 && secrets.every(isGood)) return secrets;
  throw new InvalidArgumentError('secret', `must be a text of ${LEAST_SECRET} characters or more, or a list of such.`);
}
