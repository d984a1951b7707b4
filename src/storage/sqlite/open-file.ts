/**
 * Opens the file of a store: makes it where it is missing, refuses what is not ours before changing anything, sets the
 * connection up and brings the schema up to date. Why each setting is so: docs/decisions/004-durability.md.
 */
import { accessSync, closeSync, constants, fsyncSync, mkdirSync, openSync, realpathSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { MIB } from '../../base/bytes.ts';
import type { Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { Random } from '../../base/random.ts';
import { StoreCannotOpenError, StoreCorruptError, StoreFullError, StoreReadOnlyError } from '../storage-errors.ts';
import { BLOCKING_WAIT_MS, type Connection, loadDriver } from './driver.ts';
import { untilUnlocked } from './lock-patience.ts';
import { inspect, type Migration, migrate } from './migrate.ts';
import { identityOf, OwnFiles } from './own-files.ts';
import { toStoreError } from './sqlite-errors.ts';

/** What a burst of writes may leave of the log once it has been moved into the file. */
const LOG_LIMIT_BYTES = 16 * MIB;

export interface OpenFileOptions {
  readonly path: string;
  readonly migrations: readonly Migration[];
  readonly clock: Clock;
  readonly random: Random;
  readonly lockTimeoutMs: number;
}

export interface OpenedFile {
  readonly connection: Connection;
  /** Absolute and free of links, as SQLite names the log beside it. */
  readonly path: string;
  /** What the paths lead to, to be compared later. */
  readonly files: OwnFiles;
  /** Migrations applied just now. */
  readonly migrated: number;
}

/** Every error is a `StoreError`. */
export async function openFile(options: OpenFileOptions): Promise<OpenedFile> {
  const { migrations, clock } = options;
  const { DatabaseSync } = await loadDriver();
  const path = prepareFile(resolve(options.path));
  const identity = identityOf(path);
  let connection: Connection | undefined;
  try {
    const opened = new DatabaseSync(path, {
      timeout: BLOCKING_WAIT_MS,
      enableForeignKeyConstraints: true,
      defensive: true,
    });
    connection = opened;
    const patience = { path, clock, random: options.random, timeoutMs: options.lockTimeoutMs };
    await untilUnlocked(() => setUp(opened, migrations, path), patience);
    const migrated = await untilUnlocked(() => migrate(opened, migrations, { path, nowMs: clock.nowMs() }), patience);
    if (identityOf(path) !== identity) {
      throw new StoreCannotOpenError({ path, problem: 'it was replaced while it was being opened; try again.' });
    }
    return { connection, path, files: new OwnFiles(path), migrated };
  } catch (error) {
    connection?.close();
    throw toStoreError(error, path);
  }
}

function setUp(connection: Connection, migrations: readonly Migration[], path: string): void {
  const isEmpty = inspect(connection, migrations, path) === 'empty';
  requireWhole(connection, path);
  if (isEmpty) connection.exec('PRAGMA auto_vacuum = INCREMENTAL');
  const { journal_mode: mode } = connection.prepare('PRAGMA journal_mode = WAL').get();
  if (mode !== 'wal') {
    throw new StoreCannotOpenError({ path, problem: 'its file system has no shared memory; use a local disk.' });
  }
  connection.exec(`
    PRAGMA synchronous = NORMAL;
    PRAGMA wal_autocheckpoint = 0;
    PRAGMA checkpoint_fullfsync = ON;
    PRAGMA journal_size_limit = ${LOG_LIMIT_BYTES};
    PRAGMA secure_delete = ON;
    PRAGMA trusted_schema = OFF;
  `);
}

/** SQLite reads a torn last page as zeros. Unless a log can still fill it, that is a file somebody cut off. */
function requireWhole(connection: Connection, path: string): void {
  const { page_count: pages } = connection.prepare('PRAGMA page_count').get();
  const { page_size: pageBytes } = connection.prepare('PRAGMA page_size').get();
  if (sizeOf(path) < pages * pageBytes && sizeOf(`${path}-wal`) === 0) throw new StoreCorruptError({ path });
}

/** Size of a file in bytes; 0 when there is none. Never opens it: see `wal-file.ts` on locks. */
export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** Creates the folder (0700) and the file (0600) where missing, durably, and checks that both can be written. Returns the real path. */
function prepareFile(path: string): string {
  const folder = dirname(path);
  try {
    const firstMade = makeFolders(folder);
    requireNoLooseLog(path);
    try {
      closeSync(openSync(path, 'wx', 0o600));
      syncFolders(folder, firstMade);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    accessSync(path, constants.R_OK | constants.W_OK);
    const realPath = realpathSync(path);
    accessSync(dirname(realPath), constants.W_OK | constants.X_OK);
    return realPath;
  } catch (cause) {
    throw fromSystemError(cause, path);
  }
}

/**
 * Makes a folder and those missing above it, one by one: Node's recursive mkdir never ends where a file system answers that a folder
 * it shall make does not exist, as /proc does. Returns the topmost it has made.
 */
function makeFolders(folder: string): string | undefined {
  const missing: string[] = [];
  for (let current = folder; !statSync(current, { throwIfNoEntry: false }); current = dirname(current)) {
    missing.push(current);
    if (current === dirname(current)) break;
  }
  for (const current of missing.toReversed()) {
    try {
      mkdirSync(current, { mode: 0o700 });
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
  }
  return missing.at(-1);
}

/**
 * SQLite would remove the log beside a missing or empty file and share the index, though both may belong to a store that was moved away
 * under an open process, and hold its last writes. Logs are looked for first: who makes a file makes them later.
 */
function requireNoLooseLog(path: string): void {
  const loose = ['-wal', '-shm'].map((suffix) => `${path}${suffix}`).filter((log) => identityOf(log) !== null);
  if (loose.length === 0 || sizeOf(path) > 0) return;
  const problem = `the store is gone, and ${loose.join(' and ')} may hold its last writes. Put it back, or move these away as well.`;
  throw new StoreCannotOpenError({ path, problem });
}

/** Makes the new names in `folder`, and in those above it that were made with it, survive a power cut. */
function syncFolders(folder: string, firstMade: string | undefined): void {
  if (process.platform === 'win32') return;
  const last = firstMade === undefined ? folder : dirname(firstMade);
  for (let current = folder; ; current = dirname(current)) {
    const descriptor = openSync(current, 'r');
    try {
      fsyncSync(descriptor);
    } catch {
      // Some network and container file systems cannot; SQLite passes over it too.
    } finally {
      closeSync(descriptor);
    }
    if (current === last || current === dirname(current)) return;
  }
}

function fromSystemError(cause: unknown, path: string): unknown {
  if (cause instanceof StoreCannotOpenError) return cause;
  switch (codeOf(cause)) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new StoreReadOnlyError({ path, cause });
    case 'ENOSPC':
    case 'EDQUOT':
      return new StoreFullError({ path, cause });
    default:
      return new StoreCannotOpenError({ path, cause, problem: `${messageOf(cause)}.` });
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
