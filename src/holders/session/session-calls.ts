/** What calls of a session pool take. */
import type { Session } from './session.ts';

/** Ends a wait; what has begun to be written is written. */
export interface SessionWaiting {
  readonly signal?: AbortSignal | undefined;
}

/** What a new session is given. */
export interface CreateOptions<I> extends SessionWaiting {
  /** 1 to 256 characters; by default a random one that cannot be guessed. */
  readonly id?: string | undefined;
  readonly owner?: string | null | undefined;
  /** Instead of the pool's, in milliseconds. */
  readonly ttlMs?: number | undefined;
  readonly items?: readonly I[] | undefined;
}

/** How items are added to a session that is not read. */
export interface RecordOptions<V, I> extends Omit<CreateOptions<I>, 'id' | 'items'> {
  /** Makes the session when there is none. */
  readonly initial?: V | undefined;
}

/** How a session is changed. */
export interface ChangeOptions extends SessionWaiting {
  /** The version the change was made from; it is refused, or merged, when another is there by now. */
  readonly version?: number | undefined;
  /** From now on, in milliseconds. */
  readonly ttlMs?: number | undefined;
  /** Of all items only the last so many stay. */
  readonly keepLast?: number | undefined;
}

/**
 * Makes the next value of the present one, which is frozen. May be called again when another process was first. Must not change the same
 * session itself: that change would wait for this one, until `updateTimeoutMs` ends both.
 */
export type SessionUpdate<V, I> = (value: V, session: Session<V, I>) => V | Promise<V>;

/** The calls by which a session is changed. */
export interface SessionChanges<V, I> {
  update(id: string, change: V | SessionUpdate<V, I>, options?: ChangeOptions): Promise<Session<V, I>>;
  append(id: string, items: readonly I[], options?: ChangeOptions): Promise<Session<V, I>>;
  destroy(id: string, options?: SessionWaiting): Promise<boolean>;
}
