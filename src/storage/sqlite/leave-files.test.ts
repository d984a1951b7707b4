import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { INSERT_ROW, openRows, TemporaryDatabase, textsOf } from '../../testing/temporary-database.ts';
import type { SqliteDatabase } from './connection.ts';

let temporary: TemporaryDatabase;
beforeEach(async () => {
  temporary = await TemporaryDatabase.create();
});
afterEach(() => temporary[Symbol.asyncDispose]());

const SUFFIXES = ['', '-wal', '-shm'];
const insert = (database: SqliteDatabase, text: string) => database.write((db) => db.run(INSERT_ROW, text));
const at = (suffix: string, name = temporary.path) => `${name}${suffix}`;
const isThere = (path: string) => statSync(path, { throwIfNoEntry: false }) !== undefined;

/** A store with one row, still open, so that the row stands in its log. */
async function opened(): Promise<SqliteDatabase> {
  const database = await temporary.open();
  await insert(database, 'a');
  return database;
}

describe('a store whose file was', () => {
  it('moved away acknowledges nothing more, keeps its log when closed, and is whole where it was moved to', async () => {
    const database = await opened();
    const moved = join(temporary.folder, 'moved.db');
    renameSync(temporary.path, moved);
    await expect(insert(database, 'b')).rejects.toMatchObject({ code: 'STORE_IO' });
    expect(() => database.checkpoint()).toThrow(expect.objectContaining({ code: 'STORE_IO' }));
    await database.close();
    for (const suffix of ['-wal', '-shm']) renameSync(at(suffix), at(suffix, moved));
    await using found = await openRows(moved);
    expect(textsOf(found)).toEqual(['a']);
  });

  it.each(SUFFIXES)(
    'replaced (rows.db%s) writes nothing into what stands there, and leaves it when closed',
    async (suffix) => {
      const database = await opened();
      renameSync(at(suffix), at(suffix, join(temporary.folder, 'moved.db')));
      writeFileSync(at(suffix), 'of another');
      await expect(insert(database, 'b')).rejects.toMatchObject({ code: 'STORE_IO' });
      await database.close();
      expect(readFileSync(at(suffix), 'utf8')).toBe('of another');
    },
  );

  it('removed together with its log leaves the new store that another made, and its log, alone', async () => {
    const database = await opened();
    for (const suffix of SUFFIXES) rmSync(at(suffix));
    const other = await temporary.open();
    await insert(other, 'theirs');
    await expect(insert(database, 'b')).rejects.toMatchObject({ code: 'STORE_IO' });
    await database.close();
    expect(SUFFIXES.map((suffix) => isThere(at(suffix)))).toEqual([true, true, true]);
    await insert(other, 'more');
    await other.close();
    expect(textsOf(await temporary.open())).toEqual(['theirs', 'more']);
  });
});

it('a log that is gone, and no other in its place, is moved into the file by closing', async () => {
  const database = await opened();
  rmSync(at('-wal'));
  await expect(insert(database, 'b')).rejects.toMatchObject({ code: 'STORE_IO' });
  await database.close();
  expect(textsOf(await temporary.open())).toContain('a');
});
