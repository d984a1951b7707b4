/**
 * What long-term memory keeps in memory to rank quickly, as a consumer of the budget.
 *
 * All of it can be read again from the store within milliseconds, so it gives early and keeps no minimum.
 */
import type { Budget } from '../budget/budget.ts';
import type { Consumer } from '../budget/consumer.ts';

/** What can be dropped. */
export interface DroppableCache {
  readonly bytes: number;
  /** Drops at least `targetBytes` if it holds them; returns what it dropped. */
  trim(targetBytes: number): number;
}

/**
 * Registers a cache that is made with the account it asks for bytes, and returns it with a way to end the registration.
 */
export function registerRecallCache<C extends { readonly cache: DroppableCache }>(
  budget: Budget,
  make: (account: { tryGrow(bytes: number): boolean; shrink(bytes: number): void }) => C,
): { readonly holder: C; readonly registration: Disposable } {
  const consumer: Consumer = {
    name: 'recall cache',
    where: 'heap',
    priority: 8,
    weight: 1,
    minBytes: 0,
    reclaimableBytes: () => holder.cache.bytes,
    reclaim: ({ targetBytes }) => holder.cache.trim(targetBytes),
  };
  const registration = budget.register(consumer);
  const reservation = registration.reserve();
  const holder = make(reservation);
  return {
    holder,
    registration: {
      [Symbol.dispose]() {
        holder.cache.trim(Number.POSITIVE_INFINITY);
        reservation[Symbol.dispose]();
        registration[Symbol.dispose]();
      },
    },
  };
}
