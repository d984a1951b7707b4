/**
 * Caches under budgets of their own with a clock that stands still: whole, closed and without a leak at the end of the test.
 *
 * Made once for each file: `const caches = new CachesUnderTest()`, `afterEach(() => caches.finish())`.
 */
import { expect } from 'vitest';
import { seededRandom } from '../base/random.ts';
import { Budget } from '../budget/budget.ts';
import { Cache } from '../holders/cache/cache.ts';
import type { CacheOptions } from '../holders/cache/cache-options.ts';
import { ManualClock } from './manual-clock.ts';

interface Made {
  readonly cache: { readonly isClosed: boolean; validate(): void; close(): void };
  readonly budget: Budget;
  readonly clock: ManualClock;
}

export class CachesUnderTest {
  readonly #made: Made[] = [];

  /** A cache whose entries count one byte each, unless told otherwise. */
  make<K, V>(options: Partial<CacheOptions<K, V>> & { limitBytes?: number } = {}) {
    const { limitBytes = 1_000_000, ...rest } = options;
    const clock = new ManualClock();
    const budget = new Budget({ limitBytes, clock, regrowthBytesPerSecond: Number.POSITIVE_INFINITY });
    const cache = new Cache<K, V>({
      ...{ name: 'cache', budget, clock, overheadBytes: 0, sizeOf: () => 1 },
      random: seededRandom(3),
      ...rest,
    });
    this.#made.push({ cache, budget, clock });
    return { cache, budget, clock };
  }

  finish(): void {
    for (const { cache, budget, clock } of this.#made.splice(0)) {
      if (!cache.isClosed) cache.validate();
      cache.close();
      cache.close();
      expect(budget.reservedBytes).toBe(0);
      expect(budget.close().leakedBytes).toBe(0);
      expect(clock.pendingTimers).toBe(0);
    }
  }
}
