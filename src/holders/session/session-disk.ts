/**
 * Between sessions in memory and the store: reading and decoding, writing with versions, expiry in two kinds of time.
 *
 * Whoever calls this for a session stands in that session's lane, so one session is never read and written at once.
 */
import type { Clock } from '../../base/clock.ts';
import type { EventSink } from '../../base/events.ts';
import type { SessionStore, SessionWrite, SessionWritten, StoredItems } from '../../storage/session-store.ts';
import type { SessionCoder } from './codec.ts';
import { Freshness } from './freshness.ts';
import { type Change, LiveSession } from './live-session.ts';
import { SessionDamagedError, SessionMergeError, sessionTag } from './session-errors.ts';
import type { SessionEvent } from './session-events.ts';
import type { FilledOptions } from './session-options.ts';
import { TouchLog } from './touch-log.ts';

export interface DiskCounts {
  loaded: number;
  written: number;
  conflicts: number;
  merged: number;
  lost: number;
  damaged: number;
}

export class SessionDisk<V, I> {
  readonly touches: TouchLog;
  readonly counts: DiskCounts = { loaded: 0, written: 0, conflicts: 0, merged: 0, lost: 0, damaged: 0 };
  readonly #store: SessionStore;
  readonly #clock: Clock;
  readonly #coder: SessionCoder;
  readonly #freshness: Freshness;
  readonly #options: FilledOptions<V>;
  readonly #emit: EventSink<SessionEvent>;

  constructor(options: FilledOptions<V>, coder: SessionCoder) {
    this.#options = options;
    this.#store = options.store;
    this.#clock = options.clock;
    this.#emit = options.emit;
    this.#coder = coder;
    this.touches = new TouchLog(options.store);
    this.#freshness = new Freshness(options.store);
  }

  /** False when another process has changed or removed it. */
  async isFresh(session: LiveSession<V, I>): Promise<boolean> {
    const mark = await this.#mark();
    if (session.mark !== null && session.mark === mark) return true;
    if ((await this.#store.versionOf(session.id)) !== session.storedVersion) return false;
    session.mark = mark;
    return true;
  }

  /** From now on every live session is looked up before it is trusted. */
  invalidate(): void {
    this.#freshness.invalidate();
  }

  /** @throws SessionDamagedError; what the store throws */
  async read(id: string): Promise<LiveSession<V, I> | null> {
    const mark = await this.#mark();
    // An end that was moved and is not written yet: the disk would take the session for expired.
    if (this.touches.get(id)) await this.touches.flush();
    const stored = await this.#store.read(id, this.#clock.nowMs());
    if (!stored) return null;
    try {
      const value = await this.#coder.decode<V>(id, stored.value);
      const { items, bytes } = await this.#coder.decodeItems<I>(id, stored);
      const { owner, version, createdAtMs, ttlMs, expiresAtMs } = stored;
      const nowMs = this.#clock.monotonicMs();
      this.counts.loaded++;
      return new LiveSession<V, I>({
        ...{ id, owner, version, value: value.value, valueBytes: value.bytes.byteLength, items, itemsBytes: bytes },
        ...{ createdAtMs, ttlMs, expiresAtMs, nowMs, deadlineMs: nowMs + expiresAtMs - this.#clock.nowMs(), mark },
        isPacked: [stored.value, ...stored.items].every(({ form }) => form === 'deflate'),
      });
    } catch (error) {
      throw this.#noted(id, error);
    }
  }

  /** The last items alone; null for no session. @throws SessionDamagedError; what the store throws */
  async readLast(id: string, count: number): Promise<readonly I[] | null> {
    if (this.touches.get(id)) await this.touches.flush();
    const usedAtMs = Math.round(this.#clock.nowMs());
    const stored = await this.#store.readLast({ id, count, nowMs: usedAtMs });
    if (!stored) return null;
    const { ttlMs, expiresAtMs: storedExpiresAtMs } = stored;
    const touch = { id, usedAtMs, ttlMs, expiresAtMs: usedAtMs + ttlMs };
    if (this.#options.isRolling && TouchLog.isWorthWriting({ ...touch, storedExpiresAtMs })) this.touches.note(touch);
    try {
      return (await this.#coder.decodeItems<I>(id, stored)).items;
    } catch (error) {
      throw this.#noted(id, error);
    }
  }

  /** Adds items to a session that is not read; false for none. @throws as `encode`; what the store throws */
  async record(id: string, items: readonly I[], signal: AbortSignal | undefined): Promise<boolean> {
    const { isRolling, maxSessionBytes: maxBytes } = this.#options;
    const bytes = this.#coder.encodeBytes(id, items, 'items');
    const append: StoredItems = { form: 'plain', bytes, count: items.length };
    if (this.touches.get(id)) await this.touches.flush();
    const nowMs = Math.round(this.#clock.nowMs());
    const written = await this.#store.append({ id, items: append, nowMs, isRolling, maxBytes }, signal);
    if (written.isWritten) this.counts.written++;
    else if (written.storedBytes !== null) this.#coder.refuseSize(id, written.storedBytes);
    return written.isWritten;
  }

  /** The new session, or the version of the one that has the id. */
  async create(
    options: { id: string; owner: string | null; ttlMs: number; value: V; items: readonly I[] },
    signal: AbortSignal | undefined,
  ): Promise<LiveSession<V, I> | { readonly actualVersion: number | null }> {
    const { id, owner, ttlMs } = options;
    const value = this.#coder.encode(id, options.value, 'value');
    const append = options.items.length > 0 ? this.#coder.encode(id, options.items, 'items') : undefined;
    const itemsBytes = append?.bytes.byteLength ?? 0;
    this.#checkSize(id, value.bytes.byteLength + itemsBytes);
    const createdAtMs = Math.round(this.#clock.nowMs());
    this.touches.forget(id);
    const mark = await this.#mark();
    const written = await this.#store.create(
      {
        ...{ id, owner, ttlMs, nowMs: createdAtMs, value: { form: 'plain', bytes: value.bytes } },
        items: append ? itemsOf(append) : null,
      },
      signal,
    );
    if (!written.isWritten) return { actualVersion: written.version };
    this.counts.written++;
    const nowMs = this.#clock.monotonicMs();
    return new LiveSession<V, I>({
      ...{ id, owner, version: written.version, value: value.value, valueBytes: value.bytes.byteLength },
      ...{ items: append?.value ?? Object.freeze([]), itemsBytes, createdAtMs, ttlMs, mark, isPacked: false },
      ...{ expiresAtMs: createdAtMs + ttlMs, nowMs, deadlineMs: nowMs + ttlMs },
    });
  }

  /** Encodes what is to change. @throws SessionValueError, SessionCodecError, SessionTooLargeError */
  encode(
    session: LiveSession<V, I>,
    change: { value?: { of: V } | undefined; append?: readonly I[] | undefined; keepLast?: number | undefined },
  ): Change<V, I> {
    const { id } = session;
    const encoded: Change<V, I> = {
      value: change.value && this.#coder.encode(id, change.value.of, 'value'),
      append: change.append && this.#coder.encode(id, change.append, 'items'),
      keepLast: change.keepLast,
    };
    // What is dropped makes room, as far as is known; so a session at its bound with keepLast can go on.
    const grown = session.items.length + (encoded.append?.value.length ?? 0);
    const keptShare = encoded.keepLast === undefined ? 1 : Math.min(1, encoded.keepLast / Math.max(1, grown));
    const valueBytes = encoded.value?.bytes.byteLength ?? session.valueBytes;
    this.#checkSize(id, Math.round(valueBytes + (session.bytesWith(encoded) - valueBytes) * keptShare));
    return encoded;
  }

  /** Writes a change and makes the session what it has become; false when the version on the disk is another. */
  async write(session: LiveSession<V, I>, change: Change<V, I>, signal?: AbortSignal): Promise<SessionWritten> {
    const version = session.version + 1;
    const written = await this.#put(
      session,
      {
        ...{ id: session.id, fromVersion: session.version, version },
        ...{ value: change.value && { form: 'plain', bytes: change.value.bytes } },
        ...{ append: change.append && itemsOf(change.append), keepLast: change.keepLast },
      },
      signal,
    );
    if (written.isWritten) session.adopt(change, version);
    return written;
  }

  /** Writes what a session has that the disk does not; merges when the disk has moved on. */
  async writeBack(session: LiveSession<V, I>): Promise<void> {
    while (session.unwritten) {
      const { fromVersion, hasValue, isTrimmed } = session.unwritten;
      const fresh = session.unwritten.append.slice(-Math.max(1, session.items.length));
      const append = fresh.length > 0 ? this.#coder.encodeBytes(session.id, fresh, 'items') : undefined;
      const written = await this.#put(session, {
        ...{ id: session.id, fromVersion, version: session.version },
        value: hasValue
          ? { form: 'plain', bytes: this.#coder.encodeBytes(session.id, session.value, 'value') }
          : undefined,
        append: append && { form: 'plain', bytes: append, count: fresh.length },
        keepLast: isTrimmed ? session.items.length : undefined,
      });
      if (written.isWritten) session.unwritten = null;
      else await this.#rebase(session, written.version);
    }
  }

  /** @throws SessionMergeError */
  merge(id: string, sides: { theirs: V; mine: V }): V {
    try {
      const merged = this.#options.merge!(sides);
      this.counts.merged++;
      return merged;
    } catch (cause) {
      throw new SessionMergeError({ id, cause });
    }
  }

  /** Gives the session another id. */
  async rename(session: LiveSession<V, I>, newId: string): Promise<LiveSession<V, I> | null> {
    const nowMs = this.#clock.nowMs();
    const written = await this.#store.rename({ id: session.id, newId, fromVersion: session.version, nowMs });
    if (!written.isWritten) return null;
    this.counts.written++;
    const touch = this.touches.get(session.id);
    this.touches.forget(session.id);
    if (touch) this.touches.note({ ...touch, id: newId });
    const { owner, value, valueBytes, items, itemsBytes, createdAtMs, ttlMs, deadlineMs, mark, isPacked } = session;
    return new LiveSession<V, I>({
      ...{ id: newId, owner, version: written.version, value, valueBytes, items, itemsBytes, createdAtMs, ttlMs },
      ...{ expiresAtMs: session.storedExpiresAtMs, nowMs: this.#clock.monotonicMs(), deadlineMs, mark, isPacked },
    });
  }

  async remove(id: string): Promise<boolean> {
    this.touches.forget(id);
    return this.#store.remove(id);
  }

  /** Deflates what is kept of a session; false when that changes nothing. */
  async pack(session: LiveSession<V, I>): Promise<boolean> {
    const { id, version, value, items } = session;
    const packed = await this.#coder.pack(this.#coder.encodeBytes(id, value, 'value'));
    const list = items.length > 0 ? await this.#coder.pack(this.#coder.encodeBytes(id, items, 'items')) : null;
    if (packed.form === 'plain' && list?.form !== 'deflate') return false;
    return this.#store.pack({ id, version, value: packed, items: list && { ...list, count: items.length } });
  }

  /** Begins the session's life anew, and notes that for the disk if it is worth it. */
  extend(session: LiveSession<V, I>, ttlMs = session.ttlMs): void {
    session.ttlMs = ttlMs;
    session.deadlineMs = this.#clock.monotonicMs() + ttlMs;
    this.noteEnd(session);
  }

  /** Notes the session's end for the disk, if it has moved enough: it was extended, or the wall clock was set. */
  noteEnd(session: LiveSession<V, I>): void {
    const touch = this.#touchOf(session);
    if (!TouchLog.isWorthWriting({ ...touch, storedExpiresAtMs: session.storedExpiresAtMs })) return;
    this.touches.note({ id: session.id, ...touch });
    session.storedExpiresAtMs = touch.expiresAtMs;
  }

  async #put(session: LiveSession<V, I>, write: SessionWrite, signal?: AbortSignal): Promise<SessionWritten> {
    // An end that waits to be written goes with the change.
    const touch = this.touches.get(session.id);
    try {
      const written = await this.#store.write({ ...write, touch }, signal);
      if (written.isWritten) {
        this.counts.written++;
        session.isPacked = false;
        if (touch && this.touches.get(session.id) === touch) this.touches.forget(session.id);
      } else this.counts.conflicts++;
      return written;
    } catch (error) {
      // It may have been written all the same; the next reader asks.
      session.mark = null;
      throw error;
    }
  }

  /**
   * Another process was first: its value stands unless there is a merge, and items are appended behind its items. What then is too large, or
   * cannot be merged, stays unwritten.
   */
  async #rebase(session: LiveSession<V, I>, actualVersion: number | null): Promise<void> {
    const { fromVersion, hasValue } = session.unwritten!;
    const theirs = actualVersion === null ? null : await this.read(session.id);
    const change = theirs && this.#rebased(session, theirs);
    const isLost = theirs === null || (hasValue && !this.#options.merge);
    if (isLost) {
      this.counts.lost++;
      const about = { session: sessionTag(session.id), expectedVersion: fromVersion, actualVersion };
      this.#tell({ type: 'sessions.write_lost', ...about });
    }
    if (theirs === null) {
      session.unwritten = null;
      session.deadlineMs = Number.NEGATIVE_INFINITY;
      return;
    }
    session.unwritten = null;
    session.become(theirs);
    if (change === null) return;
    session.noteUnwritten(change);
    session.adopt(change, session.version + 1);
  }

  /** What is not written of `session`, as a change of `theirs`; null for nothing. */
  #rebased(session: LiveSession<V, I>, theirs: LiveSession<V, I>): Change<V, I> | null {
    const { hasValue, append } = session.unwritten!;
    const isMerged = hasValue && this.#options.merge !== undefined;
    if (!isMerged && append.length === 0) return null;
    const value = isMerged ? { of: this.merge(session.id, { theirs: theirs.value, mine: session.value }) } : undefined;
    return this.encode(theirs, { value, append: append.length > 0 ? append : undefined });
  }

  #touchOf(session: LiveSession<V, I>) {
    const usedAtMs = Math.round(this.#clock.nowMs());
    const expiresAtMs = Math.round(usedAtMs + session.deadlineMs - this.#clock.monotonicMs());
    return { usedAtMs, ttlMs: session.ttlMs, expiresAtMs };
  }

  #checkSize(id: string, bytes: number): void {
    if (bytes > this.#options.maxSessionBytes) this.#coder.refuseSize(id, bytes);
  }

  #noted(id: string, error: unknown): unknown {
    if (error instanceof SessionDamagedError) {
      this.counts.damaged++;
      const { message } = error.cause as Error;
      this.#tell({ type: 'sessions.damaged', session: sessionTag(id), message });
    }
    return error;
  }

  #mark(): Promise<string> {
    return this.#options.isShared ? this.#freshness.mark() : this.#freshness.own();
  }

  #tell(event: EventOf<SessionEvent>): void {
    this.#emit({ ...event, pool: this.#options.name, atMs: this.#clock.nowMs() });
  }
}

/** An event without what every event of a pool has. */
export type EventOf<E> = E extends SessionEvent ? Omit<E, 'pool' | 'atMs'> : never;

function itemsOf({ bytes, value }: { bytes: Uint8Array; value: readonly unknown[] }): StoredItems {
  return { form: 'plain', bytes, count: value.length };
}
