/**
 * How much of what is held does useful work, and what could be had back. Pure.
 *
 * Waste is what nobody would miss: idle and expired bytes of consumers, heap pages beyond the live objects, and bytes freed here but
 * kept by the allocator. The score is the rest over what is held; before the first major collection, used heap stands for live.
 */
import type { HeapState } from './reading.ts';

export interface Opportunity {
  /** `idle in sessions`. */
  readonly what: string;
  readonly bytes: number;
}

export interface Usefulness {
  /** 0 to 100: bytes doing useful work over bytes held. */
  readonly efficiencyScore: number;
  /** What could be had back, largest first; small change is left out. */
  readonly opportunities: readonly Opportunity[];
}

/** Opportunities below this share of what is held are not worth a line. */
const SMALL_SHARE = 0.01;

export function usefulness(of: {
  heldBytes: number;
  heap: HeapState;
  idle: readonly { readonly name: string; readonly idleBytes: number }[];
  retainedBytes: number;
}): Usefulness {
  const { heap, heldBytes } = of;
  const liveBytes = heap.liveBytes ?? heap.usedBytes;
  const waste: Opportunity[] = [
    ...of.idle.map(({ name, idleBytes }) => ({ what: `idle in ${name}`, bytes: idleBytes })),
    { what: 'garbage on the heap', bytes: Math.max(0, heap.usedBytes - liveBytes) },
    { what: 'empty heap pages', bytes: Math.max(0, (heap.committedBytes ?? heap.usedBytes) - heap.usedBytes) },
    { what: 'kept by the allocator', bytes: of.retainedBytes },
  ];
  const wastedBytes = waste.reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    efficiencyScore: heldBytes > 0 ? Math.round(100 * Math.max(0, 1 - wastedBytes / heldBytes)) : 100,
    opportunities: waste
      .filter(({ bytes }) => bytes > SMALL_SHARE * heldBytes)
      .sort((one, other) => other.bytes - one.bytes),
  };
}
