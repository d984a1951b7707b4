/**
 * UUID version 7 (RFC 9562): 48 bits of wall time in milliseconds, then 74 random bits.
 *
 * Ids made later sort later, so the index over them grows at one end; ids made anywhere never meet.
 */
import { getRandomValues } from 'node:crypto';

/** A new id for something created at `nowMs`, in lower-case canonical form. */
export function uuidV7(nowMs: number): string {
  const bytes = getRandomValues(new Uint8Array(16));
  let rest = nowMs;
  for (let index = 5; index >= 0; index--) {
    bytes[index] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  bytes[6] = 0x70 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  const hex = Buffer.from(bytes.buffer).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
