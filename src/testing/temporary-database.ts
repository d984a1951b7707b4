/** SQLite files in a folder of their own, with a schema of one plain table; all closed and gone after the test. */
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { seededRandom } from '../base/random.ts';
import { ResourceScope } from '../base/resource-scope.ts';
import { SqliteDatabase, type SqliteOptions } from '../storage/sqlite/connection.ts';
import { type Connection, loadDriver } from '../storage/sqlite/driver.ts';
import type { Migration } from '../storage/sqlite/migrate.ts';
import type { StoreEvent } from '../storage/storage-events.ts';

/** One table whose constraints fail at once (`text`) or only at COMMIT (`parent`). */
export const ROWS: readonly Migration[] = [
  {
    number: 1,
    name: 'rows',
    sql: `CREATE TABLE rows (
      id INTEGER PRIMARY KEY,
      text TEXT NOT NULL UNIQUE,
      parent INTEGER REFERENCES rows (id) DEFERRABLE INITIALLY DEFERRED
    ) STRICT`,
  },
];

export const INSERT_ROW = 'INSERT INTO rows (text) VALUES (?)';

export function openRows(path: string, options: Partial<SqliteOptions> = {}): Promise<SqliteDatabase> {
  return SqliteDatabase.open({
    path,
    clock: systemClock,
    random: seededRandom(1),
    onEvent: () => {},
    migrations: ROWS,
    ...options,
  });
}

export function textsOf(database: SqliteDatabase): string[] {
  return database.read((db) => db.all<{ text: string }>('SELECT text FROM rows ORDER BY id')).map(({ text }) => text);
}

export class TemporaryDatabase implements AsyncDisposable {
  readonly folder: string;
  /** What every database opened here has told. */
  readonly events: StoreEvent[] = [];
  readonly #resources: ResourceScope;

  private constructor(folder: string, resources: ResourceScope) {
    this.folder = folder;
    this.#resources = resources;
  }

  static async create(): Promise<TemporaryDatabase> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'tenure-database-')));
    const resources = new ResourceScope('temporary database');
    resources.defer(() => rm(folder, { recursive: true, force: true }));
    return new TemporaryDatabase(folder, resources);
  }

  get path(): string {
    return join(this.folder, 'rows.db');
  }

  async open(options: Partial<SqliteOptions> = {}): Promise<SqliteDatabase> {
    return this.#resources.use(await openRows(this.path, { onEvent: (event) => this.events.push(event), ...options }));
  }

  /** A bare connection of the driver, as some other program would have. */
  async openBare(path = this.path): Promise<Connection> {
    const { DatabaseSync } = await loadDriver();
    const connection = new DatabaseSync(path, {});
    this.#resources.defer(() => connection.isOpen && connection.close());
    return connection;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#resources.close();
  }
}
