/**
 * The terms of one document as bytes: kept in its row, so that it can be indexed later and taken out of the index exactly.
 *
 * Layout: count, then per term its frequency, its length in UTF-8 bytes, and the bytes.
 */
import { ByteReader, ByteWriter } from './varint.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeTerms(terms: ReadonlyMap<string, number>): Uint8Array {
  const out = new ByteWriter(terms.size * 10 + 4);
  out.writeVarint(terms.size);
  for (const [term, frequency] of terms) {
    const bytes = encoder.encode(term);
    out.writeVarint(frequency);
    out.writeVarint(bytes.length);
    out.writeBytes(bytes);
  }
  return out.toBytes();
}

export function decodeTerms(bytes: Uint8Array): Map<string, number> {
  const reader = new ByteReader(bytes);
  const terms = new Map<string, number>();
  for (let left = reader.readVarint(); left > 0; left--) {
    const frequency = reader.readVarint();
    terms.set(decoder.decode(reader.readBytes(reader.readVarint())), frequency);
  }
  return terms;
}

/** Length of a document as ranking counts it: how many terms, repeats included. */
export function lengthOf(terms: ReadonlyMap<string, number>): number {
  let length = 0;
  for (const frequency of terms.values()) length += frequency;
  return length;
}
