/**
 * What can go wrong with a store, and what to do about it.
 *
 * Adapters translate their driver's errors into these; a caller never has to know which database answered. None of them
 * leaves a write half done: the write that was refused is not there, the ones acknowledged before are.
 */
import { type ErrorDetails, TenureError } from '../base/errors.ts';

/** Base of every error of a store. `details.path` names the file or server. */
export class StoreError extends TenureError {
  override readonly name: string = 'StoreError';
  readonly path: string;

  constructor(
    code: string,
    message: string,
    options: { path: string; details?: ErrorDetails | undefined; cause?: unknown },
  ) {
    super(code, message, { details: { path: options.path, ...options.details }, cause: options.cause });
    this.path = options.path;
  }
}

interface About {
  readonly path: string;
  readonly cause?: unknown;
}

/** Another process kept the write lock for longer than we wait. Code `STORE_LOCKED`. */
export class StoreLockedError extends StoreError {
  override readonly name = 'StoreLockedError';
  constructor(about: About & { waitedMs: number }) {
    super(
      'STORE_LOCKED',
      `${about.path} was locked by another process for ${Math.round(about.waitedMs)} ms. Nothing was written; try again, ` +
        'or end the process that holds the lock (a database browser with an open edit, a backup).',
      { ...about, details: { waitedMs: Math.round(about.waitedMs) } },
    );
  }
}

/** The file was written by a newer Tenure. Code `STORE_TOO_NEW`. */
export class StoreTooNewError extends StoreError {
  override readonly name = 'StoreTooNewError';
  constructor(about: About & { found: number; supported: number }) {
    super(
      'STORE_TOO_NEW',
      `${about.path} was written by a newer Tenure (schema ${about.found}; this one knows ${about.supported}). ` +
        'Upgrade Tenure, or open another store; nothing was changed.',
      { ...about, details: { found: about.found, supported: about.supported } },
    );
  }
}

/** A migration that the file has applied is not the one this build holds. Code `STORE_MIGRATION_CHANGED`. */
export class StoreMigrationChangedError extends StoreError {
  override readonly name = 'StoreMigrationChangedError';
  constructor(about: About & { migration: string }) {
    super(
      'STORE_MIGRATION_CHANGED',
      `${about.path} was built by another text of migration ${about.migration}. Open it with the release that wrote it; ` +
        'nothing was changed.',
      { ...about, details: { migration: about.migration } },
    );
  }
}

/** A valid SQLite file of some other program. Code `STORE_NOT_TENURE`. */
export class StoreNotTenureError extends StoreError {
  override readonly name = 'StoreNotTenureError';
  constructor(about: About) {
    super(
      'STORE_NOT_TENURE',
      `${about.path} belongs to another program. Choose another path; nothing was changed.`,
      about,
    );
  }
}

/** Not a database, or a damaged one. Code `STORE_CORRUPT`. */
export class StoreCorruptError extends StoreError {
  override readonly name = 'StoreCorruptError';
  constructor(about: About) {
    super(
      'STORE_CORRUPT',
      `${about.path} is damaged or is not a database. Restore it from a backup, or move it away to start an empty store.`,
      about,
    );
  }
}

/** The file, its folder or its file system cannot be written. Code `STORE_READ_ONLY`. */
export class StoreReadOnlyError extends StoreError {
  override readonly name = 'StoreReadOnlyError';
  constructor(about: About) {
    super(
      'STORE_READ_ONLY',
      `${about.path} cannot be written by this user. Give the process write access to the file and to its folder ` +
        '(the log files stand beside the store), or choose another path.',
      about,
    );
  }
}

/** No space left. Code `STORE_FULL`. */
export class StoreFullError extends StoreError {
  override readonly name = 'StoreFullError';
  constructor(about: About) {
    super(
      'STORE_FULL',
      `No space left for ${about.path}. Nothing of this write was kept; free some space and try again, no restart is needed.`,
      about,
    );
  }
}

/** The file cannot be opened at all. Code `STORE_CANNOT_OPEN`. */
export class StoreCannotOpenError extends StoreError {
  override readonly name = 'StoreCannotOpenError';
  constructor(about: About & { problem: string }) {
    super('STORE_CANNOT_OPEN', `${about.path} cannot be opened: ${about.problem}`, about);
  }
}

/** The disk failed. Whether the write survives is unknown, so it was not acknowledged. Code `STORE_IO`. */
export class StoreIoError extends StoreError {
  override readonly name = 'StoreIoError';
  constructor(about: About & { problem: string }) {
    super(
      'STORE_IO',
      `${about.path}: ${about.problem} Whether the last writes survive is unknown and they were not acknowledged; check ` +
        'the disk, then open the store again.',
      about,
    );
  }
}

/** The database refused for a reason without a class of its own. Code `STORE_FAILED`. */
export class StoreFailedError extends StoreError {
  override readonly name = 'StoreFailedError';
  constructor(about: About & { problem: string; resultCode: number | null }) {
    super(
      'STORE_FAILED',
      `${about.path}: the database answered "${about.problem}". Nothing of this write was kept. Try again; if it stays so, ` +
        'report it with the result code in the details.',
      { ...about, details: { resultCode: about.resultCode } },
    );
  }
}
