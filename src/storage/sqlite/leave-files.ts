/**
 * Closes the connection of a store whose files may no longer be its own, and leaves the files of others alone.
 *
 *   the path leads elsewhere ──▶ closed as it is: SQLite looks too, and then neither moves its log nor removes any
 *                                (`databaseIsUnmoved` in its sqlite3PagerClose)
 *   the log is another's ──────▶ closed beside a read-only connection: SQLite cannot be alone with the file, so it leaves the log;
 *                                and the read-only one cannot take the lock it would need to remove it
 *   all ours, or gone ─────────▶ closed as always: what is in the log is moved into the file
 *
 * The package below Node 24 keeps a closed connection until its statements are collected, so there the read-only one stays open with it.
 * What the package does when the process ends comes after that, and may remove a log that a process has meanwhile left behind.
 */
import { type Connection, closeConnection, isBuiltIn, loadDriver } from './driver.ts';
import type { OwnFiles } from './own-files.ts';

/** Read-only connections that must outlive others. One for each store that lost its log; the process has few, and a reason to end. */
const kept: Connection[] = [];

export async function leaveFiles(connection: Connection, { path, files }: { path: string; files: OwnFiles }) {
  const { DatabaseSync } = await loadDriver();
  if (!files.hasFile()) {
    connection.close();
    return;
  }
  if (!files.hasForeignLog()) {
    closeConnection(connection);
    return;
  }
  const guard = new DatabaseSync(path, { readOnly: true });
  try {
    guard.exec('SELECT 1 FROM sqlite_schema');
  } catch {
    // Index and log need not go together, so it may find no row. It has taken its lock before, and keeps that while it is open.
  }
  connection.close();
  if (isBuiltIn) guard.close();
  else kept.push(guard);
}
