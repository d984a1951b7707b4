/**
 * The terms of one document as bytes: kept in its row, so that it can be indexed later and taken out of the index exactly.
 *
 * Layout: count, then per term its frequency, the length of its key, and the key.
 */
import { termKey } from './term-key.ts';
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

/** Length of a document as ranking counts it: how many terms, repeats included. */
export function lengthOf(terms: ReadonlyMap<string, number>): number {
  let length = 0;
  for (const frequency of terms.values()) length += frequency;
  return length;
}
