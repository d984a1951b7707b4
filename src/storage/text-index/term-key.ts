/**
 * A term as a key: its UTF-8 bytes, one character for each byte.
 *
 * JavaScript orders strings by UTF-16 units and databases by bytes; the two disagree beyond the basic plane. Keys order alike in
 * both, are written and read without an encoder, and are the term itself for everything ASCII.
 */
const ASCII = /^[\0-\x7f]*$/;

export function termKey(term: string): string {
  return ASCII.test(term) ? term : Buffer.from(term).toString('latin1');
}

/** The bytes of a key, as a database compares them. */
export function keyBytes(key: string): Uint8Array {
  return Buffer.from(key, 'latin1');
}

export function keyOfBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
