/**
 * Makes commits durable: forces the write-ahead log to the disk, as a rule without blocking (`sync-file.ts`).
 *
 * With `synchronous=NORMAL` SQLite appends commits to the log and leaves syncing them to others. `durable()` resolves after a
 * sync that *started* after the call, so every commit made before the call is on the disk. Calls made while a sync is under
 * way share the next one.
 *
 * After a failed sync the kernel may have dropped the pages and report success the next time (the "fsyncgate" of 2018,
 * wiki.postgresql.org/wiki/Fsync_Errors), so the first failure is final. So is the loss of a file: what was synced into a file that
 * was removed, renamed or replaced meanwhile will not be found again (`own-files.ts`).
 *
 * How full the log is stands nowhere in it: a log that begins anew is written over from its start and keeps its size. But every
 * frame carries the salt of its filling, which stands in the header too (sqlite.org/fileformat2.html §4.1), so one look at a place
 * tells whether the log has come so far.
 *
 * The descriptor is opened once: the log lives as long as a connection does. SQLite takes no POSIX lock on it, so closing
 * the descriptor cannot drop one (sqlite.org/howtocorrupt.html §2.2). The database file must never be opened this way.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { messageOf } from '../../base/errors.ts';
import { StoreIoError } from '../storage-errors.ts';
import type { OwnFiles } from './own-files.ts';
import type { SyncFile } from './sync-file.ts';

/** Bytes of the log's header, and of the one before each page. */
const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
/** Where they hold the salt, eight bytes of it, and where the header holds the size of a page. */
const SALT_IN_HEADER = 16;
const SALT_IN_FRAME = 8;
const PAGE_BYTES_IN_HEADER = 8;

export interface WalFileOptions {
  readonly sync: SyncFile;
  readonly files: Pick<OwnFiles, 'loss'>;
  readonly onFailure: (error: StoreIoError) => void;
}

interface Waiter {
  readonly isAlone: boolean;
  readonly resolve: () => void;
  readonly reject: (error: StoreIoError) => void;
}

export class WalFile {
  readonly #path: string;
  readonly #descriptor: number;
  readonly #options: WalFileOptions;
  #waiters: Waiter[] = [];
  #syncing: Promise<void> | undefined;
  #failure: StoreIoError | undefined;

  constructor(storePath: string, options: WalFileOptions) {
    this.#path = storePath;
    this.#descriptor = openSync(`${storePath}-wal`, 'r+');
    this.#options = options;
  }

  get failure(): StoreIoError | undefined {
    return this.#failure;
  }

  /** Ends the store's promises: nothing is acknowledged from now on. The first failure stands; it is returned. */
  fail(problem: string, cause?: unknown): StoreIoError {
    if (this.#failure) return this.#failure;
    this.#failure = new StoreIoError({ path: this.#path, problem, cause });
    this.#options.onFailure(this.#failure);
    return this.#failure;
  }

  /** Looks whether the files are still ours, and ends the store's promises if not; returns why they ended, if they have. */
  verify(): StoreIoError | undefined {
    if (this.#failure) return this.#failure;
    try {
      const loss = this.#options.files.loss();
      return loss === null ? undefined : this.fail(loss);
    } catch (cause) {
      return this.fail(`its files could not be looked at: ${messageOf(cause)}.`, cause);
    }
  }

  /**
   * Resolves when everything committed before the call is on the disk. `isAlone`: one write waits for it, and none behind it.
   *
   * @throws StoreIoError when that cannot be had, now or ever again.
   */
  durable({ isAlone = false } = {}): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiters.push({ isAlone, resolve, reject });
      this.#syncing ??= this.#syncAll();
    });
  }

  /** Tells one filling of the log from the next; `null` while nothing was written to it. */
  filling(): string | null {
    return this.#header()?.toString('hex', SALT_IN_HEADER, SALT_IN_HEADER + 8) ?? null;
  }

  /** True when this filling of the log has at least so many pages (1 or more). */
  holds(pages: number): boolean {
    const header = this.#header();
    if (!header) return false;
    const frameBytes = FRAME_HEADER_BYTES + header.readUInt32BE(PAGE_BYTES_IN_HEADER);
    const salt = this.#read(8, HEADER_BYTES + (pages - 1) * frameBytes + SALT_IN_FRAME);
    return salt?.equals(header.subarray(SALT_IN_HEADER, SALT_IN_HEADER + 8)) ?? false;
  }

  #header(): Buffer | null {
    return this.#read(HEADER_BYTES, 0);
  }

  #read(bytes: number, position: number): Buffer | null {
    const buffer = Buffer.allocUnsafe(bytes);
    try {
      return readSync(this.#descriptor, buffer, 0, bytes, position) === bytes ? buffer : null;
    } catch (cause) {
      this.fail(`its log could not be read: ${messageOf(cause)}.`, cause);
      return null;
    }
  }

  /** Waits for the sync under way and closes the descriptor. */
  async close(): Promise<void> {
    await this.#syncing;
    closeSync(this.#descriptor);
  }

  async #syncAll(): Promise<void> {
    while (this.#waiters.length > 0) {
      const covered = this.#waiters;
      this.#waiters = [];
      const isAlone = covered.length === 1 && covered[0]!.isAlone;
      if (!this.#failure) await this.#syncOnce(isAlone);
      for (const waiter of covered) {
        if (this.#failure) waiter.reject(this.#failure);
        else waiter.resolve();
      }
    }
    this.#syncing = undefined;
  }

  async #syncOnce(isAlone: boolean): Promise<void> {
    try {
      await this.#options.sync(this.#descriptor, isAlone);
    } catch (cause) {
      this.fail(`its log could not be made durable: ${messageOf(cause)}.`, cause);
    }
    this.verify();
  }
}
