import { mkdirSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.ts';
import { INSERT_ROW, openRows, ROWS, TemporaryDatabase, textsOf } from '../../testing/temporary-database.ts';
import type { Migration } from './migrate.ts';
import { migrations } from './migrations.ts';

let temporary: TemporaryDatabase;
beforeEach(async () => {
  temporary = await TemporaryDatabase.create();
});
afterEach(() => temporary[Symbol.asyncDispose]());

const MORE: Migration = { number: 2, name: 'more', sql: 'CREATE TABLE more (a TEXT) STRICT' };
const refused = (options: Parameters<typeof openRows>[1] = {}) =>
  temporary.open(options).then(
    () => 'opened',
    (error) => ({ code: error.code, path: error.path }),
  );

/** Makes a store with one row and closes it. */
async function made(schema = ROWS): Promise<void> {
  const database = await temporary.open({ migrations: schema });
  await database.write((db) => db.run(INSERT_ROW, 'kept'));
  await database.close();
}

describe('opening', () => {
  it('sets the connection and the file up as decided', async () => {
    const database = await temporary.open();
    const pragma = (name: string) => Object.values(database.read((db) => db.get<object>(`PRAGMA ${name}`)) ?? {})[0];
    expect({
      journal: pragma('journal_mode'),
      synchronous: pragma('synchronous'),
      autoCheckpoint: pragma('wal_autocheckpoint'),
      foreignKeys: pragma('foreign_keys'),
      trustedSchema: pragma('trusted_schema'),
      secureDelete: pragma('secure_delete'),
      autoVacuum: pragma('auto_vacuum'),
      applicationId: Number(pragma('application_id')).toString(16),
    }).toEqual({
      journal: 'wal',
      synchronous: 1,
      autoCheckpoint: 0,
      foreignKeys: 1,
      trustedSchema: 0,
      secureDelete: 1,
      autoVacuum: 2,
      applicationId: '544e5245',
    });
  });

  it('applies each migration once and says how many it applied', async () => {
    const clock = new ManualClock();
    await made();
    const database = await temporary.open({ migrations: [...ROWS, MORE], clock });
    const applied = database.read((db) => db.all<object>('SELECT number, name, applied_at_ms FROM schema_migrations'));
    expect(applied).toMatchObject([
      { number: 1, name: 'rows' },
      { number: 2, name: 'more', applied_at_ms: clock.nowMs() },
    ]);
    await temporary.open({ migrations: [...ROWS, MORE] });
    const opened = temporary.events.filter(({ type }) => type === 'storage.opened');
    expect(opened).toMatchObject([{ migrated: 1 }, { migrated: 1 }, { migrated: 0 }]);
    expect(textsOf(database)).toEqual(['kept']);
  });

  it('keeps nothing of migrations that fail, and none before them in the same start', async () => {
    await made();
    const broken = { number: 3, name: 'broken', sql: 'CREATE TABLE late (a TEXT) STRICT; SELECT nonsense' };
    await expect(temporary.open({ migrations: [...ROWS, MORE, broken] })).rejects.toThrow('nonsense');
    const database = await temporary.open({ migrations: [...ROWS, MORE] });
    expect(
      database.read((db) => db.all<{ name: string }>('SELECT name FROM sqlite_schema')).map(({ name }) => name),
    ).toEqual(expect.not.arrayContaining(['late']));
    expect(textsOf(database)).toEqual(['kept']);
  });

  it('holds the whole schema of this release', async () => {
    const database = await temporary.open({ migrations });
    const tables = database.read((db) =>
      db.all<{ name: string }>(`SELECT name FROM sqlite_schema WHERE type = 'table'`),
    );
    expect(tables.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['schema_migrations', 'readings', 'memories']),
    );
  });

  it('moves uses into a table of their own and counts what is there, in a store of before', async () => {
    const before = await temporary.open({ migrations: migrations.slice(0, 3) });
    await before.write((db) => {
      const partition = 'INSERT INTO partitions (id, tenant, agent, user, live_documents) VALUES (?, ?, ?, ?, ?)';
      db.run(partition, 1, 'acme', '', 'ann', 2);
      db.run(partition, 2, 'acme', '', 'bob', 0);
      const memory = `INSERT INTO memories (sequence, id, partition_id, ordinal, text, tags, metadata, importance, created_at_ms,
        at_ms, pinned, length, terms, uses, last_used_at_ms) VALUES (?, ?, 1, ?, 'text', '[]', '{}', 0.5, 0, 0, 0, 0, x'', ?, ?)`;
      db.run(memory, 7, 'used', 0, 3, 50);
      db.run(memory, 8, 'unused', 1, 0, null);
    });
    await before.close();
    const database = await temporary.open({ migrations });
    expect(
      database.read((db) => ({
        uses: db.all<object>('SELECT * FROM memory_uses'),
        totals: db.get<object>('SELECT memories, scopes FROM memory_totals'),
        models: db.all<object>('SELECT id, model FROM memories'),
      })),
    ).toEqual({
      uses: [{ sequence: 7, uses: 3, last_used_at_ms: 50 }],
      totals: { memories: 2, scopes: 1 },
      models: [
        { id: 'used', model: null },
        { id: 'unused', model: null },
      ],
    });
  });

  it('takes an empty file, and a link to a store', async () => {
    writeFileSync(temporary.path, '');
    await made();
    const link = join(temporary.folder, 'link.db');
    symlinkSync(temporary.path, link);
    await using linked = await openRows(link);
    expect(textsOf(linked)).toEqual(['kept']);
  });
});

describe('opening refuses, and changes nothing of,', () => {
  const unchanged = async (open: () => Promise<unknown>) => {
    const before = readFileSync(temporary.path);
    const result = await open();
    expect(readFileSync(temporary.path).equals(before)).toBe(true);
    return result;
  };

  it('a store of a newer release', async () => {
    await made([...ROWS, MORE]);
    expect(await unchanged(() => refused())).toEqual({ code: 'STORE_TOO_NEW', path: temporary.path });
    await expect(temporary.open()).rejects.toMatchObject({ details: { found: 2, supported: 1 } });
  });

  it('a store built by another text of a migration', async () => {
    await made();
    const changed = ROWS.map((migration) => ({ ...migration, sql: `${migration.sql} -- other` }));
    const result = await unchanged(() => refused({ migrations: changed }));
    expect(result).toEqual({ code: 'STORE_MIGRATION_CHANGED', path: temporary.path });
  });

  it('a SQLite file of another program', async () => {
    const other = await temporary.openBare();
    other.exec('CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)');
    other.close();
    expect(await unchanged(() => refused())).toEqual({ code: 'STORE_NOT_TENURE', path: temporary.path });
  });

  it('a SQLite file marked by another program, even an empty one', async () => {
    const other = await temporary.openBare();
    other.exec('PRAGMA application_id = 7; PRAGMA user_version = 3');
    other.close();
    expect(await unchanged(() => refused())).toEqual({ code: 'STORE_NOT_TENURE', path: temporary.path });
  });

  it.each([
    ['text', Buffer.from('# notes\n'.repeat(1000))],
    ['a few bytes', Buffer.from('hello')],
    ['a header and nothing else', Buffer.from('SQLite format 3\u0000')],
    ['zeros', Buffer.alloc(8192)],
  ])('what is no database: %s', async (_, bytes) => {
    writeFileSync(temporary.path, bytes);
    expect(await unchanged(() => refused())).toEqual({ code: 'STORE_CORRUPT', path: temporary.path });
  });

  it.each([0.2, 0.5, 0.9, 0.999])('a store cut off at %d of its length', async (share) => {
    const database = await temporary.open();
    await database.write((db) => {
      for (let index = 0; index < 200; index++) db.run(INSERT_ROW, `${index} ${'x'.repeat(500)}`);
    });
    await database.close();
    truncateSync(temporary.path, Math.floor(statSync(temporary.path).size * share));
    expect(await unchanged(() => refused())).toEqual({ code: 'STORE_CORRUPT', path: temporary.path });
  });

  it('a folder, and a path through a file', async () => {
    mkdirSync(temporary.path);
    expect(await refused()).toEqual({ code: 'STORE_CANNOT_OPEN', path: temporary.path });
    const file = join(temporary.folder, 'file');
    writeFileSync(file, '');
    await expect(openRows(join(file, 'rows.db'))).rejects.toMatchObject({ code: 'STORE_CANNOT_OPEN' });
  });

  it.each(['-wal', '-shm'])('to begin anew beside the %s of a store that is gone', async (suffix) => {
    writeFileSync(`${temporary.path}${suffix}`, 'the last writes');
    await expect(temporary.open()).rejects.toMatchObject({
      code: 'STORE_CANNOT_OPEN',
      message: expect.stringContaining(`${temporary.path}${suffix} may hold its last writes`),
    });
    expect(statSync(temporary.path, { throwIfNoEntry: false })).toBeUndefined();
    writeFileSync(temporary.path, '');
    expect(await refused()).toEqual({ code: 'STORE_CANNOT_OPEN', path: temporary.path });
    expect(readFileSync(`${temporary.path}${suffix}`, 'utf8')).toBe('the last writes');
  });

  it('a folder that a file system will not make, without ending in it', async () => {
    await expect(openRows('/proc/tenure/deep/rows.db')).rejects.toMatchObject({
      code: 'STORE_CANNOT_OPEN',
      cause: { code: 'ENOENT', syscall: 'mkdir' },
    });
  });

  it('a store that stays locked longer than we wait', async () => {
    await made();
    const other = await temporary.openBare();
    other.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    const clock = new ManualClock();
    const opening = refused({ clock, lockTimeoutMs: 3000 });
    while (clock.pendingTimers === 0) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(3100);
    expect(await opening).toEqual({ code: 'STORE_LOCKED', path: temporary.path });
    other.exec('COMMIT');
    other.close();
    expect(textsOf(await temporary.open())).toEqual(['kept']);
  });
});

describe('damage found later', () => {
  it('is told by the read or write that meets it', async () => {
    const database = await temporary.open();
    await database.write((db) => {
      for (let index = 0; index < 500; index++) db.run(INSERT_ROW, `${index} ${'x'.repeat(500)}`);
    });
    await database.close();
    const bytes = readFileSync(temporary.path);
    bytes.fill(0xff, 4096 * 3);
    writeFileSync(temporary.path, bytes);
    const damaged = await temporary.open();
    expect(() => textsOf(damaged)).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }));
    await expect(damaged.write((db) => db.run('DELETE FROM rows'))).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  });
});
