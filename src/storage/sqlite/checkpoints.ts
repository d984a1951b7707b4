/**
 * When the log is moved into the file.
 *
 * Left to itself SQLite does it inside the COMMIT that brings the log past a thousand pages: it writes those pages to the file and
 * syncs it while that writer waits, and on the event loop. Here no COMMIT does. Once writers were acknowledged and the log has come
 * past `IDLE_PAGES`, it is moved in a turn of its own, if nobody was left waiting; past `FORCED_PAGES` it is moved whoever
 * waits, so the log has a bound. One who writes again and again leaves nobody waiting: a log that is moved often is written over, which
 * a disk syncs in half the time it needs for one that grows. What it costs stands in docs/decisions/004-durability.md.
 *
 * A passive checkpoint never waits for others: where another process is at it, or still reads an older state, it does what it can.
 * It is looked at again when as many pages more have come; the log may grow past its bound while somebody holds on to an old
 * state, as SQLite's always may.
 */
import { nextTurn } from '../../base/clock.ts';
import { StoreError, StoreIoError } from '../storage-errors.ts';
import { toStoreError } from './sqlite-errors.ts';
import type { WalFile } from './wal-file.ts';

/** 4 MB of the usual pages: SQLite's own measure. */
export const IDLE_PAGES = 1_000;
/** 16 MB, to which a log is cut back after a burst. */
export const FORCED_PAGES = 4_000;

export interface CheckpointsOptions {
  readonly path: string;
  readonly wal: Pick<WalFile, 'failure' | 'fail' | 'filling' | 'holds'>;
  /** Nobody waits to write or for the disk. */
  readonly isIdle: () => boolean;
  /** A passive checkpoint; returns the pages that are in the log. */
  readonly run: () => { readonly log: number };
}

export class Checkpoints {
  readonly #options: CheckpointsOptions;
  #filling: string | null = null;
  /** Pages of this filling of the log that the last checkpoint has seen. */
  #seenPages = 0;
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(options: CheckpointsOptions) {
    this.#options = options;
  }

  /** To be called when writers were acknowledged. Returns at once; what follows comes in a later turn. */
  consider(): void {
    if (this.#running || this.#closed || this.#options.wal.failure || !this.#isPast(IDLE_PAGES)) return;
    this.#running = this.#runLater(this.#options.isIdle());
  }

  /** Starts no more; resolves when none is about to run. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  async #runLater(wasIdle: boolean): Promise<void> {
    await nextTurn();
    this.#running = undefined;
    if (this.#closed || this.#options.wal.failure) return;
    if (wasIdle || this.#options.isIdle() || this.#isPast(FORCED_PAGES)) this.#run();
  }

  #isPast(pages: number): boolean {
    const { wal } = this.#options;
    const filling = wal.filling();
    if (filling !== this.#filling) {
      this.#filling = filling;
      this.#seenPages = 0;
    }
    return wal.holds(this.#seenPages + pages);
  }

  #run(): void {
    const { path, wal, run } = this.#options;
    try {
      this.#seenPages = run().log;
    } catch (thrown) {
      const error = toStoreError(thrown, path);
      if (!(error instanceof StoreError)) throw error;
      // It may have been the sync of the log that failed, and that is final.
      if (error instanceof StoreIoError) wal.fail('its log could not be moved into the file.', error);
      // Anything else, such as a full disk, leaves the log as it was; writers will meet what lasts.
      this.#seenPages += IDLE_PAGES;
    }
  }
}
