import { statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MIB } from '../../base/bytes.ts';
import { memoryFor } from '../../testing/memory-store-conformance.ts';
import { INSERT_ROW, TemporaryDatabase, textsOf } from '../../testing/temporary-database.ts';
import { TemporaryStore } from '../../testing/temporary-store.ts';
import { freePages, giveBackSome, PAGES_AT_ONCE, SPARE_PAGES } from './free-pages.ts';

const pagesOf = (bytes: number) => Math.ceil(bytes / 4096);

describe('free pages', () => {
  it('go back to the file system a slice at a time, but for those the next writes will use', async () => {
    await using temporary = await TemporaryDatabase.create();
    const database = await temporary.open();
    await database.write((db) => {
      for (let index = 0; index < 1100; index++) db.run(INSERT_ROW, `${index} ${'x'.repeat(3500)}`);
    });
    await database.write((db) => db.run('DELETE FROM rows WHERE id % 20 > 0'));
    const free = database.read(freePages);
    expect(free).toBeGreaterThan(SPARE_PAGES + 2 * PAGES_AT_ONCE);
    const texts = textsOf(database);
    expect(await database.write(giveBackSome)).toBe(true);
    expect(database.read(freePages)).toBeGreaterThanOrEqual(free - PAGES_AT_ONCE - 1);

    await database.giveBackSpace();
    expect(database.read(freePages)).toBeLessThanOrEqual(SPARE_PAGES);
    expect(database.read(freePages)).toBeGreaterThan(SPARE_PAGES - 16);
    database.checkpoint();
    expect(pagesOf(database.sizeBytes())).toBeLessThan(SPARE_PAGES + 400);
    expect(textsOf(database)).toEqual(texts);
    expect(database.read((db) => db.get('PRAGMA integrity_check'))).toEqual({ integrity_check: 'ok' });
  });

  it('stay when there are few', async () => {
    await using temporary = await TemporaryDatabase.create();
    const database = await temporary.open();
    await database.write((db) => db.run(INSERT_ROW, 'x'.repeat(MIB)));
    await database.write((db) => db.run('DELETE FROM rows'));
    const free = database.read(freePages);
    await database.giveBackSpace();
    expect(database.read(freePages)).toBe(free);
  });

  it('go back by themselves after memories were removed', async () => {
    await using temporary = await TemporaryStore.create();
    const database = await temporary.openDatabase();
    const store = await temporary.openMemoryStore();
    const scope = { tenant: 'acme' };
    const text = 'filler '.repeat(4000);
    for (let batch = 0; batch < 4; batch++) {
      await store.put(Array.from({ length: 128 }, () => memoryFor(scope, text, { source: 'big.md' })));
    }
    await store.settled();
    database.checkpoint();
    const before = statSync(temporary.path).size;
    expect(before).toBeGreaterThan(12 * MIB);
    expect(await store.removeSource(scope, 'big.md')).toBe(512);
    await store.settled();
    database.checkpoint();
    expect(statSync(temporary.path).size).toBeLessThan(SPARE_PAGES * 4096 + 2 * MIB);
  });
});
