import { expect, it } from 'vitest';
import { InvalidArgumentError } from '../../base/errors.ts';
import { describeEmbeddingStore } from '../../testing/embedding-store-conformance.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { TemporaryDatabase } from '../../testing/temporary-database.ts';
import { SqliteEmbeddingStore } from './embedding-store.ts';
import type { Migration } from './migrate.ts';
import { embeddings } from './migrations/006-embeddings.ts';
import { migrations } from './migrations.ts';

const known: readonly Migration[] = migrations;
const withEmbeddings = known.includes(embeddings) ? known : [...known, { ...embeddings, number: known.length + 1 }];

async function open(bounds: { maxRows?: number; maxBytes?: number } = {}) {
  const temporary = await TemporaryDatabase.create();
  const database = await temporary.open({ migrations: withEmbeddings });
  const clock = new ManualClock();
  return {
    database,
    clock,
    store: new SqliteEmbeddingStore(database, { nowMs: () => clock.nowMs(), ...bounds }),
    advance: async (ms: number) => {
      await database.write(() => {});
      await clock.advance(ms);
    },
    close: () => temporary[Symbol.asyncDispose](),
  };
}

describeEmbeddingStore('SQLite', open);

it('takes a damaged vector for a missing one', async () => {
  const { store, database, close } = await open();
  await store.put('m', [{ textHash: 'a', vector: Float32Array.of(1, 2) }]);
  await database.write((db) => db.run("UPDATE embeddings SET vector = x'0102030405'"));
  expect((await store.get('m', ['a'])).size).toBe(0);
  await store.put('m', [{ textHash: 'a', vector: Float32Array.of(3) }]);
  expect((await store.get('m', ['a'])).get('a')).toEqual(Float32Array.of(3));
  expect(store.totals()).toEqual({ rows: 1, bytes: 4 });
  await close();
});

it('writes a use once an hour, not with each read, and again when the clock was set back', async () => {
  const { store, database, clock, close } = await open();
  const usedAt = () =>
    database.read((db) => db.get<{ used_at_ms: number }>('SELECT used_at_ms FROM embeddings'))!.used_at_ms;
  await store.put('m', [{ textHash: 'a', vector: Float32Array.of(1) }]);
  const firstMs = usedAt();
  await clock.advance(1000);
  await store.get('m', ['a']);
  await database.write(() => {});
  expect(usedAt()).toBe(firstMs);
  await clock.advance(3_600_000);
  await store.get('m', ['a']);
  await database.write(() => {});
  expect(usedAt()).toBe(clock.nowMs());
  clock.jumpWallClock(-86_400_000);
  await store.get('m', ['a']);
  await database.write(() => {});
  expect(usedAt()).toBe(clock.nowMs());
  await close();
});

it('refuses bounds that are none', async () => {
  const { database, close } = await open();
  const nowMs = () => 0;
  expect(() => new SqliteEmbeddingStore(database, { nowMs, maxRows: Number.NaN })).toThrow(InvalidArgumentError);
  expect(() => new SqliteEmbeddingStore(database, { nowMs, maxBytes: -1 })).toThrow(InvalidArgumentError);
  await close();
});
