import { expect, it } from 'vitest';
import { describeReadingStore, readingAt } from '../../testing/reading-store-conformance.ts';
import { TemporaryDatabase } from '../../testing/temporary-database.ts';
import { migrations } from './migrations.ts';
import { SqliteReadingStore } from './reading-store.ts';

describeReadingStore('SQLite', async () => {
  const temporary = await TemporaryDatabase.create();
  const database = await temporary.open({ migrations });
  return {
    store: new SqliteReadingStore(database, { node: 'here' }),
    close: () => temporary[Symbol.asyncDispose](),
  };
});

it('keeps the readings of each node apart and compacts those of all', async () => {
  await using temporary = await TemporaryDatabase.create();
  const database = await temporary.open({ migrations });
  const here = new SqliteReadingStore(database, { node: 'here' });
  const there = new SqliteReadingStore(database, { node: 'there' });
  await here.append(readingAt(0, { anonBytes: 1 }));
  await there.append(readingAt(0, { anonBytes: 2 }));
  const range = { fromMs: 0, toMs: 1000, maxPoints: 10 };
  expect((await here.range(range)).points).toEqual([expect.objectContaining({ anonBytes: 1 })]);
  expect((await there.range(range)).points).toEqual([expect.objectContaining({ anonBytes: 2 })]);
  expect(await here.compact(86_400_000 * 3)).toEqual({ merged: 2, removed: 0 });
  expect((await there.range(range)).resolutionMs).toBe(300_000);
});

it.each(["consumers = '{oops'", "figures = 'null'", 'level = 9'])(
  'tells a row where %s as damage of the store',
  async (damage) => {
    await using temporary = await TemporaryDatabase.create();
    const database = await temporary.open({ migrations });
    const store = new SqliteReadingStore(database, { node: 'here' });
    await store.append(readingAt(0));
    await database.write((db) => db.run(`UPDATE readings SET ${damage}`));
    const corrupt = { code: 'STORE_CORRUPT', path: temporary.path };
    await expect(store.range({ fromMs: 0, toMs: 1000, maxPoints: 10 })).rejects.toMatchObject(corrupt);
    await expect(store.append(readingAt(0))).rejects.toMatchObject(corrupt);
    await expect(store.compact(86_400_000 * 3)).rejects.toMatchObject(corrupt);
  },
);
