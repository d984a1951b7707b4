import { describe, expect, it } from 'vitest';
import { MIB } from '../base/bytes.ts';
import { Budget } from '../budget/budget.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { TemporaryStore } from '../testing/temporary-store.ts';
import { PageCacheConsumer } from './page-cache.ts';

describe('the page cache', () => {
  it('has the bound that the books show: at first, after a reclaim, and after growing back', async () => {
    await using temporary = await TemporaryStore.create();
    const database = await temporary.openDatabase();
    const clock = new ManualClock();
    using budget = new Budget({ name: 'node', limitBytes: 100 * MIB, clock, emit: () => {} });
    using pageCache = new PageCacheConsumer({ budget, cache: database, wantedBytes: 8 * MIB });
    const books = () => budget.snapshot().consumers.find(({ name }) => name === 'store page cache')?.bytes;
    const inForce = () =>
      database.read((db) => db.get<{ cache_size: number }>('PRAGMA cache_size')!.cache_size * -1024);
    const expectBound = (bytes: number) =>
      expect([books(), database.cacheBytes, inForce()]).toEqual([bytes, bytes, bytes]);

    expectBound(8 * MIB);
    await budget.reclaim({ targetBytes: 3 * MIB, level: 'high' });
    expectBound(5 * MIB);
    await budget.reclaim({ targetBytes: 100 * MIB, level: 'critical' });
    expectBound(MIB);
    await clock.advance(600_000);
    pageCache.regrow();
    expectBound(8 * MIB);
  });
});
