/**
 * One SQLite store, opened by this process.
 *
 * Promises: a write that resolved is on the disk; a read sees one snapshot, the writes of this process and those other
 * processes have committed; nothing here blocks the event loop for longer than one piece of work and a few milliseconds of
 * lock. One connection serves everything: work is synchronous, so pieces of it cannot overlap, and there is one page cache
 * to put under the budget. Other processes may open the same file.
 */
import { KIB, MIB, requireBytes } from '../../base/bytes.ts';
import type { Clock } from '../../base/clock.ts';
import { ClosedError } from '../../base/errors.ts';
import type { EventSink } from '../../base/events.ts';
import type { Random } from '../../base/random.ts';
import type { StoreIoError } from '../storage-errors.ts';
import type { StoreEvent } from '../storage-events.ts';
import { Checkpoints } from './checkpoints.ts';
import type { Connection } from './driver.ts';
import { freePages, giveBackSome, SPARE_PAGES } from './free-pages.ts';
import { leaveFiles } from './leave-files.ts';
import type { Migration } from './migrate.ts';
import { migrations } from './migrations.ts';
import { type OpenedFile, openFile, sizeOf } from './open-file.ts';
import type { OwnFiles } from './own-files.ts';
import { PreparedQueries } from './queries.ts';
import { toStoreError } from './sqlite-errors.ts';
import { adaptiveSync, type SyncFile } from './sync-file.ts';
import { Transactions, type Work } from './transactions.ts';
import { WalFile } from './wal-file.ts';
import { WriteQueue } from './write-queue.ts';

const DEFAULTS = { cacheBytes: 8 * MIB, lockTimeoutMs: 5000, migrations };

/** An event without what every event of this store has. */
type EventOf<E> = E extends StoreEvent ? Omit<E, 'path' | 'atMs'> : never;

export interface SqliteOptions {
  /** The file; it and its folder are created where missing, for this user only. */
  readonly path: string;
  readonly clock: Clock;
  /** Spreads the attempts to get a lock. */
  readonly random: Random;
  readonly onEvent: EventSink<StoreEvent>;
  /** Bound of the page cache, in bytes. 8 MB by default. */
  readonly cacheBytes?: number;
  /** How long a write or `open` waits for a lock of another process, in milliseconds. 5000 by default. */
  readonly lockTimeoutMs?: number;
  /** The schema; the one of this release by default. */
  readonly migrations?: readonly Migration[];
  /** Forces the log to the disk; `fdatasync` by default. */
  readonly syncFile?: SyncFile;
}

type FilledOptions = Required<SqliteOptions>;

export class SqliteDatabase implements AsyncDisposable {
  readonly path: string;
  readonly #options: FilledOptions;
  readonly #connection: Connection;
  readonly #files: OwnFiles;
  readonly #queries: PreparedQueries;
  readonly #transactions: Transactions;
  readonly #wal: WalFile;
  readonly #queue: WriteQueue;
  readonly #checkpoints: Checkpoints;
  #cacheBytes = 0;
  #closing: Promise<void> | undefined;

  private constructor({ path, connection, files }: OpenedFile, options: FilledOptions) {
    this.path = path;
    this.#options = options;
    this.#connection = connection;
    this.#files = files;
    this.#queries = new PreparedQueries(connection);
    this.#transactions = new Transactions(connection, this.#queries, path);
    this.setCacheBytes(options.cacheBytes);
    this.#wal = new WalFile(path, {
      sync: options.syncFile,
      files,
      onFailure: ({ code, message }) => this.#emit({ type: 'storage.failed', code, message }),
    });
    this.#queue = new WriteQueue({
      path,
      transactions: this.#transactions,
      wal: this.#wal,
      clock: options.clock,
      random: options.random,
      lockTimeoutMs: options.lockTimeoutMs,
      onLockWaited: (waitedMs) => this.#emit({ type: 'storage.lock_waited', waitedMs }),
      onSettled: () => this.#checkpoints.consider(),
    });
    this.#checkpoints = new Checkpoints({
      path,
      wal: this.#wal,
      isIdle: () => this.#queue.isIdle,
      run: () => this.#moveLog('PASSIVE'),
    });
  }

  /**
   * Opens or creates the store.
   *
   * @throws StoreReadOnlyError, StoreCannotOpenError, StoreFullError, StoreCorruptError, StoreNotTenureError, StoreTooNewError,
   * StoreMigrationChangedError, StoreLockedError; the file is left as it was.
   */
  static async open(options: SqliteOptions): Promise<SqliteDatabase> {
    const filled = { ...DEFAULTS, syncFile: adaptiveSync(options.clock), ...options };
    const opened = await openFile(filled);
    try {
      const database = new SqliteDatabase(opened, filled);
      database.#emit({ type: 'storage.opened', migrated: opened.migrated });
      return database;
    } catch (error) {
      opened.connection.close();
      throw toStoreError(error, opened.path);
    }
  }

  /**
   * Runs `work` in a transaction and resolves with its result when that is on the disk.
   *
   * `work` must be synchronous and repeatable: when the writes it was grouped with fail together it runs once more. If it
   * throws, its changes are undone and the promise rejects with what it threw. `signal` can withdraw a write that still waits.
   *
   * @throws StoreLockedError, StoreFullError, StoreIoError, StoreCorruptError, ClosedError
   */
  write<T>(work: Work<T>, options: { signal?: AbortSignal } = {}): Promise<T> {
    return this.#queue.write(work, options.signal);
  }

  /** Runs `work` on one snapshot and returns its result. Inside other work it shares that work's transaction. */
  read<T>(work: Work<T>): T {
    this.#requireOpen();
    return this.#transactions.read(work);
  }

  /** Why no write is acknowledged any more until the store is opened again; `undefined` while all is well. Reads may still work. */
  get failure(): StoreIoError | undefined {
    return this.#wal.failure;
  }

  /** Bytes on the disk: the file and its log. */
  sizeBytes(): number {
    return sizeOf(this.path) + sizeOf(`${this.path}-wal`);
  }

  /** What the page cache may grow to. */
  get cacheBytes(): number {
    return this.#cacheBytes;
  }

  /** Bounds the page cache; pages beyond the bound are dropped at once. */
  setCacheBytes(bytes: number): void {
    this.#requireOpen();
    this.#cacheBytes = requireBytes(bytes, 'cacheBytes');
    this.#connection.exec(`PRAGMA cache_size = -${Math.ceil(bytes / KIB)}`);
  }

  /**
   * Gives pages that removals freed back to the file system, but for 4 MB that the next writes will use. Done in slices, each a write of
   * its own; the file is shorter after the checkpoint that follows.
   *
   * @throws what `write` throws
   */
  async giveBackSpace(): Promise<void> {
    if (this.read(freePages) <= SPARE_PAGES) return;
    while (await this.write(giveBackSome));
  }

  /** Moves the log into the file and empties it; false when another process is reading or writing just now. */
  checkpoint(): boolean {
    this.#requireOpen();
    try {
      return this.#moveLog('TRUNCATE').busy === 0;
    } catch (error) {
      throw toStoreError(error, this.path);
    }
  }

  /** Settles what was asked for, then closes. Closing twice is harmless. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.#queue.close();
    await this.#checkpoints.close();
    await this.#wal.close();
    await leaveFiles(this.#connection, { path: this.path, files: this.#files });
    this.#emit({ type: 'storage.closed' });
  }

  #moveLog(mode: 'PASSIVE' | 'TRUNCATE'): { busy: number; log: number } {
    const failure = this.#wal.verify();
    if (failure) throw failure;
    return this.#connection.prepare(`PRAGMA wal_checkpoint(${mode})`).get();
  }

  #requireOpen(): void {
    if (this.#closing) throw new ClosedError('The store');
  }

  #emit(event: EventOf<StoreEvent>): void {
    this.#options.onEvent({ ...event, path: this.path, atMs: this.#options.clock.nowMs() });
  }
}
