/**
 * Brings a store to the schema this build knows.
 *
 * Each applied migration leaves a row with the checksum of its text, so a file made by a newer build or by another text of
 * the same migration is refused before anything is touched. All that is missing is applied in one immediate transaction: of
 * several processes opening a new file at once one does the work and the others find it done; a crash leaves none of it.
 */
import { createHash } from 'node:crypto';
import { invariant } from '../../base/assert.ts';
import { StoreMigrationChangedError, StoreNotTenureError, StoreTooNewError } from '../storage-errors.ts';
import type { Connection } from './driver.ts';

export interface Migration {
  /** 1, 2, 3 … without holes. */
  readonly number: number;
  readonly name: string;
  readonly sql: string;
}

/** "TNRE": marks the file as ours, in bytes 68–71 of the file (sqlite.org/fileformat2.html). */
const APPLICATION_ID = 0x544e5245;

const HISTORY = `CREATE TABLE schema_migrations (
  number INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL,
  applied_at_ms INTEGER NOT NULL
) STRICT`;

/** Throws unless the file is empty, or ours and one this build can serve. Reads only. */
export function inspect(
  connection: Connection,
  known: readonly Migration[],
  path: string,
): 'empty' | 'old' | 'current' {
  if (identify(connection, path) === 'empty') return 'empty';
  return missing(connection, known, path).length === 0 ? 'current' : 'old';
}

function identify(connection: Connection, path: string): 'empty' | 'tenure' {
  const id = connection.prepare('PRAGMA application_id').get().application_id;
  if (id === APPLICATION_ID) return 'tenure';
  const { tables } = connection.prepare('SELECT count(*) AS tables FROM sqlite_schema').get();
  if (id !== 0 || tables > 0) throw new StoreNotTenureError({ path });
  return 'empty';
}

/** Applies what is missing and returns how many were. */
export function migrate(
  connection: Connection,
  known: readonly Migration[],
  options: { path: string; nowMs: number },
): number {
  invariant(
    known.every(({ number }, index) => number === index + 1),
    'migrations are numbered 1, 2, 3 …',
  );
  if (identify(connection, options.path) === 'tenure' && missing(connection, known, options.path).length === 0)
    return 0;

  connection.exec('BEGIN IMMEDIATE');
  try {
    if (identify(connection, options.path) === 'empty')
      connection.exec(`${HISTORY}; PRAGMA application_id = ${APPLICATION_ID}`);
    const todo = missing(connection, known, options.path);
    const record = connection.prepare('INSERT INTO schema_migrations VALUES (?, ?, ?, ?)');
    for (const migration of todo) {
      connection.exec(migration.sql);
      record.run(migration.number, migration.name, checksum(migration), options.nowMs);
    }
    connection.exec('COMMIT');
    return todo.length;
  } catch (error) {
    if (connection.isTransaction) connection.exec('ROLLBACK');
    throw error;
  }
}

function missing(connection: Connection, known: readonly Migration[], path: string): readonly Migration[] {
  const applied: { number: number; name: string; checksum: string }[] = connection
    .prepare('SELECT number, name, checksum FROM schema_migrations ORDER BY number')
    .all();
  for (const row of applied) {
    const migration = known[row.number - 1];
    if (!migration) throw new StoreTooNewError({ path, found: applied.at(-1)!.number, supported: known.length });
    if (row.checksum !== checksum(migration)) {
      throw new StoreMigrationChangedError({ path, migration: `${row.number} (${row.name})` });
    }
  }
  return known.slice(applied.length);
}

function checksum(migration: Migration): string {
  return createHash('sha256').update(migration.sql).digest('hex');
}
