/**
 * SQL for a piece of work: prepared statements by their text, the least recently used leaving first.
 *
 * Preparing costs some ten microseconds, running a prepared statement about one. A statement that left is finalized when it
 * is garbage collected: the driver has no call for it. While a statement runs it is out of the cache, so the same text may
 * run again inside a loop over its rows.
 *
 * Outside of work, or with `run` inside a read, there is no transaction that would make the result consistent or durable, so
 * both are broken invariants.
 */
import { invariant } from '../../base/assert.ts';
import { InvalidArgumentError } from '../../base/errors.ts';
import type { Connection, Statement } from './driver.ts';

/** What SQLite stores. Booleans are 0 and 1. */
export type SqlValue = null | number | bigint | string | Uint8Array;

export interface Changes {
  /** Rows inserted, updated or deleted. */
  readonly changes: number;
  readonly lastInsertRowid: number;
}

/** SQL in one transaction. `T` is what the caller knows about the columns of a row; nothing checks it. */
export interface Queries {
  /** The first row. */
  get<T>(sql: string, ...parameters: readonly SqlValue[]): T | undefined;
  all<T>(sql: string, ...parameters: readonly SqlValue[]): T[];
  /** Row by row, for results too large to hold. Ends with the work that started it. */
  iterate<T>(sql: string, ...parameters: readonly SqlValue[]): Generator<T, void>;
  /** Changes data; only inside a write. */
  run(sql: string, ...parameters: readonly SqlValue[]): Changes;
}

/** More than the code has texts; a text built for each call cannot fill the memory. */
const CAPACITY = 200;

export class PreparedQueries implements Queries {
  readonly #connection: Connection;
  readonly #statements = new Map<string, Statement>();
  readonly #iterating = new Set<Iterator<unknown>>();
  #mode: 'idle' | 'read' | 'write' = 'idle';

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** What the work under way may do; work inside other work shares its transaction. */
  get mode(): 'idle' | 'read' | 'write' {
    return this.#mode;
  }

  /** Runs `work` in the given mode. The transaction around it is the caller's. */
  during<T>(mode: 'read' | 'write', work: (db: Queries) => T): T {
    invariant(this.#mode === 'idle', 'pieces of work do not overlap');
    this.#mode = mode;
    try {
      return work(this);
    } finally {
      // A row loop left halfway would keep its snapshot, and with it the log, from ever being let go.
      for (const rows of this.#iterating) rows.return?.();
      // Nobody may ever resume the generator that would take its rows out of the set.
      this.#iterating.clear();
      this.#mode = 'idle';
    }
  }

  get<T>(sql: string, ...parameters: readonly SqlValue[]): T | undefined {
    return this.#with(sql, (statement) => statement.get(...checked(parameters)));
  }

  all<T>(sql: string, ...parameters: readonly SqlValue[]): T[] {
    return this.#with(sql, (statement) => statement.all(...checked(parameters))) as T[];
  }

  *iterate<T>(sql: string, ...parameters: readonly SqlValue[]): Generator<T, void> {
    const statement = this.#take(sql);
    const rows: IterableIterator<T> = statement.iterate(...checked(parameters));
    this.#iterating.add(rows);
    try {
      yield* rows;
    } finally {
      this.#iterating.delete(rows);
      this.#release(sql, statement);
    }
  }

  run(sql: string, ...parameters: readonly SqlValue[]): Changes {
    invariant(this.#mode === 'write', 'data changes inside write() only');
    return this.#with(sql, (statement) => statement.run(...checked(parameters))) as Changes;
  }

  /** Runs a statement that controls transactions or the connection, in any mode. */
  control(sql: string): unknown {
    const statement = this.#statements.get(sql) ?? this.#connection.prepare(sql);
    const row = statement.get();
    this.#release(sql, statement);
    return row;
  }

  #with<T>(sql: string, use: (statement: Statement) => T): T {
    const statement = this.#take(sql);
    const result = use(statement);
    this.#release(sql, statement);
    return result;
  }

  #take(sql: string): Statement {
    invariant(this.#mode !== 'idle', 'queries run inside read() or write(), and not after it');
    const statement = this.#statements.get(sql);
    if (!statement) return this.#connection.prepare(sql);
    this.#statements.delete(sql);
    return statement;
  }

  #release(sql: string, statement: Statement): void {
    this.#statements.delete(sql);
    this.#statements.set(sql, statement);
    if (this.#statements.size > CAPACITY) this.#statements.delete(this.#statements.keys().next().value!);
  }
}

/** The package (1.2.1) cuts a text off at a NUL character, without a word; so none is taken, by whichever driver. */
function checked(parameters: readonly SqlValue[]): readonly SqlValue[] {
  for (const value of parameters) {
    if (typeof value === 'string' && value.includes('\0')) {
      throw new InvalidArgumentError('text', 'holds a NUL character (U+0000), which no store can keep; remove it.');
    }
  }
  return parameters;
}
