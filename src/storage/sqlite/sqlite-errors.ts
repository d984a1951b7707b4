/** SQLite's result codes (sqlite.org/rescode.html) as the errors of `storage-errors.ts`. */
import {
  StoreCannotOpenError,
  StoreCorruptError,
  StoreFullError,
  StoreIoError,
  StoreLockedError,
  StoreReadOnlyError,
} from '../storage-errors.ts';
import { BLOCKING_WAIT_MS } from './driver.ts';

const BUSY = 5;
const READ_ONLY = 8;
const IO = 10;
const CORRUPT = 11;
const FULL = 13;
const CANNOT_OPEN = 14;
const NOT_A_DATABASE = 26;
/** The shared-memory index could not be made longer: in practice always a full disk. */
const IO_SHARED_MEMORY_SIZE = 4874;

/** SQLite's own texts, for the package gives no code with an error met while reading many rows (1.2.1). */
const CODE_OF_TEXT: Readonly<Record<string, number>> = {
  'database is locked': BUSY,
  'disk I/O error': IO,
  'database disk image is malformed': CORRUPT,
  'database or disk is full': FULL,
  'file is not a database': NOT_A_DATABASE,
};

/** The extended result code of an error of SQLite, 0 for any other error. */
function resultCode(error: unknown): number {
  const { code, errcode, message } = (error ?? {}) as { code?: unknown; errcode?: unknown; message?: string };
  if (code !== 'ERR_SQLITE_ERROR') return 0;
  return typeof errcode === 'number' ? errcode : (CODE_OF_TEXT[message ?? ''] ?? 0);
}

/** True when another connection holds the lock. */
export function isBusy(error: unknown): boolean {
  return (resultCode(error) & 0xff) === BUSY;
}

/** Translates errors of the file and the disk; anything else, such as a broken constraint, comes back as it is. */
export function toStoreError(error: unknown, path: string): unknown {
  const code = resultCode(error);
  const about = { path, cause: error };
  if (code === IO_SHARED_MEMORY_SIZE) return new StoreFullError(about);
  switch (code & 0xff) {
    case BUSY:
      return new StoreLockedError({ ...about, waitedMs: BLOCKING_WAIT_MS });
    case READ_ONLY:
      return new StoreReadOnlyError(about);
    case IO:
      return new StoreIoError({ ...about, problem: `the disk answered "${(error as Error).message}".` });
    case CORRUPT:
    case NOT_A_DATABASE:
      return new StoreCorruptError(about);
    case FULL:
      return new StoreFullError(about);
    case CANNOT_OPEN:
      return new StoreCannotOpenError({
        ...about,
        problem: 'check that the path names a file in a folder you may use.',
      });
    default:
      return error;
  }
}
