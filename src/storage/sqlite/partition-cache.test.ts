import { describe, expect, it } from 'vitest';
import { memoryFor } from '../../testing/memory-store-conformance.ts';
import { TemporaryStore } from '../../testing/temporary-store.ts';
import { termKey } from '../text-index/term-key.ts';
import type { SqliteDatabase } from './connection.ts';
import { findPartition, insertAll } from './memory-changes.ts';
import { PartitionCache, UNLIMITED_ACCOUNT } from './partition-cache.ts';
import { indexSome } from './text-indexer.ts';
import { readPostings } from './text-segments.ts';

const ANN = { tenant: 'acme', user: 'ann' };
const DOCUMENTS = 40;

/** Where a question finds each term: indexed, and waiting. */
function found(cache: PartitionCache, database: SqliteDatabase, terms: readonly string[]): number[] {
  return database.read((db) => {
    const partition = findPartition(db, ANN)!;
    const { documents, waiting } = cache.open(db, partition, terms.map(termKey));
    expect(documents.size).toBe(partition.next_ordinal);
    return terms.map(
      (term) => readPostings(db, partition.id, termKey(term)).count + (waiting.get(termKey(term))?.length ?? 0) / 2,
    );
  });
}

describe('PartitionCache', () => {
  it('finds the same at every step of a large backlog, and holds next to nothing of it', async () => {
    await using temporary = await TemporaryStore.create();
    const database = await temporary.openDatabase();
    const long = (document: number) =>
      `zebra ключ ${Array.from({ length: 1500 }, (_, word) => `w${document}x${word}`).join(' ')}`;
    await database.write((db) =>
      insertAll(
        db,
        Array.from({ length: DOCUMENTS }, (_, document) => memoryFor(ANN, long(document))),
      ),
    );
    const cache = new PartitionCache(UNLIMITED_ACCOUNT);
    const id = database.read((db) => findPartition(db, ANN)!.id);
    let steps = 0;
    do {
      const expected = [DOCUMENTS, DOCUMENTS, 1, 1, 0];
      expect(found(cache, database, ['zebra', 'ключ', 'w0x7', 'w39x1499', 'absent'])).toEqual(expected);
      // What is left at the end waits as ever, by term.
      if (steps === 0) expect(cache.bytes).toBeLessThan(10_000);
      steps++;
    } while (await database.write((db) => indexSome(db, id)));
    expect(steps).toBeGreaterThan(5);
    await database.write((db) => insertAll(db, [memoryFor(ANN, 'zebra late')]));
    expect(found(cache, database, ['zebra', 'late'])).toEqual([DOCUMENTS + 1, 1]);
  });
});
