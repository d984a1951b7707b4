/**
 * One line for all writes of a process, with group commit.
 *
 *   waiting ──lock──▶ running ──COMMIT──▶ committed ──fdatasync──▶ settled
 *      ▲                 │
 *      └── to run alone ─┘  when the group as a whole failed
 *
 * Writes asked for in the same turn run together in one immediate transaction, each under a savepoint, so one that throws is
 * undone alone and rejects alone. A caller's promise settles only after the log has been forced to the disk: *acknowledged is
 * durable*. New groups may commit while a sync is under way; they share the next one.
 *
 * When the group as a whole fails (SQLite undoes everything on a full disk; a deferred constraint fails the COMMIT), each of
 * its writes runs again in a transaction of its own, so one that cannot succeed takes nobody with it. Work must therefore be
 * repeatable: it reads and changes the database and nothing else.
 *
 * A transaction that cannot even be rolled back stays open on the connection, and whatever came after would join it. So that is
 * final, like a failed sync: the group and all writes after it are refused until the store is opened again.
 *
 * A group that was cut short waits for its sync before the next one starts; that leaves other processes a gap to take the
 * lock in.
 */
import { listenForAbort } from '../../base/abort.ts';
import { type Clock, nextTurn, wait } from '../../base/clock.ts';
import { ClosedError } from '../../base/errors.ts';
import type { Random } from '../../base/random.ts';
import { StoreCorruptError, StoreIoError, StoreLockedError } from '../storage-errors.ts';
import { lockPauseMs } from './lock-patience.ts';
import type { Outcome, Transactions, Work } from './transactions.ts';
import type { WalFile } from './wal-file.ts';

/** A group that has held the lock and the event loop this long is committed, whoever still waits. */
const GROUP_MS = 10;

/** A wait for the lock from this long on is worth an event. */
const NOTABLE_WAIT_MS = 1000;

interface Write {
  readonly work: Work<unknown>;
  readonly sinceMs: number;
  readonly settle: (outcome: Outcome<unknown>) => void;
  alone: boolean;
}

export interface WriteQueueOptions {
  readonly path: string;
  readonly transactions: Transactions;
  readonly wal: WalFile;
  readonly clock: Clock;
  readonly random: Random;
  readonly lockTimeoutMs: number;
  readonly onLockWaited: (waitedMs: number) => void;
  /** The writers of a group have been answered. */
  readonly onSettled: () => void;
}

export class WriteQueue {
  readonly #options: WriteQueueOptions;
  #waiting = new Set<Write>();
  #draining: Promise<void> | undefined;
  /** Groups that are committed and wait for the disk. */
  #unsettled = 0;
  #closed = false;

  constructor(options: WriteQueueOptions) {
    this.#options = options;
  }

  /** Nobody waits to write, or for the disk. */
  get isIdle(): boolean {
    return this.#waiting.size === 0 && this.#unsettled === 0;
  }

  /** Runs `work` in a transaction and resolves with its result once that is durable. */
  write<T>(work: Work<T>, signal?: AbortSignal): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#closed) return reject(new ClosedError('The store'));
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        if (this.#waiting.delete(write)) write.settle({ error: signal?.reason });
      };
      const write: Write = {
        work,
        sinceMs: this.#options.clock.monotonicMs(),
        alone: false,
        settle: (outcome) => {
          signal?.removeEventListener('abort', onAbort);
          if ('error' in outcome) reject(outcome.error);
          else resolve(outcome.value as T);
        },
      };
      if (signal) listenForAbort(signal, onAbort);
      this.#waiting.add(write);
      this.#draining ??= this.#drain();
    });
  }

  /** Takes no more writes; resolves when those already asked for have run. They settle with the sync of the log. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#draining;
  }

  async #drain(): Promise<void> {
    const { clock, random, transactions, wal } = this.#options;
    await nextTurn();
    let sinceMs = clock.monotonicMs();
    for (let attempt = 0; this.#waiting.size > 0; ) {
      try {
        // Before it touches an index that another process may have come to share.
        const failure = wal.verify();
        if (failure) throw failure;
        if (transactions.tryBegin()) {
          const waitedMs = clock.monotonicMs() - sinceMs;
          // Nothing is awaited between BEGIN and COMMIT: a read in between would find the transaction open.
          const next = this.#runGroup();
          if (waitedMs >= NOTABLE_WAIT_MS) this.#options.onLockWaited(waitedMs);
          await next;
          attempt = 0;
          sinceMs = clock.monotonicMs();
        } else {
          this.#refuseLate();
          await wait(clock, lockPauseMs(attempt++, random));
        }
      } catch (error) {
        const refused = [...this.#waiting];
        this.#waiting.clear();
        for (const write of refused) write.settle({ error });
      }
    }
    this.#draining = undefined;
  }

  #refuseLate(): void {
    const { clock, lockTimeoutMs, path } = this.#options;
    for (const write of this.#waiting) {
      const waitedMs = clock.monotonicMs() - write.sinceMs;
      if (waitedMs < lockTimeoutMs) break;
      this.#waiting.delete(write);
      write.settle({ error: new StoreLockedError({ path, waitedMs }) });
    }
  }

  /** Runs and commits the writes at the head of the line, at once; resolves when the next group may start. */
  async #runGroup(): Promise<void> {
    const { clock, transactions } = this.#options;
    const startMs = clock.monotonicMs();
    const group: Write[] = [];
    const outcomes: Outcome<unknown>[] = [];
    try {
      const [head] = this.#waiting;
      const single = this.#waiting.size === 1 || head?.alone;
      for (const write of this.#waiting) {
        this.#waiting.delete(write);
        group.push(write);
        outcomes.push(single ? { value: transactions.run(write.work) } : transactions.runUndoable(write.work));
        if (single || clock.monotonicMs() - startMs >= GROUP_MS) break;
      }
      transactions.commit();
    } catch (error) {
      this.#undo(group, this.#rollback(error));
      return;
    }
    const settled = this.#settleWhenDurable(group, outcomes);
    if (this.#waiting.size > 0) await settled;
  }

  /** What went wrong: `error`, or that nothing could be undone, which ends the store. */
  #rollback(error: unknown): unknown {
    try {
      this.#options.transactions.rollback();
      return error;
    } catch (cause) {
      return this.#options.wal.fail('a transaction could not be rolled back.', cause);
    }
  }

  #undo(group: readonly Write[], error: unknown): void {
    if (group.length === 1 || error instanceof StoreIoError || error instanceof StoreCorruptError) {
      for (const write of group) write.settle({ error });
      return;
    }
    for (const write of group) write.alone = true;
    this.#waiting = new Set([...group, ...this.#waiting]);
  }

  async #settleWhenDurable(group: readonly Write[], outcomes: readonly Outcome<unknown>[]): Promise<void> {
    let failure: Outcome<unknown> | undefined;
    this.#unsettled++;
    try {
      await this.#options.wal.durable({ isAlone: group.length === 1 && this.#waiting.size === 0 });
    } catch (error) {
      failure = { error };
    }
    for (const [index, write] of group.entries()) write.settle(failure ?? outcomes[index]!);
    this.#unsettled--;
    this.#options.onSettled();
  }
}
