/**
 * The port behind which sessions are durable (HOLD-5).
 *
 * A session is a value and a list of items behind it: the state, and what was appended to it, a chat history say. The value is replaced
 * as a whole; items are only added at the end and dropped at the beginning, so a turn of a long conversation writes that turn and not the
 * conversation. The store keeps bytes and does not look into them.
 *
 * **Versions.** Whoever writes names the version he has read and the one he makes, and the store compares and sets in one transaction,
 * for all processes: of two that read the same version one is refused. Only `touch` and `pack` leave the version, for they change
 * nothing that a reader sees. A new session begins above every version that a removed one of the pool had, so a version read from a
 * session is never met again in one that was made later under the same id. `append` makes the next version of whichever is there: an
 * item at the end is right whatever stands before it.
 *
 * **Time.** Expiry is wall time, for it must survive the process. What has expired is not read and not listed, and its id may be taken
 * again; the row stays until `removeExpired`. `write` and `versionOf` do not look at it: who holds the session in memory knows better.
 *
 * Promises: `create`, `write`, `append`, `touch`, `rename`, `remove` resolve only when the change is durable; what another process wrote is seen by
 * the next call.
 */

/** How bytes are kept: as they were handed in, or deflated (RFC 1950). */
export type StoredForm = 'plain' | 'deflate';

export interface StoredBytes {
  readonly form: StoredForm;
  readonly bytes: Uint8Array;
}

/** Items that were written together. */
export interface StoredItems extends StoredBytes {
  readonly count: number;
}

/** What is known of a session without reading it. */
export interface SessionRecord {
  readonly id: string;
  /** A tenant, a user, an agent; whoever is charged for it. */
  readonly owner: string | null;
  /** Larger by one with every write. */
  readonly version: number;
  /** Value and items as they are kept. */
  readonly storedBytes: number;
  readonly itemCount: number;
  readonly createdAtMs: number;
  /** Last write or touch that reached the disk. */
  readonly usedAtMs: number;
  /** How long it is kept after its last use. */
  readonly ttlMs: number;
  readonly expiresAtMs: number;
}

export interface StoredSession extends SessionRecord {
  readonly value: StoredBytes;
  /** In order; the first `droppedItems` of the first chunk do not count any more. */
  readonly items: readonly StoredItems[];
  readonly droppedItems: number;
}

export interface NewSession {
  readonly id: string;
  readonly owner: string | null;
  readonly value: StoredBytes;
  readonly items: StoredItems | null;
  readonly nowMs: number;
  readonly ttlMs: number;
}

/** One change of one session; what is left out stays as it is. */
export interface SessionWrite {
  readonly id: string;
  /** The version it was made from. */
  readonly fromVersion: number;
  /** The version it makes; larger. */
  readonly version: number;
  readonly value?: StoredBytes | undefined;
  readonly append?: StoredItems | undefined;
  /** Of all items only the last so many stay. */
  readonly keepLast?: number | undefined;
  /** The new expiry. Left out where it has hardly moved: an index that is not touched is not written. */
  readonly touch?: Omit<SessionTouch, 'id'> | undefined;
}

/** Items for the end of a session, whatever is in it. */
export interface SessionAppend {
  readonly id: string;
  readonly items: StoredItems;
  readonly nowMs: number;
  /** Its life begins anew; written where that moves its end by a hundredth of its life, for an index that is not touched is not written. */
  readonly isRolling: boolean;
  /** The most the session may take as it is kept. */
  readonly maxBytes: number;
}

/** Added; or not, and what the session would have taken: null for none, or one that has expired. */
export type SessionAppended =
  | { readonly isWritten: true; readonly version: number; readonly storedBytes: number }
  | { readonly isWritten: false; readonly storedBytes: number | null };

export interface SessionTouch {
  readonly id: string;
  readonly usedAtMs: number;
  readonly ttlMs: number;
  readonly expiresAtMs: number;
}

/** Written; or not, and the version that is there instead: null for none. */
export type SessionWritten =
  | { readonly isWritten: true; readonly version: number; readonly storedBytes: number }
  | { readonly isWritten: false; readonly version: number | null };

export interface SessionPage {
  readonly sessions: readonly SessionRecord[];
  /** Where the next page begins; null after the last. */
  readonly next: number | null;
}

export interface SessionTotals {
  readonly sessions: number;
  /** As they are kept. */
  readonly bytes: number;
}

/** Sessions of one pool. */
export interface SessionStore {
  /** The session with everything in it; null for none, or one that has expired. */
  read(id: string, nowMs: number): Promise<StoredSession | null>;
  /** The session without its value, and of its items the chunks that hold the last `count`; null as for `read`. */
  readLast(of: { id: string; count: number; nowMs: number }): Promise<Omit<StoredSession, 'value'> | null>;
  /** The version that is there, expired or not; null for none. */
  versionOf(id: string): Promise<number | null>;
  /**
   * A number that differs from the one before whenever another process may have changed something since. So whoever holds copies asks
   * one cheap question for all of them.
   */
  changeMark(): Promise<number>;
  /** Refused when the id is taken by a session that has not expired. `signal` withdraws it while it still waits, as with `write`. */
  create(session: NewSession, signal?: AbortSignal): Promise<SessionWritten>;
  write(write: SessionWrite, signal?: AbortSignal): Promise<SessionWritten>;
  /** Adds items at the end and reads nothing of the session. `signal` as with `write`. */
  append(added: SessionAppend, signal?: AbortSignal): Promise<SessionAppended>;
  /** Sets when sessions expire, all in one transaction. Unknown ids are passed over. */
  touch(touches: readonly SessionTouch[]): Promise<void>;
  /** Gives a session another id, under which it goes on with the next version; refused like a write, or when the new id is taken. */
  rename(change: { id: string; newId: string; fromVersion: number; nowMs: number }): Promise<SessionWritten>;
  /** Replaces what is kept by the same in another form; false when the version is not that one any more. */
  pack(packed: { id: string; version: number; value: StoredBytes; items: StoredItems | null }): Promise<boolean>;
  /** False when there is none. */
  remove(id: string): Promise<boolean>;
  /** Removes every session of the pool. */
  clear(): Promise<number>;
  /** Removes at most `limit` of those that expired before `beforeMs`, whichever expired first. */
  removeExpired(options: { beforeMs: number; limit: number }): Promise<number>;
  /** A page of those that have not expired, oldest first. */
  list(options: { owner?: string | undefined; from: number; limit: number; nowMs: number }): Promise<SessionPage>;
  /** Takes the same short time however much is kept; counts those that expired and are not removed yet. */
  totals(): Promise<SessionTotals>;
}
