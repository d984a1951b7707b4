import { describe, expect, it } from 'vitest';
import { describeMemoryStore, memoryFor } from '../../testing/memory-store-conformance.ts';
import { TemporaryStore } from '../../testing/temporary-store.ts';
import type { Scope } from '../scope.ts';
import { INDEX_BATCH } from './text-indexer.ts';

describeMemoryStore('SQLite', async () => {
  const temporary = await TemporaryStore.create();
  return {
    store: await temporary.openMemoryStore(),
    reopen: () => temporary.openMemoryStore(),
    close: () => temporary.close(),
  };
});

const ANN: Scope = { tenant: 'acme', user: 'ann', session: 's1' };

describe('the SQLite text index', () => {
  it('moves waiting documents into chunks and leaves fewer than a batch waiting', async () => {
    await using temporary = await TemporaryStore.create();
    const store = await temporary.openMemoryStore();
    await store.put(Array.from({ length: INDEX_BATCH * 3 + 5 }, (_, index) => memoryFor(ANN, `number${index} common`)));
    await store.settled();
    const database = await temporary.openDatabase();
    const state = database.read((db) =>
      db.get<{ waiting: number; indexed: number }>(
        `SELECT next_ordinal - indexed_ordinals AS waiting,
          (SELECT sum(count) FROM text_postings WHERE term = 'common') AS indexed FROM partitions`,
      ),
    );
    expect(state?.waiting).toBeLessThan(INDEX_BATCH);
    expect((state?.indexed ?? 0) + (state?.waiting ?? 0)).toBe(INDEX_BATCH * 3 + 5);
  });

  it('leaves no trace of a removed memory in any table', async () => {
    await using temporary = await TemporaryStore.create();
    const store = await temporary.openMemoryStore();
    const secret = memoryFor(ANN, 'zirconium password', { tags: ['private'], source: 'vault' });
    await store.put([secret, ...Array.from({ length: INDEX_BATCH }, (_, index) => memoryFor(ANN, `filler ${index}`))]);
    await store.settled();
    const database = await temporary.openDatabase();
    const traces = () =>
      database.read((db) => ({
        postings: db.all(`SELECT 1 FROM text_postings WHERE term = 'zirconium'`).length,
        tags: db.all(`SELECT 1 FROM memory_tags WHERE tag = 'private'`).length,
        rows: db.all('SELECT 1 FROM memories WHERE id = ?', secret.memory.id).length,
      }));
    expect(traces()).toEqual({ postings: 1, tags: 1, rows: 1 });
    await store.remove(ANN, secret.memory.id);
    expect(traces()).toEqual({ postings: 0, tags: 0, rows: 0 });
  });

  it('gives cached partitions back when asked, and answers without them', async () => {
    await using temporary = await TemporaryStore.create();
    const store = await temporary.openMemoryStore();
    await store.put([memoryFor(ANN, 'zebra')]);
    expect((await store.lexical(ANN, ['zebra'])).postings.size).toBe(1);
    const held = store.cache.bytes;
    expect(held).toBeGreaterThan(0);
    expect(store.cache.trim(1)).toBe(held);
    expect(store.cache.bytes).toBe(0);
    expect((await store.lexical(ANN, ['zebra'])).postings.size).toBe(1);
  });
});
