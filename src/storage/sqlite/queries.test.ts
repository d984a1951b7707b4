import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InvariantError } from '../../base/assert.ts';
import { INSERT_ROW, TemporaryDatabase } from '../../testing/temporary-database.ts';
import type { SqliteDatabase } from './connection.ts';
import { type Connection, loadDriver } from './driver.ts';
import { PreparedQueries, type Queries } from './queries.ts';

interface Numbered {
  readonly n: number;
}

const COUNT_TO = 'WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < ?) SELECT n FROM c';

describe('queries', () => {
  let temporary: TemporaryDatabase;
  let database: SqliteDatabase;
  beforeEach(async () => {
    temporary = await TemporaryDatabase.create();
    database = await temporary.open();
  });
  afterEach(() => temporary[Symbol.asyncDispose]());

  it('give back what SQLite stores', () => {
    const values = [null, 1.5, 2 ** 53 - 1, 'naïve 🌍 end', new Uint8Array([0, 255])];
    const row = database.read((db) => db.get<object>('SELECT ? AS a, ? AS b, ? AS c, ? AS d, ? AS e', ...values));
    expect(Object.values(row!)).toEqual(values);
    expect(database.read((db) => db.get('SELECT 1 WHERE 0'))).toBeUndefined();
    expect(database.read((db) => db.all('SELECT 1 WHERE 0'))).toEqual([]);
  });

  it('refuse a text with a NUL character instead of cutting it off', async () => {
    const text = 'before\0after';
    await expect(database.write((db) => db.run(INSERT_ROW, text))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(() => database.read((db) => db.all('SELECT ?', text))).toThrow('NUL');
  });

  it('may run the same text inside a loop over its rows', () => {
    const pairs = database.read((db) => {
      const found: string[] = [];
      db.all(COUNT_TO, 1);
      for (const outer of db.iterate<Numbered>(COUNT_TO, 3)) {
        for (const inner of db.iterate<Numbered>(COUNT_TO, 2)) found.push(`${outer.n}${inner.n}`);
        found.push(String(db.all(COUNT_TO, outer.n).length));
      }
      return found;
    });
    expect(pairs).toEqual(['11', '12', '1', '21', '22', '2', '31', '32', '3']);
  });

  it('hold no snapshot after a row loop that was left halfway or outlives its work', async () => {
    await database.write((db) => [1, 2, 3].map((n) => db.run(INSERT_ROW, `${n}`)));
    let kept: Generator<unknown, void> | undefined;
    database.read((db) => {
      for (const _ of db.iterate('SELECT * FROM rows')) break;
      kept = db.iterate('SELECT * FROM rows');
      kept.next();
    });
    expect(kept!.next().done).toBe(true);
    const other = await temporary.openBare();
    other.prepare(INSERT_ROW).run('elsewhere');
    expect(database.read((db) => db.all('SELECT * FROM rows'))).toHaveLength(4);
    other.close();
    expect(database.checkpoint()).toBe(true);
  });

  it('end a row loop that was left by hand once, with its work, and then forget it', async () => {
    const { DatabaseSync } = await loadDriver();
    const connection = new DatabaseSync(':memory:', {});
    let ended = 0;
    const counting = {
      prepare: (sql: string) => ({
        get: () => undefined,
        iterate() {
          const rows = connection.prepare(sql).iterate();
          return {
            [Symbol.iterator]() {
              return this;
            },
            next: () => rows.next(),
            return: () => {
              ended++;
              return rows.return?.() ?? { done: true, value: undefined };
            },
          };
        },
      }),
    } as unknown as Connection;
    const queries = new PreparedQueries(counting);
    queries.during('read', (db) => void db.iterate('SELECT 1').next());
    queries.during('read', (db) => db.get('SELECT 1'));
    expect(ended).toBe(1);
    connection.close();
  });

  it('do not run outside of the work they were given to', async () => {
    let kept: Queries | undefined;
    await database.write((db) => {
      kept = db;
    });
    expect(() => kept!.run(INSERT_ROW, 'late')).toThrow(InvariantError);
    expect(() => kept!.get('SELECT 1')).toThrow(InvariantError);
    expect(() => kept!.iterate('SELECT 1').next()).toThrow(InvariantError);
  });
});

describe('prepared statements', () => {
  it('are prepared once, and again only when two hundred others came between', async () => {
    const { DatabaseSync } = await loadDriver();
    const connection = new DatabaseSync(':memory:', {});
    const prepared: string[] = [];
    const counting = {
      prepare(sql: string) {
        prepared.push(sql);
        return connection.prepare(sql);
      },
    } as Connection;
    new PreparedQueries(counting).during('read', (db) => {
      for (let round = 0; round < 3; round++) db.get('SELECT 0');
      expect(prepared).toEqual(['SELECT 0']);
      for (let other = 1; other <= 150; other++) db.get(`SELECT ${other}`);
      db.get('SELECT 0');
      for (let other = 151; other <= 300; other++) db.get(`SELECT ${other}`);
      db.get('SELECT 0');
      expect(prepared).toHaveLength(301);
      db.get('SELECT 1');
      expect(prepared).toHaveLength(302);
    });
    connection.close();
  });
});
