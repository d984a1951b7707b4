/** Bounds of slabs and blocks. */
import { GIB, MIB } from '../bytes.ts';

/** Smaller ones cost a mapping and a call to the system for too few bytes. */
export const MIN_SLAB_BYTES = MIB;
/** Larger ones are seldom empty, and a reclaim would return far more than it was asked for. */
export const MAX_SLAB_BYTES = 4 * MIB;
export const MAX_BLOCK_BYTES = GIB;

/** A power of two from 1 to 4 MB. */
export function isSlabBytes(bytes: number): boolean {
  return bytes >= MIN_SLAB_BYTES && bytes <= MAX_SLAB_BYTES && Number.isInteger(Math.log2(bytes));
}
