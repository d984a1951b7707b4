/**
 * Sessions under the budget: the used ones in memory, all of them on the disk (HOLD-5).
 *
 *            create, get, update                idle, most in memory, pressure
 *   (none) ────────────────────▶ live ◀──────────────────────────────────────▶ on disk ──ttl──▶ (none)
 *                                                      get, update
 *
 * **Promises.** (1) What was acknowledged is durable (`write-through`), or is written within `flushMs` and before it leaves memory
 * (`write-back`). (2) A live session is a copy of what the disk has, so leaving memory loses nothing, and costs nothing but the next
 * read. (3) Each change makes the next version. One that was made from an older version is refused, merged, or made again by its
 * function; never written over somebody else's, in this process or another. (4) `get` returns what was committed, by whichever process,
 * before it was called. (5) Nobody is refused because memory is full: what finds no room is read from the disk, answered and changed
 * without being kept. (6) A store that fails loses nothing: what it has not taken stays in memory, and is counted and told.
 *
 * **Order.** Changes of one session, and its reading from the disk, stand in one lane (`lane.ts`); a live session is read beside it and is
 * never half changed. Between processes the store compares versions.
 *
 * **Time.** In memory it is monotonic; on the disk wall time. When the wall clock was set, what is live is written with its new end, and
 * the next removal of expired sessions is left out.
 */
import { ClosedError } from '../../base/errors.ts';
import type { SessionTotals } from '../../storage/session-store.ts';
import { SessionBackground } from './background.ts';
import { SessionCoder } from './codec.ts';
import { Lanes } from './lane.ts';
import type { LiveSession } from './live-session.ts';
import { LiveSessions } from './live-sessions.ts';
import { OpenSession } from './open-session.ts';
import type { Session, SessionInfo } from './session.ts';
import { type Made, SessionAccess } from './session-access.ts';
import type {
  ChangeOptions,
  CreateOptions,
  RecordOptions,
  SessionChanges,
  SessionUpdate,
  SessionWaiting,
} from './session-calls.ts';
import { SessionDisk } from './session-disk.ts';
import { SessionBusyError, SessionConflictError, SessionNotFoundError } from './session-errors.ts';
import { newSessionId } from './session-id.ts';
import {
  type FilledOptions,
  filledOptions,
  requireCount,
  requireItems,
  requireOwner,
  requireSessionId,
  requireTtl,
  type SessionPoolOptions,
} from './session-options.ts';
import type { SessionStatistics } from './session-statistics.ts';
import { SessionTail } from './session-tail.ts';
import { isThenable, untilAborted, within } from './until.ts';

const PAGE_SESSIONS = 200;

/**
 * Sessions by id, at most `max` of them in memory, all of them durable.
 *
 * @typeParam V the value of a session. @typeParam I what is appended to it.
 */
export class SessionPool<V = unknown, I = unknown> implements SessionChanges<V, I>, AsyncDisposable {
  readonly #options: FilledOptions<V>;
  readonly #lanes: Lanes;
  readonly #disk: SessionDisk<V, I>;
  readonly #live: LiveSessions<V, I>;
  readonly #background: SessionBackground<V, I>;
  readonly #access: SessionAccess<V, I>;
  readonly #tail: SessionTail<V, I>;
  readonly #counts = { created: 0, destroyed: 0 };
  #closing: Promise<void> | undefined;

  /** @throws InvalidArgumentError for an option outside its range; what `Budget.register` throws. */
  constructor(given: SessionPoolOptions<V>) {
    const options = filledOptions(given);
    const { name, budget, clock, quotas, max, idleMs, roomTimeoutMs, priority, weight, minBytes, maxBytes } = options;
    this.#options = options;
    this.#lanes = new Lanes({
      maxWaiting: options.maxWaiting,
      refusal: (id, waiting) => new SessionBusyError({ id, waiting }),
    });
    this.#disk = new SessionDisk(
      options,
      new SessionCoder({ codec: options.codec, maxBytes: options.maxSessionBytes }),
    );
    this.#live = new LiveSessions<V, I>({
      ...{ budget, clock, quotas, max, idleMs, roomTimeoutMs },
      holder: {
        ...{ name, priority, drop: (request) => this.#background.drop(request) },
        ...(weight !== undefined && { weight }),
        ...(minBytes !== undefined && { minBytes }),
        ...(maxBytes !== undefined && { maxBytes }),
      },
      isBusy: (id) => this.#lanes.isBusy(id),
      onSpill: (session) => this.#background.noteEnd(session),
      write: (session) => this.#background.write(session),
    });
    const parts = { options, lanes: this.#lanes, disk: this.#disk, live: this.#live };
    this.#background = new SessionBackground(parts);
    this.#access = new SessionAccess({ ...parts, background: this.#background });
    this.#tail = new SessionTail({ ...parts, access: this.#access });
  }

  /** The name it has in the budget and in events. */
  get name(): string {
    return this.#options.name;
  }

  /** True from the moment `close` was called. */
  get isClosed(): boolean {
    return this.#closing !== undefined;
  }

  /** Figures of what is in memory and of what was done; none of them waits. */
  statistics(): SessionStatistics {
    const { size: live, bytes, pinned, spilled, idleBytes } = this.#live;
    const { unwritten, writeFailures, purged } = this.#background;
    return {
      ...{ live, max: this.#options.max, bytes: bytes.usedBytes, idleBytes, pinned, spilled },
      ...{ unwritten, writeFailures, purged, waiting: this.#lanes.waiting },
      ...{ ...this.#counts, ...this.#access.counts, ...this.#disk.counts },
    };
  }

  /** How many sessions are on the disk, and their bytes there. */
  async totals(): Promise<SessionTotals> {
    this.#requireOpen();
    return this.#options.store.totals();
  }

  /**
   * Makes a session, durable when it resolves, whatever `durability` says.
   *
   * @throws SessionConflictError when the id is taken; SessionValueError, SessionCodecError, SessionTooLargeError for a value that cannot be
   * kept; InvalidArgumentError; ClosedError; the signal's reason; what the store throws.
   */
  async create(value: V, options: CreateOptions<I> = {}): Promise<Session<V, I>> {
    this.#requireOpen();
    const { signal, items = [] } = options;
    const id = options.id === undefined ? newSessionId() : requireSessionId(options.id);
    const owner = requireOwner(options.owner);
    const ttlMs = requireTtl(options.ttlMs ?? this.#options.ttlMs);
    requireItems(items);
    return this.#lanes.run(
      id,
      async () => {
        this.#access.forgetExpired(id);
        const made = await this.#disk.create({ id, owner, ttlMs, value, items }, signal);
        if (!(made instanceof Object && 'snapshot' in made)) {
          throw new SessionConflictError({ id, expectedVersion: null, actualVersion: made.actualVersion });
        }
        this.#counts.created++;
        const stale = this.#live.get(id);
        if (stale) this.#access.forget(stale);
        // It is made; that nobody waits for room any more does not unmake it.
        await this.#access.keep(made);
        return this.#snapshot(made);
      },
      signal,
    );
  }

  /**
   * The session as it is now, from memory or from the disk; null for none.
   *
   * @param options `isRolling: false` reads without beginning its life anew.
   * @throws SessionDamagedError, SessionBusyError, InvalidArgumentError, ClosedError; the signal's reason; what the store throws.
   */
  async get(id: string, options: SessionWaiting & { isRolling?: boolean } = {}): Promise<Session<V, I> | null> {
    this.#requireOpen();
    const session = await this.#access.find(id, options.signal);
    if (session === null) return null;
    this.#access.use(session, { isRolling: options.isRolling ?? this.#options.isRolling });
    return this.#snapshot(session);
  }

  /**
   * A handle on a session, which stays in memory until the handle is closed. Close it when the request is over: `await using`.
   *
   * @param options `initial` makes the session when there is none, for `owner`.
   * @throws SessionNotFoundError without `initial`; as `get` and `create`.
   */
  async open(
    id: string,
    options: Omit<CreateOptions<I>, 'id'> & { readonly initial?: V } = {},
  ): Promise<OpenSession<V, I>> {
    for (;;) {
      this.#requireOpen();
      const session = await this.#access.find(id, options.signal);
      if (session) {
        this.#access.use(session, { isRolling: this.#options.isRolling });
        this.#live.pin(session);
        const unpin = () => this.#live.unpin(session);
        return new OpenSession<V, I>({ pool: this, session: this.#snapshot(session), unpin });
      }
      if (options.initial === undefined) throw new SessionNotFoundError({ id });
      try {
        await this.create(options.initial, { ...options, id });
      } catch (error) {
        // Somebody else has made it meanwhile; take that one.
        if (!(error instanceof SessionConflictError)) throw error;
      }
    }
  }

  /**
   * Replaces the value: by a function of the present one, or by a value.
   *
   * A function is called again when another process has changed the session meanwhile, so nobody's change is lost. A value with `version`
   * is refused when another version is there, or merged if the pool has a merge; without `version` it replaces whatever is there.
   *
   * @throws SessionNotFoundError, SessionConflictError, SessionMergeError, SessionBusyError, TimeoutError for a function that takes too
   * long; as `create` for the value; what the function throws. Nothing was written then.
   */
  update(id: string, change: V | SessionUpdate<V, I>, options: ChangeOptions = {}): Promise<Session<V, I>> {
    if (typeof change !== 'function') return this.#change(id, options, { make: () => ({ of: change }) });
    const update = change as SessionUpdate<V, I>;
    return this.#change(id, options, { make: (session) => this.#made(update, session, options) });
  }

  /**
   * Adds items at the end. Writes these and not the session, however long it is; `keepLast` bounds it.
   *
   * @throws as `update`.
   */
  async append(id: string, items: readonly I[], options: ChangeOptions = {}): Promise<Session<V, I>> {
    requireItems(items);
    return this.#change(id, options, { append: items.length > 0 ? items : undefined });
  }

  /**
   * Adds items at the end without reading the session: one that is not in memory stays on the disk. As durable as `append`.
   *
   * @param options `initial` makes the session when there is none, for `owner`.
   * @throws SessionNotFoundError without `initial`; as `create`.
   */
  record(id: string, items: readonly I[], options: RecordOptions<V, I> = {}): Promise<void> {
    this.#requireOpen();
    requireItems(items);
    return this.#tail.record(id, items, {
      ...options,
      create: (value) => this.create(value, { ...options, id, items }),
    });
  }

  /**
   * The last `count` items, oldest first, from memory, or from the disk without the rest; null for no session.
   *
   * @throws as `get`.
   */
  last(id: string, count: number, { signal }: SessionWaiting = {}): Promise<readonly I[] | null> {
    this.#requireOpen();
    return this.#tail.last(id, requireCount(count, 'count', 1), signal);
  }

  /**
   * Begins the session's life anew. Cheap: it is written with others, and only if its end has moved by a hundredth of its life.
   *
   * @returns false when there is no such session.
   * @throws as `get`.
   */
  async touch(id: string, options: SessionWaiting & { readonly ttlMs?: number | undefined } = {}): Promise<boolean> {
    this.#requireOpen();
    const ttlMs = options.ttlMs === undefined ? undefined : requireTtl(options.ttlMs);
    const session = await this.#access.find(id, options.signal);
    if (session === null) return false;
    this.#access.use(session, { isRolling: true, ttlMs });
    return true;
  }

  /**
   * Removes the session, from memory and from the disk; also one that is damaged.
   *
   * @returns false when there was none.
   * @throws InvalidArgumentError, SessionBusyError, ClosedError; the signal's reason; what the store throws.
   */
  async destroy(id: string, { signal }: SessionWaiting = {}): Promise<boolean> {
    this.#requireOpen();
    requireSessionId(id);
    return this.#lanes.run(
      id,
      async () => {
        const wasThere = await this.#disk.remove(id);
        const live = this.#live.get(id);
        if (live) this.#access.forget(live);
        if (wasThere) this.#counts.destroyed++;
        return wasThere;
      },
      signal,
    );
  }

  /**
   * Gives the session a new id that cannot be guessed, and ends the old one, at once. To be called when a user logs in: an id that somebody
   * planted before is worth nothing afterwards.
   *
   * @throws SessionNotFoundError; as `update`.
   */
  async regenerate(id: string, { signal }: SessionWaiting = {}): Promise<Session<V, I>> {
    this.#requireOpen();
    requireSessionId(id);
    return this.#lanes.run(
      id,
      async () => this.#snapshot(await this.#access.rename(id, newSessionId(), signal)),
      signal,
    );
  }

  /** Every session on the disk, oldest first, read a page at a time while it is consumed. */
  async *list(
    options: { readonly owner?: string; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<SessionInfo, void> {
    const { owner, signal } = options;
    if (owner !== undefined) requireOwner(owner);
    await this.#disk.touches.flush();
    for (let from: number | null = 0; from !== null; ) {
      this.#requireOpen();
      signal?.throwIfAborted();
      const nowMs = this.#options.clock.nowMs();
      const page = await this.#options.store.list({ owner, from, limit: PAGE_SESSIONS, nowMs });
      for (const { ttlMs: _, ...record } of page.sessions) {
        yield { ...record, isLive: this.#live.get(record.id) !== undefined };
      }
      from = page.next;
    }
  }

  /** Removes every session of the pool; returns how many. */
  async clear(): Promise<number> {
    this.#requireOpen();
    const removed = await this.#options.store.clear();
    for (const session of [...this.#live.all()]) this.#access.forget(session);
    // What was being read while it was removed is looked up again before it is used.
    this.#disk.invalidate();
    return removed;
  }

  /** Writes what the disk does not have yet, expiry included. @throws what the store throws */
  async flush(): Promise<void> {
    this.#requireOpen();
    await this.#background.flush();
  }

  /**
   * Waits for what has begun, writes what the disk does not have, and gives all bytes back. Closing twice is harmless.
   *
   * @throws SessionsUnwrittenError when the store did not take everything; only with `write-back`.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    try {
      await this.#lanes.settled();
      await this.#background.close();
    } finally {
      this.#live.close();
    }
  }

  async #change(
    id: string,
    options: ChangeOptions,
    change: { make?: (session: LiveSession<V, I>) => Made<V> | Promise<Made<V>>; append?: readonly I[] | undefined },
  ): Promise<Session<V, I>> {
    this.#requireOpen();
    requireSessionId(id);
    const { version, keepLast } = options;
    if (keepLast !== undefined) requireCount(keepLast, 'keepLast', 0);
    if (version !== undefined) requireCount(version, 'version', 1);
    const ttlMs = options.ttlMs === undefined ? undefined : requireTtl(options.ttlMs);
    return this.#access.change(id, { ...change, version, keepLast, ttlMs, signal: options.signal });
  }

  async #made(update: SessionUpdate<V, I>, session: LiveSession<V, I>, { signal }: ChangeOptions): Promise<Made<V>> {
    const { clock, updateTimeoutMs: timeoutMs } = this.#options;
    const made = update(session.value, this.#snapshot(session));
    if (!isThenable(made)) return { of: made };
    return { of: await untilAborted(within(made, { clock, timeoutMs, what: 'The update of a session' }), signal) };
  }

  #snapshot(session: LiveSession<V, I>): Session<V, I> {
    return session.snapshot(this.#options.clock);
  }

  #requireOpen(): void {
    if (this.#closing) throw new ClosedError(`The session pool ${this.#options.name}`);
  }
}
