import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InvariantError } from '../../base/assert.ts';
import { MIB } from '../../base/bytes.ts';
import { ClosedError } from '../../base/errors.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { INSERT_ROW, openRows, TemporaryDatabase, textsOf } from '../../testing/temporary-database.ts';
import type { SqliteDatabase } from './connection.ts';

let temporary: TemporaryDatabase;
beforeEach(async () => {
  temporary = await TemporaryDatabase.create();
});
afterEach(() => temporary[Symbol.asyncDispose]());

const insert = (database: SqliteDatabase, text: string | null) =>
  database.write((db) => db.run(INSERT_ROW, text).lastInsertRowid);

/** What this thread has read from files and pipes, in bytes: proc_pid_io(5). */
function bytesRead(): number {
  return Number(/rchar: (\d+)/.exec(readFileSync('/proc/thread-self/io', 'utf8'))![1]);
}

describe('a read', () => {
  it('sees one snapshot while another connection writes', async () => {
    const database = await temporary.open();
    await insert(database, 'a');
    const other = await temporary.openBare();
    const counts = database.read((db) => {
      const count = () => db.get<{ count: number }>('SELECT count(*) AS count FROM rows')?.count;
      const before = count();
      other.prepare(INSERT_ROW).run('b');
      return [before, count()];
    });
    expect(counts).toEqual([1, 1]);
    expect(textsOf(database)).toEqual(['a', 'b']);
  });

  it('inside a write sees what that write has done so far', async () => {
    const database = await temporary.open();
    const texts = await database.write((db) => {
      db.run(INSERT_ROW, 'a');
      return textsOf(database);
    });
    expect(texts).toEqual(['a']);
  });

  it('that throws leaves nothing open', async () => {
    const database = await temporary.open();
    const fail = () =>
      database.read(() => {
        throw new RangeError('no');
      });
    expect(fail).toThrow(RangeError);
    expect(fail).toThrow(RangeError);
    expect(await insert(database, 'a')).toBe(1);
  });

  it('may come at any moment between groups of writes', async () => {
    const clock = new ManualClock();
    const database = await temporary.open({ clock });
    const seen = new Set<number>();
    const writeSlowlyThenRead = async (text: string) => {
      await database.write((db) => {
        void clock.advance(20);
        db.run(INSERT_ROW, text);
      });
      for (let moment = 0; moment < 20; moment++) {
        seen.add(textsOf(database).length);
        await Promise.resolve();
      }
    };
    await Promise.all(['a', 'b', 'c', 'd'].map(writeSlowlyThenRead));
    expect([...seen]).toEqual([1, 2, 3, 4]);
  });

  it('changes nothing', async () => {
    const database = await temporary.open();
    expect(() => database.read((db) => db.run(INSERT_ROW, 'a'))).toThrow(InvariantError);
    expect(textsOf(database)).toEqual([]);
  });
});

describe('the store', () => {
  it('is made for this user alone, in folders made for it', async () => {
    const path = join(temporary.folder, 'new', 'folder', 'rows.db');
    await using database = await openRows(path);
    await insert(database, 'a');
    const modes = [dirname(path), path, `${path}-wal`].map((file) => statSync(file).mode & 0o777);
    expect(modes).toEqual([0o700, 0o600, 0o600]);
  });

  it('drops the pages beyond a lowered bound at once, and those alone', async () => {
    const database = await temporary.open({ cacheBytes: 16 * MIB });
    await database.write((db) => {
      for (let index = 0; index < 2000; index++) db.run(INSERT_ROW, `${index} ${'x'.repeat(3500)}`);
    });
    database.checkpoint();
    const bytesReadBy = (rows: number) => {
      const before = bytesRead();
      database.read((db) => db.all('SELECT text FROM rows WHERE id <= ?', rows));
      return bytesRead() - before;
    };
    bytesReadBy(2000);
    expect(bytesReadBy(2000)).toBeLessThan(MIB / 4);
    bytesReadBy(700);
    database.setCacheBytes(4 * MIB);
    expect(bytesReadBy(700)).toBeLessThan(MIB / 4);
    database.setCacheBytes(MIB);
    database.setCacheBytes(16 * MIB);
    expect(bytesReadBy(2000)).toBeGreaterThan(6 * MIB);
  });

  it('holds its page cache within the bound it is given', async () => {
    const database = await temporary.open({ cacheBytes: 3_000_000 });
    expect(database.cacheBytes).toBe(3_000_000);
    database.setCacheBytes(1_000_000);
    expect(database.read((db) => db.get('PRAGMA cache_size'))).toMatchObject({ cache_size: -977 });
    expect(() => database.setCacheBytes(-1)).toThrow('cacheBytes');
  });

  it('counts its file and its log, and empties the log at a checkpoint', async () => {
    const database = await temporary.open();
    await database.write((db) => {
      for (let index = 0; index < 100; index++) db.run(INSERT_ROW, `${index} ${'x'.repeat(1000)}`);
    });
    const before = database.sizeBytes();
    expect(before).toBeGreaterThan(100_000);
    expect(database.checkpoint()).toBe(true);
    expect(statSync(`${temporary.path}-wal`).size).toBe(0);
    expect(database.sizeBytes()).toBe(statSync(temporary.path).size);
    await insert(database, 'after');
    expect(textsOf(database)).toHaveLength(101);
  });

  it('cannot empty the log while another connection reads it', async () => {
    const database = await temporary.open();
    await insert(database, 'a');
    const other = await temporary.openBare();
    other.exec('BEGIN');
    other.prepare('SELECT * FROM rows').all();
    await insert(database, 'b');
    expect(database.checkpoint()).toBe(false);
  });
});

describe('closing', () => {
  it('settles what was asked for, takes nothing more, and may be done twice', async () => {
    const database = await temporary.open();
    const settled: number[] = [];
    const writing = insert(database, 'a').then((id) => settled.push(id));
    const closing = database.close();
    expect(database.close()).toBe(closing);
    await expect(insert(database, 'b')).rejects.toBeInstanceOf(ClosedError);
    await closing;
    expect(settled).toEqual([1]);
    await writing;
    for (const use of [() => textsOf(database), () => database.checkpoint(), () => database.setCacheBytes(1)])
      expect(use).toThrow(ClosedError);
    expect(textsOf(await temporary.open())).toEqual(['a']);
    expect(temporary.events.map(({ type }) => type)).toEqual(['storage.opened', 'storage.closed', 'storage.opened']);
  });

  it('leaves one file behind, and no lock', async () => {
    const database = await temporary.open();
    await insert(database, 'a');
    database.read((db) => db.iterate('SELECT * FROM rows').next());
    await database.close();
    expect(statSync(`${temporary.path}-wal`, { throwIfNoEntry: false })).toBeUndefined();
    const other = await temporary.openBare();
    other.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT');
  });

  it('leaves a folder that was there before as it was', async () => {
    const folder = join(temporary.folder, 'open');
    mkdirSync(folder, { mode: 0o755 });
    await using database = await openRows(join(folder, 'rows.db'));
    expect(statSync(dirname(database.path)).mode & 0o777).toBe(0o755);
  });
});
