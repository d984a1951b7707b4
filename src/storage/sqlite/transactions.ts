/** The transactions of one connection, with SQLite's errors translated. */
import { invariant } from '../../base/assert.ts';
import type { Connection } from './driver.ts';
import type { PreparedQueries, Queries } from './queries.ts';
import { isBusy, toStoreError } from './sqlite-errors.ts';

export type Work<T> = (db: Queries) => T;

export class Transactions {
  readonly #connection: Connection;
  readonly #queries: PreparedQueries;
  readonly #path: string;

  constructor(connection: Connection, queries: PreparedQueries, path: string) {
    this.#connection = connection;
    this.#queries = queries;
    this.#path = path;
  }

  /** SQLite ends a transaction by itself on a full disk and some other errors. */
  get isOpen(): boolean {
    return this.#connection.isTransaction;
  }

  /** Takes the write lock; false when another process holds it. */
  tryBegin(): boolean {
    try {
      this.#queries.control('BEGIN IMMEDIATE');
      return true;
    } catch (error) {
      if (isBusy(error)) return false;
      throw toStoreError(error, this.#path);
    }
  }

  commit(): void {
    this.#translated(() => this.#queries.control('COMMIT'));
  }

  /** Harmless when SQLite has already undone everything. */
  rollback(): void {
    if (this.isOpen) this.#queries.control('ROLLBACK');
  }

  /** Runs `work` inside the open transaction. */
  run<T>(work: Work<T>): T {
    const result = this.#translated(() => this.#queries.during('write', work));
    invariant(!(result instanceof Promise), 'work is synchronous: its transaction ends when it returns');
    return result;
  }

  /** Like `run`; when `work` throws, its changes alone are undone, unless the whole transaction was. */
  runUndoable<T>(work: Work<T>): T {
    try {
      this.#translated(() => this.#queries.control('SAVEPOINT work'));
      const result = this.run(work);
      this.#translated(() => this.#queries.control('RELEASE work'));
      return result;
    } catch (error) {
      if (this.isOpen) {
        this.#queries.control('ROLLBACK TO work');
        this.#queries.control('RELEASE work');
      }
      throw error;
    }
  }

  /** Runs `work` on one snapshot of the database. */
  read<T>(work: Work<T>): T {
    if (this.#queries.mode !== 'idle') return work(this.#queries);
    return this.#translated(() => {
      this.#queries.control('BEGIN');
      try {
        return this.#queries.during('read', work);
      } finally {
        this.rollback();
      }
    });
  }

  #translated<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw toStoreError(error, this.#path);
    }
  }
}
