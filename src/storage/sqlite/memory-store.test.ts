import { statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { InvariantError } from '../../base/assert.ts';
import { nextTurn } from '../../base/clock.ts';
import { describeMemoryStore, memoryFor } from '../../testing/memory-store-conformance.ts';
import { TemporaryStore } from '../../testing/temporary-store.ts';
import type { Scope } from '../scope.ts';
import type { SqliteDatabase } from './connection.ts';
import { insertAll, removeSlice } from './memory-changes.ts';
import { SqliteMemoryStore } from './memory-store.ts';
import { INDEX_BATCH, indexSome } from './text-indexer.ts';
import { FAN_IN, readPostings } from './text-segments.ts';

describeMemoryStore('SQLite', async () => {
  const temporary = await TemporaryStore.create();
  return {
    store: await temporary.openMemoryStore(),
    reopen: () => temporary.openMemoryStore(),
    close: () => temporary.close(),
  };
});

const ANN: Scope = { tenant: 'acme', user: 'ann', session: 's1' };

/** What would have stopped the process while `action` ran. */
async function unhandledDuring(action: () => Promise<void>): Promise<unknown[]> {
  const errors: unknown[] = [];
  const listeners = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', (error) => errors.push(error));
  try {
    await action();
    await nextTurn();
  } finally {
    process.removeAllListeners('unhandledRejection');
    for (const listener of listeners) process.on('unhandledRejection', listener);
  }
  return errors;
}

describe('the SQLite text index', () => {
  it('moves waiting documents into segments and leaves fewer than a batch waiting', async () => {
    await using temporary = await TemporaryStore.create();
    const store = await temporary.openMemoryStore();
    await store.put(Array.from({ length: INDEX_BATCH * 3 + 5 }, (_, index) => memoryFor(ANN, `number${index} common`)));
    await store.settled();
    const database = await temporary.openDatabase();
    const state = database.read((db) => ({
      waiting: db.get<{ count: number }>('SELECT next_ordinal - indexed_ordinals AS count FROM partitions')!.count,
      indexed: readPostings(db, 1, 'common').count,
    }));
    expect(state.waiting).toBeLessThan(INDEX_BATCH);
    expect(state.indexed + state.waiting).toBe(INDEX_BATCH * 3 + 5);
  });

  it('answers and removes exactly after each step of a merge', async () => {
    await using temporary = await TemporaryStore.create();
    const database = await temporary.openDatabase();
    // Words in an order of their own for each document, so that a step leaves every segment partly moved.
    const rare = (index: number) =>
      Array.from({ length: 6 }, (_, word) => `w${(index * 7919 + word * 104_729) % 20_011}${'x'.repeat(40)}`);
    const text = (index: number) =>
      ['common', ['alpha', 'omega', 'kappa'][index % 3], ...rare(index), `n${index}`].join(' ');
    const items = Array.from({ length: INDEX_BATCH * FAN_IN }, (_, index) => memoryFor(ANN, text(index)));
    for (let from = 0; from < items.length; from += INDEX_BATCH) {
      await database.write((db) => insertAll(db, items.slice(from, from + INDEX_BATCH)));
      await database.write((db) => indexSome(db, 1));
    }
    const live = new Map(items.map((item, ordinal) => [ordinal, item]));
    const expectExact = () => {
      for (const term of ['common', 'alpha', 'omega', rare(5)[0]!, rare(2000)[1]!, 'n5']) {
        const expected = [...live].flatMap(([ordinal, { terms }]) => (terms.has(term) ? [ordinal] : []));
        const { ordinals, count } = database.read((db) => readPostings(db, 1, term));
        expect([...ordinals.subarray(0, count)], term).toEqual(expected);
      }
    };
    const underWay = () =>
      database.read((db) => db.all('SELECT 1 FROM text_segments WHERE merging_into IS NOT NULL')).length > 0;
    let midway = 0;
    for (let step = 1; await database.write((db) => indexSome(db, 1)); step++) {
      if (underWay()) midway++;
      const gone = (step * 97) % items.length;
      const { id } = live.get(gone)!.memory;
      await database.write((db) => removeSlice(db, ANN, { sql: 'm.id = ?', parameters: [id] }));
      live.delete(gone);
      expectExact();
    }
    expect(midway).toBeGreaterThan(3);
    expect(underWay()).toBe(false);
    expect(database.read((db) => db.all<object>('SELECT level FROM text_segments'))).toEqual([{ level: 1 }]);
  });

  it('keeps few segments of each level, however many documents came', async () => {
    await using temporary = await TemporaryStore.create();
    const database = await temporary.openDatabase();
    for (let batch = 0; batch < FAN_IN * FAN_IN + 3; batch++) {
      await database.write((db) =>
        insertAll(
          db,
          Array.from({ length: INDEX_BATCH }, () => memoryFor(ANN, `batch${batch}`)),
        ),
      );
      while (await database.write((db) => indexSome(db, 1)));
    }
    const levels = database.read((db) =>
      db.all<object>('SELECT level, count(*) AS segments FROM text_segments GROUP BY level ORDER BY level'),
    );
    expect(levels).toEqual([
      { level: 0, segments: 3 },
      { level: 2, segments: 1 },
    ]);
  });

  it('leaves no trace of a removed memory in any table', async () => {
    await using temporary = await TemporaryStore.create();
    const store = await temporary.openMemoryStore();
    // First and last of its block, so that the block's place names it too.
    const secret = memoryFor(ANN, 'aardvark zirconium', { tags: ['private'], source: 'vault' });
    await store.put([secret, ...Array.from({ length: INDEX_BATCH }, (_, index) => memoryFor(ANN, `filler ${index}`))]);
    await store.settled();
    const database = await temporary.openDatabase();
    const holding = (word: string) =>
      database
        .read((db) =>
          db.all<{ place: string; bytes: string }>(
            'SELECT hex(first_place) AS place, hex(bytes) AS bytes FROM text_blocks',
          ),
        )
        .filter(({ place, bytes }) => `${place} ${bytes}`.includes(Buffer.from(word).toString('hex').toUpperCase()))
        .length;
    await store.countUses([{ id: secret.memory.id, uses: 1, lastUsedAtMs: 5 }]);
    const traces = () => ({
      uses: database.read((db) => db.all('SELECT 1 FROM memory_uses')).length,
      postings: Math.min(holding('aardvark'), holding('zirconium')),
      tags: database.read((db) => db.all(`SELECT 1 FROM memory_tags WHERE tag = 'private'`)).length,
      rows: database.read((db) => db.all('SELECT 1 FROM memories WHERE id = ?', secret.memory.id)).length,
    });
    expect(traces()).toEqual({ uses: 1, postings: 1, tags: 1, rows: 1 });
    await store.remove(ANN, secret.memory.id);
    expect([holding('aardvark'), holding('zirconium')]).toEqual([0, 0]);
    expect(traces()).toEqual({ uses: 0, postings: 0, tags: 0, rows: 0 });
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
    await database.write((db) => {
      // As the migration to segments leaves it: what waits is not counted, only bounded from above.
      db.run('UPDATE partitions SET indexed_ordinals = 0, waiting_terms = total_length * 3');
      db.run('DELETE FROM text_segments');
      db.run('DELETE FROM text_documents');
    });
    const second = await temporary.openMemoryStore();
    expect((await second.lexical(ANN, ['zebra'])).postings.get('zebra')?.count).toBe(INDEX_BATCH);
    await second.settled();
    expect(database.read((db) => db.get('SELECT waiting_terms FROM partitions'))).toEqual({ waiting_terms: 0 });
    expect((await second.lexical(ANN, ['zebra'])).postings.get('zebra')?.count).toBe(INDEX_BATCH);
  });

  it('goes on after an indexing that broke, and lets the process know of it', async () => {
    await using temporary = await TemporaryStore.create();
    const database = await temporary.openDatabase();
    const broken = new InvariantError('broken');
    let writes = 0;
    const breaking: Pick<SqliteDatabase, 'read' | 'write'> = {
      read: (work) => database.read(work),
      write: (work, options) => (++writes === 3 ? Promise.reject(broken) : database.write(work, options)),
    };
    const store = new SqliteMemoryStore({
      database: breaking as SqliteDatabase,
      nowMs: () => 0,
      onEvent: () => {},
    });
    const half = () => store.put(Array.from({ length: INDEX_BATCH / 2 }, () => memoryFor(ANN, 'zebra')));
    const waiting = () =>
      database.read((db) =>
        db.get<{ count: number }>('SELECT next_ordinal - indexed_ordinals AS count FROM partitions'),
      );

    const unhandled = await unhandledDuring(async () => {
      await half();
      await half();
      await store.settled();
    });
    expect(unhandled).toEqual([broken]);
    expect(waiting()).toEqual({ count: INDEX_BATCH });
    await half();
    await store.settled();
    expect(waiting()).toEqual({ count: 0 });
  });

  it('counts uses without rewriting the memories', async () => {
    await using temporary = await TemporaryStore.create();
    const store = await temporary.openMemoryStore();
    const items = Array.from({ length: 500 }, (_, index) => memoryFor(ANN, `number${index} ${'filler '.repeat(400)}`));
    await store.put(items);
    await store.settled();
    const database = await temporary.openDatabase();
    database.checkpoint();
    await store.countUses(items.map(({ memory }) => ({ id: memory.id, uses: 1, lastUsedAtMs: 5 })));
    const textBytes = items.reduce((sum, { memory }) => sum + memory.text.length, 0);
    expect(statSync(`${temporary.path}-wal`).size).toBeLessThan(textBytes / 20);
  });

  it('tells its totals without a look at the partitions', async () => {
    await using temporary = await TemporaryStore.create();
    const store = await temporary.openMemoryStore();
    const database = await temporary.openDatabase();
    await store.put([memoryFor(ANN, 'zebra')]);
    await database.write((db) => {
      db.run('DROP TRIGGER partition_counted');
      db.run('UPDATE partitions SET live_documents = 99');
    });
    expect(store.statistics()).toEqual({ memories: 1, scopes: 1 });
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

  it('drops no more than it needs while the account grants nothing, because somebody else is first in line', async () => {
    await using temporary = await TemporaryStore.create();
    let reserved = 0;
    let closed = false;
    const account = {
      tryGrow(bytes: number) {
        if (!closed) reserved += bytes;
        return !closed;
      },
      shrink(bytes: number) {
        reserved -= bytes;
      },
    };
    const database = await temporary.openDatabase();
    const store = new SqliteMemoryStore({ database, account, nowMs: () => 0, onEvent: () => {} });
    const scopes = Array.from({ length: 6 }, (_, user) => ({ tenant: 'acme', user: `user ${user}` }));
    await store.put(scopes.map((scope) => memoryFor(scope, 'zebra')));
    for (const scope of scopes.slice(1)) await store.lexical(scope, ['zebra']);
    const before = store.cache.bytes;
    closed = true;
    expect((await store.lexical(scopes[0]!, ['zebra'])).postings.size).toBe(1);
    expect(store.cache.bytes).toBe(before);
    expect(reserved).toBe(before);
    // What is already kept is not dropped for being used.
    expect((await store.lexical(scopes[5]!, ['zebra'])).postings.size).toBe(1);
    expect(store.cache.bytes).toBe(before);
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
