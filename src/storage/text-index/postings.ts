/**
 * Postings of one term in chunks of at most `CHUNK_POSTINGS` documents.
 *
 * A chunk is a row: (partition, term, first ordinal) → count and bytes. Within it each posting is the gap to the previous
 * ordinal and the frequency, so a common term costs about two bytes a document. Chunks bound what a removal rewrites and what
 * an append reads back.
 */
import type { Postings } from '../memory-store.ts';
import { ByteReader, ByteWriter } from './varint.ts';

/** About 2 KB a chunk: half a database page, so appending stays cheap and a long list reads few rows. */
export const CHUNK_POSTINGS = 1024;

export interface PostingChunk {
  readonly firstOrdinal: number;
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** Collects postings, from chunks and from documents not yet in chunks, in ascending order of ordinal. */
export class PostingList implements Postings {
  count = 0;
  ordinals: Uint32Array;
  frequencies: Uint32Array;

  constructor(capacity: number) {
    this.ordinals = new Uint32Array(capacity);
    this.frequencies = new Uint32Array(capacity);
  }

  push(ordinal: number, frequency: number): void {
    if (this.count === this.ordinals.length) this.#grow();
    this.ordinals[this.count] = ordinal;
    this.frequencies[this.count++] = frequency;
  }

  pushChunk(chunk: PostingChunk): void {
    const reader = new ByteReader(chunk.bytes);
    let ordinal = chunk.firstOrdinal;
    for (let index = 0; index < chunk.count; index++) {
      ordinal += reader.readVarint();
      this.push(ordinal, reader.readVarint());
    }
  }

  /** Takes these ordinals out, those of them that are there. */
  removeAll(ordinals: ReadonlySet<number>): void {
    let kept = 0;
    for (let index = 0; index < this.count; index++) {
      const ordinal = this.ordinals[index]!;
      if (ordinals.has(ordinal)) continue;
      this.ordinals[kept] = ordinal;
      this.frequencies[kept++] = this.frequencies[index]!;
    }
    this.count = kept;
  }

  /** The list cut into chunks, ready to be written. */
  toChunks(): PostingChunk[] {
    const chunks: PostingChunk[] = [];
    for (let start = 0; start < this.count; start += CHUNK_POSTINGS) {
      const end = Math.min(start + CHUNK_POSTINGS, this.count);
      const firstOrdinal = this.ordinals[start]!;
      const out = new ByteWriter((end - start) * 3);
      let previous = firstOrdinal;
      for (let index = start; index < end; index++) {
        const ordinal = this.ordinals[index]!;
        out.writeVarint(ordinal - previous);
        out.writeVarint(this.frequencies[index]!);
        previous = ordinal;
      }
      chunks.push({ firstOrdinal, count: end - start, bytes: out.toBytes() });
    }
    return chunks;
  }

  #grow(): void {
    const capacity = Math.max(16, this.ordinals.length * 2);
    const ordinals = new Uint32Array(capacity);
    const frequencies = new Uint32Array(capacity);
    ordinals.set(this.ordinals);
    frequencies.set(this.frequencies);
    this.ordinals = ordinals;
    this.frequencies = frequencies;
  }
}
