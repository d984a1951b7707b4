import { statSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MIB } from '../../base/bytes.ts';
import { nextTurn } from '../../base/clock.ts';
import { INSERT_ROW, TemporaryDatabase, textsOf } from '../../testing/temporary-database.ts';
import { Checkpoints, FORCED_PAGES, IDLE_PAGES } from './checkpoints.ts';
import type { SqliteDatabase } from './connection.ts';

/** Turns enough for a checkpoint that is due. */
async function turns(count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn();
}

describe('the log', () => {
  let temporary: TemporaryDatabase;
  beforeEach(async () => {
    temporary = await TemporaryDatabase.create();
  });
  afterEach(() => temporary[Symbol.asyncDispose]());

  const fileBytes = () => statSync(temporary.path).size;
  const logBytes = () => statSync(`${temporary.path}-wal`).size;
  let written = 0;
  const write = (database: SqliteDatabase, bytes: number) =>
    database.write((db) => db.run(INSERT_ROW, `${written++} ${'x'.repeat(bytes)}`));

  it('is moved into the file by no COMMIT, but once writers have their answer', async () => {
    const database = await temporary.open();
    await write(database, 1);
    const before = fileBytes();
    await write(database, 6 * MIB);
    expect(fileBytes()).toBe(before);
    await turns();
    expect(fileBytes()).toBeGreaterThan(6 * MIB);
    const filled = logBytes();
    await write(database, 1 * MIB);
    expect(logBytes()).toBe(filled);
  });

  it('is left alone while it is short', async () => {
    const database = await temporary.open();
    await write(database, 1);
    const before = fileBytes();
    for (let index = 0; index < 3; index++) {
      await write(database, MIB / 2);
      await turns();
    }
    expect(fileBytes()).toBe(before);
  });

  it('has a bound though somebody always waits to write', async () => {
    // A sync takes turns in which others ask to write.
    const database = await temporary.open({ syncFile: () => turns(3) });
    let longest = 0;
    const lengths = new Set<number>();
    const writes: Promise<unknown>[] = [];
    for (let index = 0; index < 60; index++) {
      writes.push(write(database, MIB));
      await turns(1);
      lengths.add(fileBytes());
      longest = Math.max(longest, logBytes());
    }
    await Promise.all(writes);
    expect(longest).toBeGreaterThan(FORCED_PAGES * 4096);
    expect(longest).toBeLessThan(FORCED_PAGES * 4096 + 6 * MIB);
    const writtenBytes = fileBytes() + logBytes();
    expect(lengths.size).toBeGreaterThan(2);
    expect(lengths.size).toBeLessThanOrEqual(Math.ceil(writtenBytes / (FORCED_PAGES * 4096)) + 1);
  });

  it('is moved as far as another process that reads allows, and wholly once it has ended', async () => {
    const database = await temporary.open();
    await write(database, 1);
    const reader = await temporary.openBare();
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM rows').get();
    for (let index = 0; index < 6; index++) {
      await write(database, 3 * MIB);
      await turns();
    }
    expect(fileBytes()).toBeLessThan(MIB);
    reader.exec('COMMIT');
    await write(database, 5 * MIB);
    await turns();
    expect(fileBytes()).toBeGreaterThan(20 * MIB);
    expect(database.failure).toBeUndefined();
    expect(textsOf(database)).toHaveLength(8);
  });

  it('that another process has filled is moved as well', async () => {
    const database = await temporary.open();
    const other = await temporary.openBare();
    other.exec('PRAGMA wal_autocheckpoint = 0');
    other.prepare(INSERT_ROW).run('y'.repeat(6 * MIB));
    await write(database, 1);
    await turns();
    expect(fileBytes()).toBeGreaterThan(6 * MIB);
  });
});

describe('a checkpoint that fails', () => {
  const failures: unknown[] = [];
  const asking: number[] = [];
  const checkpointsThat = (run: () => { log: number }) => {
    failures.length = asking.length = 0;
    const wal = {
      failure: undefined,
      filling: () => 'first',
      holds: (pages: number) => {
        asking.push(pages);
        return true;
      },
      fail: (_: string, cause: unknown) => failures.push(cause),
    };
    return new Checkpoints({ path: '/data/tenure.db', wal: wal as never, isIdle: () => true, run });
  };
  const sqliteError = (errcode: number) => Object.assign(new Error('no'), { code: 'ERR_SQLITE_ERROR', errcode });

  it.each([
    ['the disk', 1034, [{ code: 'STORE_IO' }]],
    ['its space', 13, []],
    ['memory', 7, []],
  ])('for %s ends the store or is tried again when more has come', async (_, errcode, expected) => {
    const checkpoints = checkpointsThat(() => {
      throw sqliteError(errcode);
    });
    checkpoints.consider();
    await turns();
    checkpoints.consider();
    await checkpoints.close();
    expect(failures).toMatchObject(expected);
    expect(asking).toEqual([IDLE_PAGES, 2 * IDLE_PAGES]);
  });

  it('is none when the store is closed before its turn', async () => {
    let runs = 0;
    const checkpoints = checkpointsThat(() => ({ log: ++runs }));
    checkpoints.consider();
    await checkpoints.close();
    await turns();
    expect(runs).toBe(0);
  });
});
