import { describe, expect, it } from 'vitest';
import { describeMemoryStore, memoryFor } from '../../testing/memory-store-conformance.ts';
import { TemporaryStore } from '../../testing/temporary-store.ts';
import type { Scope } from '../scope.ts';
import { SqliteMemoryStore } from './memory-store.ts';
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

  it('indexes long documents before a batch of them has gathered', async () => {
    await using temporary = await TemporaryStore.create();
    const store = await temporary.openMemoryStore();
    const rare = (document: number) => Array.from({ length: 1500 }, (_, word) => `w${document}x${word}`).join(' ');
    await store.put(Array.from({ length: 12 }, (_, document) => memoryFor(ANN, rare(document))));
    await store.settled();
    const database = await temporary.openDatabase();
    const state = database.read((db) =>
      db.get<{ waiting: number; counted: number }>(
        'SELECT waiting_terms AS counted, (next_ordinal - indexed_ordinals) * 1500 AS waiting FROM partitions',
      ),
    );
    expect(state?.counted).toBe(state?.waiting);
    expect(state?.counted).toBeLessThan(8000);
    expect((await store.lexical(ANN, ['w0x7', 'w11x7'])).postings.size).toBe(2);
  });

  it('goes on with a backlog that a closed process left', async () => {
    await using temporary = await TemporaryStore.create();
    const first = await temporary.openMemoryStore();
    await first.put(Array.from({ length: INDEX_BATCH }, () => memoryFor(ANN, 'zebra')));
    await first.settled();
    const database = await temporary.openDatabase();
    const undo = `UPDATE partitions SET indexed_ordinals = 0, waiting_terms = ${INDEX_BATCH}`;
    await database.write((db) => {
      db.run(undo);
      db.run('DELETE FROM text_postings');
      db.run('DELETE FROM text_documents');
    });
    const second = await temporary.openMemoryStore();
    expect((await second.lexical(ANN, ['zebra'])).postings.get('zebra')?.count).toBe(INDEX_BATCH);
    await second.settled();
    expect(database.read((db) => db.get('SELECT waiting_terms FROM partitions'))).toEqual({ waiting_terms: 0 });
    expect((await second.lexical(ANN, ['zebra'])).postings.get('zebra')?.count).toBe(INDEX_BATCH);
  });

  it('makes room for a hot partition by dropping cold ones, and books nothing it does not keep', async () => {
    await using temporary = await TemporaryStore.create();
    let free = 4000;
    const account = {
      tryGrow(bytes: number) {
        if (bytes > free) return false;
        free -= bytes;
        return true;
      },
      shrink(bytes: number) {
        free += bytes;
      },
    };
    const database = await temporary.openDatabase();
    const store = new SqliteMemoryStore({ database, account, nowMs: () => 0, onEvent: () => {} });
    const scopes = Array.from({ length: 6 }, (_, user) => ({ tenant: 'acme', user: `user ${user}` }));
    await store.put(scopes.map((scope) => memoryFor(scope, 'zebra')));
    for (const scope of scopes) {
      expect((await store.lexical(scope, ['zebra'])).postings.size).toBe(1);
      expect(store.cache.bytes).toBeGreaterThan(0);
      expect(store.cache.bytes + free).toBe(4000);
    }
    store.cache.clear();
    expect(free).toBe(4000);
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
