/**
 * A store for `express-session` over a session pool: `tenure/express-session`.
 *
 * Sessions are in memory while they are used, on the disk always, and under the budget. What `express-session` hands over is kept as it is;
 * what it gets back is a copy of its own that it may change.
 *
 * **Concurrent requests.** `express-session` reads a session when a request comes and writes all of it when the request ends, and knows no
 * versions: of two requests of one user that overlap, the later to end overwrites what the other has changed. That is what every store of
 * it does, and the default here (`last-write`). With `versions` the store remembers which version each request has read; the later write
 * is refused with `SESSION_CONFLICT`, or merged if the pool has a `merge`. What fails at the end of a request comes to Express's error handler
 * when the response is on its way already; a handler that wants to answer it saves by itself: `request.session.save(callback)`.
 *
 * **Time.** A session ends when its cookie does (`cookie.expires`, `cookie.maxAge`); one whose cookie ends with the browser, after the
 * pool's `ttlMs` without use. A touch costs no write of its own.
 */
import { type SessionData, Store } from 'express-session';
import { InvalidArgumentError } from '../base/errors.ts';
import { SessionConflictError, SessionNotFoundError } from '../holders/session/session-errors.ts';
import type { SessionPool } from '../holders/session/session-pool.ts';

/** What `express-session` keeps: its cookie, and whatever handlers have set. */
export type ExpressSessionValue = Readonly<Record<string, unknown>>;

/** How the store is set up. */
export interface ExpressSessionStoreOptions {
  /** Where sessions live. The store does not close it: that is for whoever made it, after the server has closed. */
  readonly pool: SessionPool<ExpressSessionValue>;
  /** What becomes of two writes made from the same version; `last-write` by default. */
  readonly concurrency?: 'last-write' | 'versions';
  /** Whom a session is charged to (quotas), once it is made. */
  ownerOf?(session: SessionData): string | undefined;
}

type Callback<T = void> = (error?: unknown, result?: T) => void;

/** Under this name a request's session carries the version it has read, with `versions`. */
const SEEN = 'tenureVersion';

/** Remembers a version for the length of a request. Leaves no trace in JSON, and so none in the store nor in the hash that tells a change. */
class Seen {
  version: number;

  constructor(version: number) {
    this.version = version;
  }

  toJSON(): undefined {
    return undefined;
  }
}

/**
 * Hand it to `express-session` as its `store`.
 *
 * @throws InvalidArgumentError for an unknown `concurrency`.
 * @example
 * ```text
 * import session from 'express-session';
 * import { TenureSessionStore } from 'tenure/express-session';
 * app.use(session({ store: new TenureSessionStore({ pool }), secret, resave: false, saveUninitialized: false }));
 * ```
 */
export class TenureSessionStore extends Store {
  readonly #options: ExpressSessionStoreOptions;
  readonly #pool: SessionPool<ExpressSessionValue>;

  constructor(options: ExpressSessionStoreOptions) {
    super();
    const { concurrency = 'last-write' } = options;
    if (concurrency !== 'last-write' && concurrency !== 'versions') {
      throw new InvalidArgumentError('concurrency', `must be last-write or versions; got ${String(concurrency)}.`);
    }
    this.#options = options;
    this.#pool = options.pool;
  }

  override get(id: string, callback: (error: unknown, session?: SessionData | null) => void): void {
    answer(this.#read(id), callback as Callback<SessionData | null>);
  }

  override set(id: string, session: SessionData, callback?: Callback): void {
    answer(this.#write(id, session), callback);
  }

  override destroy(id: string, callback?: Callback): void {
    answer(
      this.#pool.destroy(id).then(() => undefined),
      callback,
    );
  }

  override touch(id: string, session: SessionData, callback?: Callback): void {
    const ttlMs = ttlOf(session);
    const touched = ttlMs !== undefined && ttlMs <= 0 ? this.#pool.destroy(id) : this.#pool.touch(id, { ttlMs });
    answer(
      touched.then(() => undefined),
      callback,
    );
  }

  /** Reads every session: for a tool, not for a request. */
  override all(
    callback: (error: unknown, sessions?: SessionData[] | { [id: string]: SessionData } | null) => void,
  ): void {
    const readAll = async () => {
      const sessions: { [id: string]: SessionData } = {};
      for await (const { id } of this.#pool.list()) {
        const session = await this.#read(id);
        if (session) sessions[id] = session;
      }
      return sessions;
    };
    answer(readAll(), callback as Callback<{ [id: string]: SessionData }>);
  }

  override length(callback: (error: unknown, length?: number) => void): void {
    answer(
      this.#pool.totals().then(({ sessions }) => sessions),
      callback as Callback<number>,
    );
  }

  override clear(callback?: Callback): void {
    answer(
      this.#pool.clear().then(() => undefined),
      callback,
    );
  }

  async #read(id: string): Promise<SessionData | null> {
    const session = await this.#pool.get(id, { isRolling: false });
    if (!session) return null;
    const data = structuredClone(session.value) as unknown as SessionData;
    // Touches move the end of a session without writing it, cookie included.
    if (data.cookie?.expires) data.cookie.expires = new Date(session.expiresAtMs);
    if (this.#options.concurrency === 'versions') Object.assign(data, { [SEEN]: new Seen(session.version) });
    return data;
  }

  async #write(id: string, session: SessionData): Promise<void> {
    const ttlMs = ttlOf(session);
    if (ttlMs !== undefined && ttlMs <= 0) {
      await this.#pool.destroy(id);
      return;
    }
    const { [SEEN]: seen, ...value } = { ...(session as unknown as Record<string, unknown>) };
    if (this.#options.concurrency !== 'versions') await this.#overwrite(id, value, session, ttlMs);
    else if (seen instanceof Seen) {
      seen.version = (await this.#pool.update(id, value, { version: seen.version, ttlMs })).version;
    } else {
      const { version } = await this.#create(id, value, session, ttlMs);
      Object.assign(session, { [SEEN]: new Seen(version) });
    }
  }

  /** Writes whether it is there or not: it may come and go meanwhile. */
  async #overwrite(
    id: string,
    value: ExpressSessionValue,
    session: SessionData,
    ttlMs: number | undefined,
  ): Promise<void> {
    for (;;) {
      try {
        await this.#pool.update(id, value, { ttlMs });
        return;
      } catch (error) {
        if (!(error instanceof SessionNotFoundError)) throw error;
      }
      try {
        await this.#create(id, value, session, ttlMs);
        return;
      } catch (error) {
        if (!(error instanceof SessionConflictError)) throw error;
      }
    }
  }

  #create(id: string, value: ExpressSessionValue, session: SessionData, ttlMs: number | undefined) {
    return this.#pool.create(value, { id, owner: this.#options.ownerOf?.(session), ttlMs });
  }
}

/** How long the session has, by its cookie; undefined where that ends with the browser. */
function ttlOf({ cookie }: SessionData): number | undefined {
  // `maxAge` is what remains until `expires`, by the same clock that has set it.
  return cookie?.expires ? (cookie.maxAge ?? undefined) : undefined;
}

/** Calls back outside the promise: what a callback throws is its own. */
function answer<T>(result: Promise<T>, callback: Callback<T> | undefined): void {
  result.then(
    (value) => callback && process.nextTick(callback, null, value),
    (error: unknown) => callback && process.nextTick(callback, error),
  );
}
