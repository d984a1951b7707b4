import { expect, it } from 'vitest';
import { memoryFor } from '../../testing/memory-store-conformance.ts';
import { TemporaryStore } from '../../testing/temporary-store.ts';

it.each(["tags = '[\"cut o'", "tags = '7'", "metadata = '{'", "metadata = '[]'"])(
  'tells a row where %s as damage of the store',
  async (damage) => {
    await using temporary = await TemporaryStore.create();
    const store = await temporary.openMemoryStore();
    const scope = { tenant: 'acme' };
    const item = memoryFor(scope, 'kept');
    await store.put([item]);
    const database = await temporary.openDatabase();
    await database.write((db) => db.run(`UPDATE memories SET ${damage}`));
    await expect(store.get(scope, item.memory.id)).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      path: database.path,
    });
  },
);
