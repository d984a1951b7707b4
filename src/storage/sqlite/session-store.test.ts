import { describe, expect, it } from 'vitest';
import { describeSessionStore, newSession } from '../../testing/session-store-conformance.ts';
import { TemporaryDatabase } from '../../testing/temporary-database.ts';
import { migrations } from './migrations.ts';
import { SqliteSessionStore } from './session-store.ts';
import type { SyncFile } from './sync-file.ts';

const NOW_MS = Date.UTC(2026, 0, 1);

describeSessionStore('SQLite', async () => {
  const temporary = await TemporaryDatabase.create();
  const [one, other] = await Promise.all([temporary.open({ migrations }), temporary.open({ migrations })]);
  return {
    one: new SqliteSessionStore(one, { pool: 'mine' }),
    other: new SqliteSessionStore(other, { pool: 'mine' }),
    stranger: new SqliteSessionStore(one, { pool: 'another' }),
    close: () => temporary[Symbol.asyncDispose](),
  };
});

describe('a damaged file', () => {
  it.each([
    ['UPDATE session_values SET form = 9', 'a form that is none'],
    ['DELETE FROM session_values', 'no value'],
    ['UPDATE session_items SET form = -1', 'a form that is none'],
  ])('is told where %s, and the session can be removed', async (damage) => {
    await using temporary = await TemporaryDatabase.create();
    const database = await temporary.open({ migrations });
    const store = new SqliteSessionStore(database, { pool: 'mine' });
    await store.create(newSession('a', { items: { form: 'plain', bytes: Uint8Array.of(1), count: 1 } }));
    await database.write((db) => db.run(damage));
    await expect(store.read('a', NOW_MS)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    expect(await store.remove('a')).toBe(true);
  });
});

it('leaves nothing of a removed session, and does not rewrite a value to append to it', async () => {
  await using temporary = await TemporaryDatabase.create();
  const database = await temporary.open({ migrations });
  const store = new SqliteSessionStore(database, { pool: 'mine' });
  const large = { form: 'plain' as const, bytes: new Uint8Array(200_000) };
  await store.create(newSession('a', { value: large }));
  database.checkpoint();
  const before = database.sizeBytes();
  await store.write({
    id: 'a',
    fromVersion: 1,
    version: 2,
    append: { form: 'plain', bytes: new Uint8Array(1_000), count: 1 },
  });
  expect(database.sizeBytes() - before).toBeLessThan(40_000);
  await store.remove('a');
  for (const table of ['sessions', 'session_values', 'session_items']) {
    expect(database.read((db) => db.get(`SELECT count(*) AS rows FROM ${table}`))).toEqual({ rows: 0 });
  }
});

it('gives the space of removed sessions back to the file system', async () => {
  await using temporary = await TemporaryDatabase.create();
  const database = await temporary.open({ migrations });
  const store = new SqliteSessionStore(database, { pool: 'mine' });
  const large = { form: 'plain' as const, bytes: new Uint8Array(1_000_000) };
  for (let index = 0; index < 20; index++) await store.create(newSession(`s${index}`, { value: large }));
  database.checkpoint();
  const before = database.sizeBytes();
  expect(await store.removeExpired({ beforeMs: NOW_MS + 60_000, limit: 100 })).toBe(20);
  database.checkpoint();
  expect(database.sizeBytes()).toBeLessThan(before / 2);
});

it('refuses to write when the file does not take it, and keeps what was there', async () => {
  await using temporary = await TemporaryDatabase.create();
  let isBroken = false;
  const syncFile: SyncFile = () => (isBroken ? Promise.reject(new Error('EIO')) : Promise.resolve());
  const database = await temporary.open({ migrations, syncFile });
  const store = new SqliteSessionStore(database, { pool: 'mine' });
  await store.create(newSession('a'));
  isBroken = true;
  await expect(store.write({ id: 'a', fromVersion: 1, version: 2 })).rejects.toMatchObject({ code: 'STORE_IO' });
});
