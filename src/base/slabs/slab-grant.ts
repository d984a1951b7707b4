/**
 * Who grants the bytes of slabs: a port, so that slabs stand below the budget and know nothing of it.
 *
 * Asked before the memory is made, told after it has gone back to the system, so what is granted is never less than what is
 * held. A holder's bytes (`budget/holder-bytes.ts`) fit as they are.
 */
export interface SlabGrant {
  /** Grants `bytes` now, or refuses; never waits. */
  tryTake(bytes: number): boolean;
  /** `bytes` have gone back to the system. */
  release(bytes: number): void;
}

/** Grants everything: for slabs outside any budget. */
export const unlimitedGrant: SlabGrant = { tryTake: () => true, release: () => {} };
