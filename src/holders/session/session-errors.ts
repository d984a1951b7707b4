/**
 * How sessions say no.
 *
 * An id of a session is as good as its owner's password, and messages end in logs. So none is ever shown: a tag stands for it, the same for
 * the same id, from which the id cannot be found again.
 */
import { createHash } from 'node:crypto';
import { formatBytes } from '../../base/bytes.ts';
import { TenureError } from '../../base/errors.ts';

/** Stands for a session's id in messages and events: 8 hexadecimal digits of its SHA-256. */
export function sessionTag(id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, 8);
}

/** Base of what concerns one session; `tag` stands for its id. */
class SessionError extends TenureError {
  override readonly name: string = 'SessionError';
  readonly tag: string;

  constructor(
    code: string,
    message: string,
    options: { id: string; details?: TenureError['details']; cause?: unknown },
  ) {
    const tag = sessionTag(options.id);
    super(code, `Session ${tag}…: ${message}`, { details: { session: tag, ...options.details }, cause: options.cause });
    this.tag = tag;
  }
}

/** Somebody wrote the session in between. Code `SESSION_CONFLICT`. */
export class SessionConflictError extends SessionError {
  override readonly name = 'SessionConflictError';
  /** The version the write was made from; null for a session that was to be new. */
  readonly expectedVersion: number | null;
  /** The version that is there; null when the session is gone. */
  readonly actualVersion: number | null;

  constructor(options: { id: string; expectedVersion: number | null; actualVersion: number | null }) {
    const { expectedVersion, actualVersion } = options;
    const made = expectedVersion === null ? 'is to be new' : `was changed from version ${expectedVersion}`;
    const there = actualVersion === null ? 'is gone' : `is at version ${actualVersion}`;
    super(
      'SESSION_CONFLICT',
      `it ${made}, but ${there}. Nothing was written; read it again and repeat the change, change it by a function, or give the pool a merge.`,
      { ...options, details: { expectedVersion, actualVersion } },
    );
    this.expectedVersion = expectedVersion;
    this.actualVersion = actualVersion;
  }
}

/** There is no such session: never made, destroyed, or expired. Code `SESSION_NOT_FOUND`. */
export class SessionNotFoundError extends SessionError {
  override readonly name = 'SessionNotFoundError';
  constructor(options: { id: string }) {
    super(
      'SESSION_NOT_FOUND',
      'there is none: never made, destroyed, or expired. Make a new one with create().',
      options,
    );
  }
}

/** A session would become larger than one may be. Code `SESSION_TOO_LARGE`. */
export class SessionTooLargeError extends SessionError {
  override readonly name = 'SessionTooLargeError';
  readonly bytes: number;
  readonly limitBytes: number;

  constructor(options: { id: string; bytes: number; limitBytes: number }) {
    const { bytes, limitBytes } = options;
    super(
      'SESSION_TOO_LARGE',
      `it would take ${formatBytes(bytes)} encoded, ${formatBytes(limitBytes)} are allowed. Nothing was written; keep fewer items ` +
        '(keepLast), or raise maxSessionBytes.',
      { ...options, details: { bytes, limitBytes } },
    );
    this.bytes = bytes;
    this.limitBytes = limitBytes;
  }
}

/** A value that would not come back as it is. Code `SESSION_VALUE`. */
export class SessionValueError extends TenureError {
  override readonly name = 'SessionValueError';
  /** Where in the value, such as `value.cart[2].price`. */
  readonly path: string;

  constructor(options: { path: string; problem: string; cause?: unknown }) {
    const { path, problem, cause } = options;
    super(
      'SESSION_VALUE',
      `${path} ${problem}. A session is kept as JSON: store what JSON has (text, finite numbers, booleans, null, lists, records), or ` +
        'give the pool a codec.',
      { details: { path }, cause },
    );
    this.path = path;
  }
}

/** The codec failed while a session was written; nothing was. Code `SESSION_CODEC`. */
export class SessionCodecError extends SessionError {
  override readonly name = 'SessionCodecError';
  constructor(options: { id: string; problem: string; cause?: unknown }) {
    super(
      'SESSION_CODEC',
      `the codec ${options.problem}. Nothing was written; encode() must return a Uint8Array that decode() takes.`,
      options,
    );
  }
}

/** The pool's `merge` threw. Code `SESSION_MERGE`. */
export class SessionMergeError extends SessionError {
  override readonly name = 'SessionMergeError';
  constructor(options: { id: string; cause: unknown }) {
    super(
      'SESSION_MERGE',
      'merge() threw, so the two values stay two. Nothing was written; mend merge(), then repeat the change.',
      options,
    );
  }
}

/** What is kept of a session cannot be read. Code `SESSION_DAMAGED`. */
export class SessionDamagedError extends SessionError {
  override readonly name = 'SessionDamagedError';
  constructor(options: { id: string; cause: unknown }) {
    super(
      'SESSION_DAMAGED',
      'what is kept of it cannot be decoded: the file is damaged, or it was written with another codec. Other sessions are fine; ' +
        'destroy() removes this one.',
      options,
    );
  }
}

/** Too many wait for one session. Code `SESSION_BUSY`. */
export class SessionBusyError extends SessionError {
  override readonly name = 'SessionBusyError';
  constructor(options: { id: string; waiting: number }) {
    super(
      'SESSION_BUSY',
      `${options.waiting} changes of it wait already. Nothing was written; try again later, or raise maxWaiting.`,
      { ...options, details: { waiting: options.waiting } },
    );
  }
}

/** A pool that writes back closed, and the store did not take everything. Code `SESSIONS_UNWRITTEN`. */
export class SessionsUnwrittenError extends TenureError {
  override readonly name = 'SessionsUnwrittenError';
  readonly sessions: number;

  constructor(options: { sessions: number; cause: unknown }) {
    super(
      'SESSIONS_UNWRITTEN',
      `The store took no more writes while the pool closed: the last changes of ${options.sessions} sessions are lost. Mend the ` +
        'store; with write-through nothing is ever acknowledged before it is durable.',
      { details: { sessions: options.sessions }, cause: options.cause },
    );
    this.sessions = options.sessions;
  }
}
