/**
 * SQLite's result codes (sqlite.org/rescode.html) as the errors of `storage-errors.ts`.
 *
 * Every one of them becomes a `StoreError`, whatever it is: who works in the background tells operating errors from broken
 * invariants by their class, and an error of the database, however rare, is none of Tenure's invariants.
 */
import {
  StoreCannotOpenError,
  StoreCorruptError,
  StoreFailedError,
  StoreFullError,
  StoreIoError,
  StoreLockedError,
  StoreReadOnlyError,
} from '../storage-errors.ts';
import { BLOCKING_WAIT_MS } from './driver.ts';

const PERMISSION = 3;
const BUSY = 5;
const OUT_OF_MEMORY = 7;
const READ_ONLY = 8;
const INTERRUPTED = 9;
const IO = 10;
const CORRUPT = 11;
const FULL = 13;
const CANNOT_OPEN = 14;
/** Too many processes raced for the log's locks: SQLite has tried for some seconds and gives up. */
const PROTOCOL = 15;
const TOO_BIG = 18;
const NOT_A_DATABASE = 26;
/** Filed under I/O errors, though no disk has failed. */
const IO_OUT_OF_MEMORY = 3082;
/** The shared-memory index could not be made longer: in practice always a full disk. */
const IO_SHARED_MEMORY_SIZE = 4874;

/** SQLite's own texts, for the package gives no code with an error met while reading many rows (1.2.1). */
const CODE_OF_TEXT: Readonly<Record<string, number>> = {
  'access permission denied': PERMISSION,
  'database is locked': BUSY,
  'out of memory': OUT_OF_MEMORY,
  'attempt to write a readonly database': READ_ONLY,
  interrupted: INTERRUPTED,
  'disk I/O error': IO,
  'database disk image is malformed': CORRUPT,
  'database or disk is full': FULL,
  'unable to open database file': CANNOT_OPEN,
  'locking protocol': PROTOCOL,
  'string or blob too big': TOO_BIG,
  'file is not a database': NOT_A_DATABASE,
};

/** A row holds what was never written there. Only ever thrown within a transaction, which knows the file and makes it `STORE_CORRUPT`. */
export class DamagedRowError extends Error {
  override readonly name = 'DamagedRowError';
  constructor(problem: string, cause?: unknown) {
    super(problem, { cause });
  }
}

/** The extended result code of an error of SQLite, `undefined` where it gave none; `null` for any other error. */
function resultCode(error: unknown): number | undefined | null {
  const { code, errcode, message } = (error ?? {}) as { code?: unknown; errcode?: unknown; message?: string };
  if (code !== 'ERR_SQLITE_ERROR') return null;
  return typeof errcode === 'number' ? errcode : CODE_OF_TEXT[message ?? ''];
}

/** True when another connection holds the lock. */
export function isBusy(error: unknown): boolean {
  const code = (resultCode(error) ?? 0) & 0xff;
  return code === BUSY || code === PROTOCOL;
}

/** Translates every error of SQLite; what is no error of SQLite comes back as it is. */
export function toStoreError(error: unknown, path: string): unknown {
  if (error instanceof DamagedRowError) return new StoreCorruptError({ path, cause: error });
  const code = resultCode(error);
  if (code === null) return error;
  const about = { path, cause: error };
  const failed = () => new StoreFailedError({ ...about, problem: (error as Error).message, resultCode: code ?? null });
  if (code === IO_SHARED_MEMORY_SIZE) return new StoreFullError(about);
  if (code === IO_OUT_OF_MEMORY) return failed();
  switch ((code ?? 0) & 0xff) {
    case BUSY:
    case PROTOCOL:
      return new StoreLockedError({ ...about, waitedMs: BLOCKING_WAIT_MS });
    case PERMISSION:
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
      return failed();
  }
}
