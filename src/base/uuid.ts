/**
 * UUID version 7 (RFC 9562): 48 bits of wall time in milliseconds, then 74 random bits.
 *
 * Ids made later sort later, so the index over them grows at one end; ids made anywhere never meet. The random bits are those of a
 * version 4 UUID, which Node makes many at a time.
 */
import { randomUUID } from 'node:crypto';

/** Where the random bits begin in a version 4 UUID, behind its version. */
const RANDOM_AT = 15;

/** A new id for something created at `nowMs` (0 or later), in lower-case canonical form. */
export function uuidV7(nowMs: number): string {
  const time = Math.max(0, Math.floor(nowMs)).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(RANDOM_AT)}`;
}
