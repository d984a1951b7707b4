/**
 * The terms of one document as bytes: kept in its row, so that it can be indexed later and taken out of the index exactly.
 *
 * Layout: count, then per term its frequency, the length of its key, and the key.
 */
import { keyBytes, keyOfBytes, termKey } from './term-key.ts';
import { ByteReader, ByteWriter } from './varint.ts';

export function encodeTerms(terms: ReadonlyMap<string, number>): Uint8Array {
  const out = new ByteWriter(terms.size * 10 + 4);
  out.writeVarint(terms.size);
  for (const [term, frequency] of terms) {
    out.writeVarint(frequency);
    out.writeKey(termKey(term));
  }
  return out.toBytes();
}

/** How often each term occurs, by its key. */
export function decodeTerms(bytes: Uint8Array): Map<string, number> {
  const reader = new ByteReader(bytes);
  const terms = new Map<string, number>();
  for (let left = reader.readVarint(); left > 0; left--) {
    const frequency = reader.readVarint();
    terms.set(reader.readKey(), frequency);
  }
  return terms;
}

/**
 * Looks for a few terms in many documents without decoding them: two million terms take tens of milliseconds, where maps of all
 * of them take seconds and hundreds of megabytes.
 */
export class TermFinder {
  readonly #keys: ReadonlySet<string>;
  /** Keys by a hash of their bytes: what is 0 here is none of them. */
  readonly #possible = new Uint8Array(2 ** 16);

  constructor(keys: Iterable<string>) {
    this.#keys = new Set(keys);
    for (const key of this.#keys) this.#possible[hashOf(keyBytes(key), { from: 0, to: key.length })] = 1;
  }

  wants(key: string): boolean {
    return this.#keys.has(key);
  }

  /** How often each of the terms that occur does, by its key. */
  find(bytes: Uint8Array): ReadonlyMap<string, number> {
    const reader = new ByteReader(bytes);
    const found = new Map<string, number>();
    for (let left = reader.readVarint(); left > 0; left--) {
      const frequency = reader.readVarint();
      const length = reader.readVarint();
      const from = reader.position;
      reader.skip(length);
      if (this.#possible[hashOf(bytes, { from, to: from + length })] === 0) continue;
      const key = keyOfBytes(bytes.subarray(from, from + length));
      if (this.#keys.has(key)) found.set(key, frequency);
    }
    return found;
  }
}

/** FNV-1a, folded to 16 bits. */
function hashOf(bytes: Uint8Array, { from, to }: { from: number; to: number }): number {
  let hash = 0x811c9dc5;
  for (let index = from; index < to; index++) hash = Math.imul(hash ^ bytes[index]!, 0x01000193);
  return (hash ^ (hash >>> 16)) & 0xffff;
}

/** Length of a document as ranking counts it: how many terms, repeats included. */
export function lengthOf(terms: ReadonlyMap<string, number>): number {
  let length = 0;
  for (const frequency of terms.values()) length += frequency;
  return length;
}
