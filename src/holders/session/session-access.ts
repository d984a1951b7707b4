/**
 * Finding the newest state of a session, in memory or on the disk, and changing it.
 *
 * A live session is trusted when nobody can have changed it since it was last looked up (`freshness.ts`). Else its lane is waited for, and
 * there it is read again *in place*, so that handles which are open on it go on with it. One reading serves all who ask meanwhile.
 */
import type { SessionBackground } from './background.ts';
import type { Lanes } from './lane.ts';
import type { LiveSession } from './live-session.ts';
import type { LiveSessions } from './live-sessions.ts';
import type { Session } from './session.ts';
import type { SessionDisk } from './session-disk.ts';
import { SessionConflictError, SessionNotFoundError } from './session-errors.ts';
import { type FilledOptions, requireSessionId } from './session-options.ts';
import { untilAborted } from './until.ts';

/** A change made by a function is made again so often when other processes are always first. */
const MOST_ATTEMPTS = 100;

export interface AccessParts<V, I> {
  readonly options: FilledOptions<V>;
  readonly lanes: Lanes;
  readonly disk: SessionDisk<V, I>;
  readonly live: LiveSessions<V, I>;
  readonly background: SessionBackground<V, I>;
}

/** A value that was made, wrapped: values are anything. */
export interface Made<V> {
  readonly of: V;
}

/** What is to become of a session; `make` is called anew for each attempt. */
export interface WantedChange<V, I> {
  readonly make?: ((session: LiveSession<V, I>) => Made<V> | Promise<Made<V>>) | undefined;
  readonly append?: readonly I[] | undefined;
  readonly keepLast?: number | undefined;
  readonly version?: number | undefined;
  readonly ttlMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export class SessionAccess<V, I> {
  readonly counts = { hits: 0, misses: 0, through: 0, expired: 0 };
  readonly #parts: AccessParts<V, I>;
  readonly #loading = new Map<string, Promise<LiveSession<V, I> | null>>();

  constructor(parts: AccessParts<V, I>) {
    this.#parts = parts;
  }

  /** The newest state of a session, from wherever; null for none. */
  async find(id: string, signal: AbortSignal | undefined): Promise<LiveSession<V, I> | null> {
    requireSessionId(id);
    signal?.throwIfAborted();
    return (await this.findLive(id, signal)) ?? untilAborted(this.#load(id), signal);
  }

  /** The newest state of a session if memory has it. */
  async findLive(id: string, signal: AbortSignal | undefined): Promise<LiveSession<V, I> | null> {
    const live = this.#parts.live.get(id);
    if (!live || this.#isExpired(live) || !(await untilAborted(this.#isNewest(live), signal))) return null;
    this.counts.hits++;
    return live;
  }

  /** As `find`, for whoever stands in the session's lane. */
  async current(id: string): Promise<LiveSession<V, I> | null> {
    const { live: sessions, disk } = this.#parts;
    this.forgetExpired(id);
    const live = sessions.get(id);
    if (live && (await this.#isNewest(live))) return live;
    const read = await disk.read(id);
    if (live?.isKept) {
      if (read !== null && live.isSameAs(read)) {
        await this.#renew(live, read);
        return live;
      }
      this.forget(live);
    }
    if (read) await this.keep(read);
    return read;
  }

  /** Changes a session, in its lane; what was made from a version that is not the newest any more is made again. */
  change(id: string, wanted: WantedChange<V, I>): Promise<Session<V, I>> {
    return this.#parts.lanes.run(id, () => this.changeNow(id, wanted), wanted.signal);
  }

  /** As `change`, for whoever stands in the session's lane. */
  async changeNow(id: string, wanted: WantedChange<V, I>): Promise<Session<V, I>> {
    const { options, disk, background } = this.#parts;
    const { version, append, keepLast, ttlMs, signal } = wanted;
    const attempt = async (): Promise<Session<V, I> | SessionConflictError> => {
      const session = await this.current(id);
      if (session === null) throw new SessionNotFoundError({ id });
      const made = await wanted.make?.(session);
      signal?.throwIfAborted();
      let value = made;
      if (version !== undefined && version !== session.version) {
        disk.counts.conflicts++;
        if (!made || !options.merge) throw this.#conflict(id, version, session.version);
        value = { of: disk.merge(id, { theirs: session.value, mine: made.of }) };
      }
      const expectedVersion = session.version;
      const encoded = disk.encode(session, { value, append, keepLast });
      const written = await background.apply(session, encoded, signal);
      if (!written.isWritten) {
        session.mark = null;
        return this.#conflict(id, expectedVersion, written.version);
      }
      this.use(session, { isRolling: options.isRolling || ttlMs !== undefined, ttlMs });
      return session.snapshot(options.clock);
    };
    for (let attempts = 1; ; attempts++) {
      const outcome = await attempt();
      if (!(outcome instanceof SessionConflictError)) return outcome;
      if (attempts === MOST_ATTEMPTS) throw outcome;
    }
  }

  /** Gives a session the id `newId`, in its lane. @throws SessionNotFoundError, SessionConflictError */
  async rename(id: string, newId: string, signal: AbortSignal | undefined): Promise<LiveSession<V, I>> {
    const { options, disk } = this.#parts;
    for (let attempt = 1; ; attempt++) {
      const session = await this.current(id);
      if (session === null) throw new SessionNotFoundError({ id });
      await disk.writeBack(session);
      signal?.throwIfAborted();
      const renamed = await disk.rename(session, newId);
      if (renamed) {
        this.forget(session);
        await this.keep(renamed);
        this.use(renamed, { isRolling: options.isRolling });
        return renamed;
      }
      session.mark = null;
      if (attempt === MOST_ATTEMPTS) throw this.#conflict(id, session.version, null);
    }
  }

  /** Takes it into memory if there is room. */
  async keep(session: LiveSession<V, I>): Promise<void> {
    if (!(await this.#parts.live.keep(session))) this.counts.through++;
    this.#parts.background.arm();
  }

  use(session: LiveSession<V, I>, { isRolling, ttlMs }: { isRolling: boolean; ttlMs?: number | undefined }): void {
    this.#parts.live.use(session);
    if (isRolling) this.#parts.disk.extend(session, ttlMs);
    this.#parts.background.arm();
  }

  /** Takes a session out of memory that is gone. */
  forget(session: LiveSession<V, I>): void {
    session.unwritten = null;
    this.#parts.background.forget(session);
    this.#parts.live.remove(session);
    this.#parts.live.bytes.settle();
  }

  forgetExpired(id: string): void {
    const live = this.#parts.live.get(id);
    if (!live || !this.#isExpired(live)) return;
    this.counts.expired++;
    this.forget(live);
  }

  /** One reading of a session for all who ask meanwhile. */
  #load(id: string): Promise<LiveSession<V, I> | null> {
    const { lanes } = this.#parts;
    const loading = this.#loading.get(id);
    if (loading) return loading;
    const load = lanes
      .run(id, () => this.current(id))
      .then((session) => {
        this.counts.misses++;
        return session;
      })
      .finally(() => this.#loading.delete(id));
    this.#loading.set(id, load);
    return load;
  }

  /** With changes that are not written yet it is the newest here; when they are written, those of others are merged. */
  async #isNewest(session: LiveSession<V, I>): Promise<boolean> {
    return session.unwritten !== null || (await this.#parts.disk.isFresh(session));
  }

  async #renew(live: LiveSession<V, I>, read: LiveSession<V, I>): Promise<void> {
    live.become(read);
    live.ttlMs = read.ttlMs;
    live.deadlineMs = read.deadlineMs;
    live.storedExpiresAtMs = read.storedExpiresAtMs;
    await this.#parts.background.fit(live);
  }

  #isExpired(session: LiveSession<V, I>): boolean {
    return session.deadlineMs <= this.#parts.options.clock.monotonicMs();
  }

  #conflict(id: string, expectedVersion: number, actualVersion: number | null): SessionConflictError {
    return new SessionConflictError({ id, expectedVersion, actualVersion });
  }
}
