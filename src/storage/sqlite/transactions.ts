/** The transactions of one connection, with SQLite's errors translated. */
import { invariant } from '../../base/assert.ts';
import type { Connection } from './driver.ts';
import type { PreparedQueries, Queries } from './queries.ts';
import { isBusy, toStoreError } from './sqlite-errors.ts';

export type Work<T> = (db: Queries) => T;

/** What a piece of work came to. */
export type Outcome<T> = { readonly value: T } | { readonly error: unknown };

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
    this.#control('COMMIT');
  }

  /** Harmless when SQLite has already undone everything. When it throws, the transaction stays open for good. */
  rollback(): void {
    if (this.isOpen) this.#control('ROLLBACK');
  }

  /** Runs `work` inside the open transaction. */
  run<T>(work: Work<T>): T {
    const result = this.#translated(() => this.#queries.during('write', work));
    invariant(!(result instanceof Promise), 'work is synchronous: its transaction ends when it returns');
    return result;
  }

  /**
   * Like `run`; when `work` throws, its changes alone are undone and the error is in the outcome. Throws it when they could not be
   * undone alone, or SQLite has undone everything: the whole transaction is lost then.
   */
  runUndoable<T>(work: Work<T>): Outcome<T> {
    this.#control('SAVEPOINT work');
    try {
      const value = this.run(work);
      this.#control('RELEASE work');
      return { value };
    } catch (error) {
      if (!this.isOpen || !this.#tryUndo()) throw error;
      return { error };
    }
  }

  #tryUndo(): boolean {
    try {
      this.#control('ROLLBACK TO work');
      this.#control('RELEASE work');
      return true;
    } catch {
      return false;
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

  #control(sql: string): void {
    this.#translated(() => this.#queries.control(sql));
  }

  #translated<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw toStoreError(error, this.#path);
    }
  }
}
