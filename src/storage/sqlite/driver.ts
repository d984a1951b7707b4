/**
 * Which SQLite answers: Node's own from version 24, the package that offers the same API before.
 *
 * Both are the `DatabaseSync` of nodejs.org/api/sqlite.html. The package's types serve for both, because the types of Node
 * 20 do not know the built-in module. Early versions of it announce themselves with an ExperimentalWarning when loaded; that
 * one warning is dropped, during the load only, and every other passes.
 */
import type { DatabaseSyncInstance, DatabaseSyncOptions } from '@photostructure/sqlite';

export type { DatabaseSyncInstance as Connection, StatementSyncInstance as Statement } from '@photostructure/sqlite';

interface Driver {
  readonly DatabaseSync: new (path: string, options: DatabaseSyncOptions) => DatabaseSyncInstance;
}

/** How long SQLite itself may wait for a lock, blocking everything: enough for a commit of another process. */
export const BLOCKING_WAIT_MS = 10;

/** From Node 24 on the built-in SQLite has all we use. */
export const isBuiltIn = Number.parseInt(process.versions.node, 10) >= 24;

export async function loadDriver(): Promise<Driver> {
  if (!isBuiltIn) return import('@photostructure/sqlite');
  const { getBuiltinModule } = process as unknown as { getBuiltinModule(name: string): Driver };
  return withoutExperimentalWarning(() => getBuiltinModule('node:sqlite'));
}

/** Runs `load`, which must be synchronous, and drops the ExperimentalWarning about SQLite it may give. */
export function withoutExperimentalWarning<T>(load: () => T): T {
  const emitWarning = process.emitWarning;
  process.emitWarning = ((warning: string | Error, ...rest: []) => {
    if (!/SQLite is an experimental feature/.test(String(warning))) emitWarning.call(process, warning, ...rest);
  }) as typeof process.emitWarning;
  try {
    return load();
  } finally {
    process.emitWarning = emitWarning;
  }
}

/**
 * Closes a connection to a store in WAL mode, for good.
 *
 * The package (1.2.1) does not finalize statements when it closes, so SQLite keeps the connection alive until they are garbage
 * collected, with its lock, and removes the log by name when that happens: by then it may be the log of another file at the
 * same path. Out of WAL mode the remainder holds no lock and owns no log. The switch fails when another connection is open;
 * then the log is not ours alone to remove.
 */
export function closeConnection(connection: DatabaseSyncInstance): void {
  if (!isBuiltIn) {
    try {
      connection.exec('PRAGMA journal_mode = DELETE');
    } catch {
      // Another connection is open, or the disk has failed and closing is all that is left to do.
    }
  }
  connection.close();
}
