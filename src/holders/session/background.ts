/**
 * What a pool does when nobody waits for it: writing, spilling, purging; and how a change is written, at once or later.
 *
 *   flush   every `flushMs` while there is something: changes that were only acknowledged in memory, and when sessions expire
 *   idle    when the least recently used session has been idle for `idleMs`: it leaves memory
 *   purge   every `purgeMs`: what has expired leaves the disk
 *   drop    when the budget asks: sessions leave memory, least recently used first; those of owners above their limits before all others
 *
 * The store may fail in each. Then nothing leaves memory that the disk does not have; it is counted, told once, and tried again.
 */
import { InvariantError } from '../../base/assert.ts';
import { nextTurn, type Timer } from '../../base/clock.ts';
import { messageOf, TenureError } from '../../base/errors.ts';
import type { ReclaimRequest } from '../../budget/consumer.ts';
import type { SessionWritten } from '../../storage/session-store.ts';
import { ClockWatch } from './clock-watch.ts';
import type { Lanes } from './lane.ts';
import type { Change, LiveSession } from './live-session.ts';
import type { LiveSessions } from './live-sessions.ts';
import type { EventOf, SessionDisk } from './session-disk.ts';
import { SessionsUnwrittenError } from './session-errors.ts';
import type { SessionEvent, SessionsWriteFailedEvent } from './session-events.ts';
import type { FilledOptions } from './session-options.ts';

/** Sessions written side by side: the store makes one transaction of them. */
const WRITTEN_AT_ONCE = 64;
const PURGED_AT_ONCE = 500;
/** What is idle and could not leave is tried again so often. */
const IDLE_RETRY_MS = 60_000;
/** Told of an error that has none: of a store that is not ours. */
const UNKNOWN_CODE = 'UNKNOWN';

/** What was thrown, wrapped: it may be anything. */
interface Failure {
  readonly error: unknown;
}

export interface BackgroundParts<V, I> {
  readonly options: FilledOptions<V>;
  readonly lanes: Lanes;
  readonly disk: SessionDisk<V, I>;
  readonly live: LiveSessions<V, I>;
}

export class SessionBackground<V, I> {
  readonly #parts: BackgroundParts<V, I>;
  readonly #dirty = new Set<LiveSession<V, I>>();
  readonly #running = new Set<Promise<void>>();
  readonly #purgeTimer: Timer;
  readonly #wallClock: ClockWatch;
  #flushTimer: Timer | null = null;
  #idleTimer: Timer | null = null;
  #writeFailures = 0;
  #purged = 0;
  #isClosed = false;

  constructor(parts: BackgroundParts<V, I>) {
    const { clock, purgeMs } = parts.options;
    this.#parts = parts;
    this.#wallClock = new ClockWatch(clock);
    this.#purgeTimer = clock.every(purgeMs, () => this.#run(() => this.#purge()));
  }

  /** Sessions with changes that the disk does not have. */
  get unwritten(): number {
    return this.#dirty.size;
  }

  get writeFailures(): number {
    return this.#writeFailures;
  }

  get purged(): number {
    return this.#purged;
  }

  /** Writes a change, or notes it to be written; for whoever stands in the session's lane. */
  async apply(session: LiveSession<V, I>, change: Change<V, I>, signal?: AbortSignal): Promise<SessionWritten> {
    const { options, disk } = this.#parts;
    if (options.durability === 'write-through' || !session.isKept) {
      const written = await disk.write(session, change, signal);
      if (written.isWritten) await this.fit(session);
      return written;
    }
    session.noteUnwritten(change);
    session.adopt(change, session.version + 1);
    this.#dirty.add(session);
    await this.fit(session);
    return { isWritten: true, version: session.version, storedBytes: session.bytesWith({}) };
  }

  /** Charges a session for what it has become; without room it leaves memory, once the disk has all of it. */
  async fit(session: LiveSession<V, I>): Promise<void> {
    const { live, disk } = this.#parts;
    if (!session.isKept || live.resize(session)) return;
    if (session.unwritten && (await this.#failureOf(() => disk.writeBack(session)))) return;
    this.#dirty.delete(session);
    live.spill(session);
  }

  /** Writes what the disk does not have of a session; false when that failed. */
  async write(session: LiveSession<V, I>): Promise<boolean> {
    return (await this.#write([session])) === null;
  }

  /** Its end as it is known now: what memory knew better than the disk goes to the disk, also when the wall clock was set. */
  noteEnd(session: LiveSession<V, I>): void {
    this.#parts.disk.noteEnd(session);
    this.arm();
  }

  forget(session: LiveSession<V, I>): void {
    this.#dirty.delete(session);
  }

  /** Sets the timers for what there is to do. */
  arm(): void {
    const { options, disk, live } = this.#parts;
    if (this.#isClosed) return;
    if (this.#flushTimer === null && this.#dirty.size + disk.touches.size > 0) {
      this.#flushTimer = options.clock.after(options.flushMs, () => {
        this.#flushTimer = null;
        this.#run(() => this.#flushQuietly());
      });
    }
    if (this.#idleTimer !== null) return;
    const nowMs = options.clock.monotonicMs();
    const dueMs = live.idle().size > 0 ? nowMs + Math.min(options.idleMs, IDLE_RETRY_MS) : live.nextIdleMs;
    if (dueMs === null) return;
    this.#idleTimer = options.clock.after(Math.max(0, dueMs - nowMs), () => {
      this.#idleTimer = null;
      this.#run(() => this.#spillIdle());
    });
  }

  /** Writes everything the disk does not have. @throws what the store throws */
  async flush(): Promise<void> {
    const failure = await this.#write([...this.#dirty]);
    if (failure) throw failure.error;
    await this.#parts.disk.touches.flush();
  }

  /** Gives bytes when the budget asks. What the disk has goes at once; a promise only where something must be written first. */
  drop({ targetBytes, kind, signal }: ReclaimRequest): void | Promise<void> {
    const { live } = this.#parts;
    const gone = { sessions: 0, bytes: 0 };
    const dirty = new Set<LiveSession<V, I>>();
    const take = (sessions: Iterable<LiveSession<V, I>>) => {
      for (const session of sessions) {
        if (gone.bytes >= targetBytes) return;
        if (!live.isFree(session)) continue;
        if (session.unwritten) dirty.add(session);
        else this.#spill(session, gone);
      }
    };
    take(live.overLimit());
    take(kind === 'idle' ? live.idle() : live.leastFirst());
    if (gone.bytes < targetBytes && dirty.size > 0)
      return this.#dropDirty({ dirty: [...dirty], targetBytes, gone, signal });
    this.#tellSpilled('pressure', gone);
  }

  /** @throws SessionsUnwrittenError */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#flushTimer?.cancel();
    this.#idleTimer?.cancel();
    this.#purgeTimer.cancel();
    await Promise.all(this.#running);
    const failure = await this.#write([...this.#dirty]);
    await this.#flushTouches();
    if (failure) throw new SessionsUnwrittenError({ sessions: this.#dirty.size, cause: failure.error });
  }

  async #dropDirty(drop: {
    dirty: readonly LiveSession<V, I>[];
    targetBytes: number;
    gone: { sessions: number; bytes: number };
    signal: AbortSignal;
  }): Promise<void> {
    const { dirty, targetBytes, gone, signal } = drop;
    for (let next = 0; next < dirty.length && gone.bytes < targetBytes && !signal.aborted; ) {
      const batch: LiveSession<V, I>[] = [];
      for (let bytes = gone.bytes; next < dirty.length && bytes < targetBytes && batch.length < WRITTEN_AT_ONCE; ) {
        const session = dirty[next++]!;
        batch.push(session);
        bytes += session.heapBytes;
      }
      const failure = await this.#write(batch);
      for (const session of batch) {
        if (this.#parts.live.isFree(session) && !session.unwritten) this.#spill(session, gone);
      }
      if (failure) {
        this.#tellFailure('changes', failure, batch.length);
        break;
      }
    }
    this.#tellSpilled('pressure', gone);
  }

  async #spillIdle(): Promise<void> {
    const { live, options } = this.#parts;
    const gone = { sessions: 0, bytes: 0 };
    const free = [...live.idle()].filter((session) => live.isFree(session));
    const failure = await this.#write(free.filter(({ unwritten }) => unwritten !== null));
    if (failure) this.#tellFailure('changes', failure, this.#dirty.size);
    for (const session of free) {
      if (!live.isFree(session) || session.unwritten || !live.idle().has(session)) continue;
      if (session.bytesWith({}) > (options.compressAboveBytes ?? Number.POSITIVE_INFINITY)) await this.#pack(session);
      if (live.isFree(session) && !session.unwritten && live.idle().has(session)) this.#spill(session, gone);
    }
    live.bytes.settle();
    this.#tellSpilled('idle', gone);
    this.arm();
  }

  async #pack(session: LiveSession<V, I>): Promise<void> {
    if (session.isPacked) return;
    const { lanes, disk } = this.#parts;
    const failure = await this.#failureOf(() => lanes.run(session.id, () => disk.pack(session)));
    if (failure) this.#tellFailure('packing', failure, 1);
  }

  #spill(session: LiveSession<V, I>, gone: { sessions: number; bytes: number }): void {
    gone.sessions++;
    gone.bytes += session.heapBytes;
    this.#parts.live.spill(session);
  }

  /** Each in its own lane, so many side by side; returns the first failure. */
  async #write(sessions: readonly LiveSession<V, I>[]): Promise<Failure | null> {
    const { lanes, disk } = this.#parts;
    let first: Failure | null = null;
    for (let start = 0; start < sessions.length; start += WRITTEN_AT_ONCE) {
      const failures = await Promise.all(
        sessions.slice(start, start + WRITTEN_AT_ONCE).map(async (session) => {
          const failure = await this.#failureOf(() => lanes.run(session.id, () => disk.writeBack(session)));
          if (session.unwritten === null) this.#dirty.delete(session);
          return failure;
        }),
      );
      first ??= failures.find((failure) => failure !== null) ?? null;
    }
    return first;
  }

  async #flushQuietly(): Promise<void> {
    const sessions = this.#dirty.size;
    const failure = await this.#write([...this.#dirty]);
    if (failure) this.#tellFailure('changes', failure, sessions);
    await this.#flushTouches();
    this.arm();
  }

  async #flushTouches(): Promise<void> {
    const { touches } = this.#parts.disk;
    const failure = await this.#failureOf(() => touches.flush());
    if (failure) this.#tellFailure('expiry', failure, touches.size);
  }

  async #purge(): Promise<void> {
    const { options, disk, live } = this.#parts;
    const { store, clock } = options;
    if (this.#wallClock.hasJumped()) {
      // Ends on the disk are of another time; those of live sessions are known, and for the others one more interval is allowed.
      for (const session of live.all()) disk.noteEnd(session);
      await this.#flushTouches();
      return;
    }
    await this.#flushTouches();
    let sessions = 0;
    const failure = await this.#failureOf(async () => {
      for (let removed = PURGED_AT_ONCE; removed === PURGED_AT_ONCE && !this.#isClosed; await nextTurn()) {
        removed = await store.removeExpired({ beforeMs: clock.nowMs(), limit: PURGED_AT_ONCE });
        sessions += removed;
        this.#purged += removed;
      }
    });
    if (sessions > 0) this.#tell({ type: 'sessions.purged', sessions });
    if (failure) this.#tellFailure('purge', failure, 0);
  }

  /** What `action` fails with, whatever a store of the user's own throws; a broken invariant goes on. */
  async #failureOf(action: () => Promise<unknown>): Promise<Failure | null> {
    try {
      await action();
      return null;
    } catch (error) {
      InvariantError.passOn(error);
      this.#writeFailures++;
      return { error };
    }
  }

  #run(work: () => Promise<void>): void {
    const running: Promise<void> = work().finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  #tellSpilled(cause: 'idle' | 'pressure', gone: { sessions: number; bytes: number }): void {
    if (gone.sessions > 0) this.#tell({ type: 'sessions.spilled', cause, ...gone });
  }

  #tellFailure(what: SessionsWriteFailedEvent['what'], failure: Failure, sessions: number): void {
    const { error } = failure;
    const code = error instanceof TenureError ? error.code : UNKNOWN_CODE;
    this.#tell({ type: 'sessions.write_failed', what, sessions, code, message: messageOf(error) });
  }

  #tell(event: EventOf<SessionEvent>): void {
    const { name, clock, emit } = this.#parts.options;
    emit({ ...event, pool: name, atMs: clock.nowMs() });
  }
}
