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

/** The first Node whose built-in SQLite has all we use. */
const BUILT_IN_FROM = 24;

export async function loadDriver(): Promise<Driver> {
  if (Number.parseInt(process.versions.node, 10) < BUILT_IN_FROM) return import('@photostructure/sqlite');
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
