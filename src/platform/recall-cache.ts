/**
 * What long-term memory keeps in memory to rank quickly, as a holder under the budget.
 *
 * All of it can be read again from the store within milliseconds, so it gives early and keeps no minimum.
 */
import type { Budget } from '../budget/budget.ts';
import { HolderBytes } from '../budget/holder-bytes.ts';

/** A store with a cache that can be dropped. */
interface CachingStore {
  readonly cache: {
    /** Drops at least `targetBytes` if it holds them; returns what it dropped. */
    trim(targetBytes: number): number;
  };
}

/** Makes a store whose cache takes its bytes from `budget`, and returns both; the bytes are to be closed before the store. */
export function underBudget<S extends CachingStore>(
  budget: Budget,
  make: (account: { tryGrow(bytes: number): boolean; shrink(bytes: number): void }) => S,
): { readonly store: S; readonly registration: Disposable } {
  const held = new HolderBytes({
    budget,
    name: 'recall cache',
    where: 'heap',
    priority: 8,
    drop: ({ targetBytes }) => store.cache.trim(targetBytes),
  });
  const store = make({
    tryGrow: (bytes) => held.tryTake(bytes),
    shrink(bytes) {
      held.release(bytes);
      held.settle();
    },
  });
  return {
    store,
    registration: {
      [Symbol.dispose]() {
        store.cache.trim(Number.POSITIVE_INFINITY);
        held.close();
      },
    },
  };
}
