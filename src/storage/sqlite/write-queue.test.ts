import { getEventListeners } from 'node:events';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InvariantError } from '../../base/assert.ts';
import { systemClock } from '../../base/clock.ts';
import { seededRandom } from '../../base/random.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { INSERT_ROW, TemporaryDatabase, textsOf } from '../../testing/temporary-database.ts';
import type { StoreIoError } from '../storage-errors.ts';
import type { SqliteDatabase } from './connection.ts';
import type { Connection } from './driver.ts';
import { PreparedQueries } from './queries.ts';
import type { SyncFile } from './sync-file.ts';
import { Transactions } from './transactions.ts';
import { WalFile } from './wal-file.ts';
import { WriteQueue } from './write-queue.ts';

let temporary: TemporaryDatabase;
beforeEach(async () => {
  temporary = await TemporaryDatabase.create();
});
afterEach(() => temporary[Symbol.asyncDispose]());

const insert = (database: SqliteDatabase, text: string | null) =>
  database.write((db) => db.run(INSERT_ROW, text).lastInsertRowid);

/** Lets what is ready run: turns of the event loop, with their promise continuations. */
async function turns(count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Syncs of the log that end only when told to. */
class HeldSyncs {
  readonly held: { resolve: () => void; reject: (error: Error) => void }[] = [];
  readonly sync: SyncFile = () => new Promise<void>((resolve, reject) => this.held.push({ resolve, reject }));
}

/** A queue over a connection of its own on which one statement fails, with a result code of SQLite. */
async function queueFailingAt(sql: string, errcode: number) {
  await temporary.open();
  const connection = await temporary.openBare();
  const fail = () => {
    throw Object.assign(new Error(`code ${errcode}`), { code: 'ERR_SQLITE_ERROR', errcode });
  };
  const failing = {
    prepare: (text: string) => (text === sql ? { get: fail } : connection.prepare(text)),
    get isTransaction() {
      return connection.isTransaction;
    },
  } as Connection;
  const failures: StoreIoError[] = [];
  const { path } = temporary;
  const wal = new WalFile(path, {
    sync: async () => {},
    files: { loss: () => null },
    onFailure: (error) => failures.push(error),
  });
  const queue = new WriteQueue({
    path,
    transactions: new Transactions(failing, new PreparedQueries(failing), path),
    wal,
    clock: systemClock,
    random: seededRandom(1),
    lockTimeoutMs: 1000,
    onLockWaited: () => {},
    onSettled: () => {},
  });
  const close = async () => {
    await queue.close();
    await wal.close();
    connection.close();
  };
  return { queue, failures, close };
}

const OUT_OF_MEMORY = 7;

describe('a write', () => {
  it('resolves with the result of its work, visible to every later read', async () => {
    const database = await temporary.open();
    const { signal } = new AbortController();
    const write = (text: string) => database.write((db) => db.run(INSERT_ROW, text).lastInsertRowid, { signal });
    expect(await Promise.all(['a', 'b', 'c'].map(write))).toEqual([1, 2, 3]);
    expect(textsOf(database)).toEqual(['a', 'b', 'c']);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('resolves only when the log has reached the disk, though others may read it before', async () => {
    const { held, sync } = new HeldSyncs();
    const database = await temporary.open({ syncFile: sync });
    let settled = false;
    const writing = insert(database, 'a').then(() => {
      settled = true;
    });
    await turns();
    expect({ settled, syncs: held.length, texts: textsOf(database) }).toEqual({
      settled: false,
      syncs: 1,
      texts: ['a'],
    });
    held[0]!.resolve();
    await writing;
  });

  it('shares one sync with all that committed before it began, and never one that began earlier', async () => {
    const { held, sync } = new HeldSyncs();
    const database = await temporary.open({ syncFile: sync });
    const settled: string[] = [];
    const write = (text: string) => insert(database, text).then(() => settled.push(text));
    const first = [write('a'), write('b')];
    await turns();
    const second = [write('c')];
    await turns();
    second.push(write('d'));
    await turns();
    expect(textsOf(database)).toEqual(['a', 'b', 'c', 'd']);
    held[0]!.resolve();
    await Promise.all(first);
    await turns();
    expect(settled).toEqual(['a', 'b']);
    expect(held).toHaveLength(2);
    held[1]!.resolve();
    await Promise.all(second);
    expect(held).toHaveLength(2);
  });

  it('that throws is undone alone and rejects alone, in whatever group it runs', async () => {
    const database = await temporary.open();
    const failing = database.write((db) => {
      db.run(INSERT_ROW, 'lost');
      throw new RangeError('no');
    });
    const outcomes = await Promise.allSettled([
      insert(database, 'a'),
      failing,
      insert(database, null),
      insert(database, 'b'),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    await expect(failing).rejects.toBeInstanceOf(RangeError);
    await expect(insert(database, null)).rejects.toThrow('NOT NULL');
    expect(textsOf(database)).toEqual(['a', 'b']);
  });

  it('that fails only at COMMIT takes nobody of its group with it, and nobody runs more than twice', async () => {
    const database = await temporary.open();
    let runs = 0;
    const orphan = database.write((db) => {
      runs++;
      db.run('INSERT INTO rows (text, parent) VALUES (?, 99)', 'orphan');
    });
    const outcomes = await Promise.allSettled([insert(database, 'a'), orphan, insert(database, 'b')]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    await expect(orphan).rejects.toThrow('FOREIGN KEY');
    expect(textsOf(database)).toEqual(['a', 'b']);
    expect(runs).toBe(2);
  });

  it('that meets the end of the space takes nobody of its group with it', async () => {
    const database = await temporary.open();
    const grown = (pages: number) =>
      database.read((db) => {
        const { page_count: count } = db.get<{ page_count: number }>('PRAGMA page_count')!;
        db.get(`PRAGMA max_page_count = ${count + pages}`);
      });
    grown(10);
    const huge = insert(database, 'x'.repeat(100_000));
    const outcomes = await Promise.allSettled([insert(database, 'a'), huge, insert(database, 'b')]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    await expect(huge).rejects.toMatchObject({ code: 'STORE_FULL', path: temporary.path });
    grown(100);
    await insert(database, 'x'.repeat(100_000));
    expect(textsOf(database).map((text) => text.slice(0, 1))).toEqual(['a', 'b', 'x']);
  });

  it('can be withdrawn while it waits, not once it ran', async () => {
    const { held, sync } = new HeldSyncs();
    const database = await temporary.open({ syncFile: sync });
    const [early, late, before] = [new AbortController(), new AbortController(), AbortSignal.abort('before')];
    const withdrawn = database.write((db) => db.run(INSERT_ROW, 'early'), { signal: early.signal });
    const kept = database.write((db) => db.run(INSERT_ROW, 'late'), { signal: late.signal });
    early.abort('early');
    await expect(withdrawn).rejects.toBe('early');
    await expect(database.write((db) => db.run(INSERT_ROW, 'no'), { signal: before })).rejects.toBe('before');
    await turns();
    late.abort('late');
    held[0]!.resolve();
    expect(await kept).toMatchObject({ changes: 1 });
    expect(textsOf(database)).toEqual(['late']);
  });

  it('must be synchronous', async () => {
    const database = await temporary.open();
    await expect(database.write(async (db) => db.run(INSERT_ROW, 'a'))).rejects.toBeInstanceOf(InvariantError);
    expect(textsOf(database)).toEqual([]);
  });

  it('asked for by other work runs on its own', async () => {
    const database = await temporary.open();
    let inner: Promise<number> | undefined;
    await database.write((db) => {
      inner = insert(database, 'inner');
      db.run(INSERT_ROW, 'outer');
    });
    expect(await inner).toBe(2);
  });

  it('gives up the lock between groups when many wait, so that a group stays short', async () => {
    const clock = new ManualClock();
    const database = await temporary.open({ clock });
    const other = await temporary.openBare();
    const seen: number[] = [];
    const slow = (text: string) => {
      const done = database.write((db) => {
        void clock.advance(6);
        return db.run(INSERT_ROW, text);
      });
      return done.then(() => seen.push(other.prepare('SELECT count(*) AS count FROM rows').get().count));
    };
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map(slow));
    expect(seen).toEqual([2, 2, 4, 4, 5]);
  });
});

describe('a lock of another connection', () => {
  it('is waited for on the clock, told when it took long, and then written', async () => {
    const clock = new ManualClock();
    const database = await temporary.open({ clock });
    const other = await temporary.openBare();
    other.exec('BEGIN IMMEDIATE');
    const writing = insert(database, 'a');
    await turns();
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(1200);
    other.exec('COMMIT');
    await clock.advance(60);
    expect(await writing).toBe(1);
    expect(clock.pendingTimers).toBe(0);
    expect(temporary.events).toContainEqual(
      expect.objectContaining({ type: 'storage.lock_waited', path: temporary.path, waitedMs: expect.any(Number) }),
    );
  });

  it('is given up after the time allowed for each write; later ones still get through', async () => {
    const clock = new ManualClock();
    const database = await temporary.open({ clock, lockTimeoutMs: 2000 });
    const other = await temporary.openBare();
    other.exec('BEGIN IMMEDIATE');
    const early = insert(database, 'early');
    const refused = expect(early).rejects.toMatchObject({ code: 'STORE_LOCKED', details: { path: temporary.path } });
    await turns();
    await clock.advance(1500);
    const late = insert(database, 'late');
    await clock.advance(600);
    await refused;
    other.exec('ROLLBACK');
    await clock.advance(60);
    await late;
    expect(textsOf(database)).toEqual(['late']);
  });

  it('does not keep readers away', async () => {
    const database = await temporary.open();
    await insert(database, 'a');
    const other = await temporary.openBare();
    other.exec('BEGIN IMMEDIATE');
    other.prepare(INSERT_ROW).run('b');
    expect(textsOf(database)).toEqual(['a']);
    other.exec('COMMIT');
    expect(textsOf(database)).toEqual(['a', 'b']);
  });
});

describe('a disk that fails', () => {
  it('rejects every write it may have lost, and all after them, until the store is opened again', async () => {
    const { held, sync } = new HeldSyncs();
    const database = await temporary.open({ syncFile: sync });
    const lost = [insert(database, 'a'), insert(database, null)];
    const outcome = Promise.allSettled(lost);
    await turns();
    const pipelined = insert(database, 'b');
    const rejected = expect(pipelined).rejects.toMatchObject({ code: 'STORE_IO' });
    await turns();
    held[0]!.reject(new Error('EIO: i/o error, fdatasync'));
    expect(await outcome).toMatchObject([{ reason: { code: 'STORE_IO' } }, { reason: { code: 'STORE_IO' } }]);
    await rejected;
    const before = textsOf(database);
    await expect(insert(database, 'c')).rejects.toMatchObject({ code: 'STORE_IO' });
    expect(textsOf(database)).toEqual(before);
    expect(held).toHaveLength(1);
    expect(temporary.events.filter(({ type }) => type === 'storage.failed')).toMatchObject([{ code: 'STORE_IO' }]);
    await database.close();
    const again = await temporary.open();
    expect(await insert(again, 'd')).toBeGreaterThan(0);
  });

  it('ends the store when a transaction cannot be rolled back, and leaves nobody waiting', async () => {
    const { queue, failures, close } = await queueFailingAt('ROLLBACK', OUT_OF_MEMORY);
    const duplicates = ['a', 'a'].map((text) => queue.write((db) => db.run(INSERT_ROW, text)));
    const orphan = queue.write((db) => db.run('INSERT INTO rows (text, parent) VALUES (?, 99)', 'orphan'));
    expect(await Promise.allSettled([...duplicates, orphan])).toMatchObject([
      { reason: { code: 'STORE_IO' } },
      { reason: { code: 'STORE_IO' } },
      { reason: { code: 'STORE_IO' } },
    ]);
    await expect(queue.write((db) => db.run(INSERT_ROW, 'b'))).rejects.toMatchObject({ code: 'STORE_IO' });
    expect(failures).toMatchObject([{ code: 'STORE_IO', cause: { code: 'STORE_FAILED' } }]);
    await close();
    expect(textsOf(await temporary.open())).toEqual([]);
  });

  it('keeps no half of a write that could not be undone alone', async () => {
    const { queue, close } = await queueFailingAt('ROLLBACK TO work', OUT_OF_MEMORY);
    const halfway = queue.write((db) => {
      db.run(INSERT_ROW, 'half');
      throw new RangeError('no');
    });
    const others = ['a', 'b'].map((text) => queue.write((db) => db.run(INSERT_ROW, text)));
    await expect(halfway).rejects.toBeInstanceOf(RangeError);
    await Promise.all(others);
    await close();
    expect(textsOf(await temporary.open()).sort()).toEqual(['a', 'b']);
  });

  it.each(['', '-wal', '-shm'])('is noticed when rows.db%s is gone while it is synced', async (suffix) => {
    let remove = () => {};
    const syncFile = async () => remove();
    const database = await temporary.open({ syncFile });
    await insert(database, 'a');
    remove = () => renameSync(`${temporary.path}${suffix}`, join(temporary.folder, 'elsewhere'));
    await expect(insert(database, 'b')).rejects.toMatchObject({ code: 'STORE_IO' });
    await expect(insert(database, 'c')).rejects.toBe(database.failure);
  });
});
