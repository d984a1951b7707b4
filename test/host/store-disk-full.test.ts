/** A store on a file system of a few megabytes that runs full: mounts a tmpfs, which needs root. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { MIB } from '../../src/base/bytes.ts';
import type { SqliteDatabase } from '../../src/storage/sqlite/connection.ts';
import { INSERT_ROW, openRows, textsOf } from '../../src/testing/temporary-database.ts';

let folder: string;
const open: SqliteDatabase[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tenure-full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder]);
});
afterEach(async () => {
  for (const database of open.splice(0)) await database.close();
  // Lazily: below Node 24 a closed connection keeps a descriptor until its statements are collected.
  execFileSync('umount', ['--lazy', folder]);
  rmdirSync(folder);
});

async function openStore(): Promise<SqliteDatabase> {
  const database = await openRows(join(folder, 'rows.db'));
  open.push(database);
  return database;
}

/** Leaves `bytes` free, in a file that can be removed. */
function fill(bytes: number): string {
  const ballast = join(folder, 'ballast');
  const { bavail, bsize } = statfsSync(folder);
  writeFileSync(ballast, Buffer.alloc(bavail * bsize - bytes));
  return ballast;
}

const insert = (database: SqliteDatabase, text: string) => database.write((db) => db.run(INSERT_ROW, text));

it('refuses what does not fit, keeps what was acknowledged, and goes on when there is space again', async () => {
  const database = await openStore();
  await insert(database, 'first');
  const ballast = fill(MIB);
  const acknowledged = ['first'];
  const write = async () => {
    for (let index = 0; ; index++) {
      const text = `${index} ${'x'.repeat(50_000)}`;
      await insert(database, text);
      acknowledged.push(text);
    }
  };
  await expect(write()).rejects.toMatchObject({ code: 'STORE_FULL' });
  expect(acknowledged.length).toBeGreaterThan(5);
  expect(textsOf(database)).toEqual(acknowledged);
  await expect(insert(database, 'y'.repeat(50_000))).rejects.toMatchObject({ code: 'STORE_FULL' });

  rmSync(ballast);
  await insert(database, 'after');
  expect(textsOf(database)).toEqual([...acknowledged, 'after']);
  await database.close();
  const again = await openStore();
  expect(textsOf(again)).toEqual([...acknowledged, 'after']);
  expect(again.read((db) => db.all<object>('PRAGMA integrity_check'))).toEqual([{ integrity_check: 'ok' }]);
});

it('refuses the one write of a group that does not fit, and no other', async () => {
  const database = await openStore();
  await insert(database, 'first');
  fill(MIB / 2);
  const outcomes = await Promise.allSettled([
    insert(database, 'small 1'),
    insert(database, 'x'.repeat(2 * MIB)),
    insert(database, 'small 2'),
  ]);
  expect(outcomes).toMatchObject([
    { status: 'fulfilled' },
    { status: 'rejected', reason: { code: 'STORE_FULL' } },
    { status: 'fulfilled' },
  ]);
  expect(textsOf(database)).toEqual(['first', 'small 1', 'small 2']);
});

it('is not opened without space, and is once there is', async () => {
  const ballast = fill(0);
  await expect(openStore()).rejects.toMatchObject({ code: 'STORE_FULL', path: join(folder, 'rows.db') });
  rmSync(ballast);
  await insert(await openStore(), 'first');
});
