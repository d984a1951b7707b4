/** Postings of one term, in memory and as bytes. */
import type { Postings } from '../memory-store.ts';
import { ByteReader, type ByteWriter } from './varint.ts';

/** Collects postings in ascending order of ordinal. */
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

  clear(): void {
    this.count = 0;
  }

  /** Adds `count` postings that `encode` wrote. */
  pushEncoded(bytes: Uint8Array, count: number): void {
    const reader = new ByteReader(bytes);
    let ordinal = 0;
    for (let left = count; left > 0; left--) {
      const value = reader.readVarint();
      ordinal += value >>> 1;
      this.push(ordinal, value & 1 ? reader.readVarint() : 1);
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

  /**
   * Writes the postings from `start` to before `end`: each as the distance to the previous ordinal, the first to 0, doubled, plus 1
   * when a frequency other than 1 follows. Ordinals therefore end at 2^31.
   */
  encode(out: ByteWriter, start: number, end: number): void {
    let previous = 0;
    for (let index = start; index < end; index++) {
      const ordinal = this.ordinals[index]!;
      const frequency = this.frequencies[index]!;
      out.writeVarint((ordinal - previous) * 2 + (frequency === 1 ? 0 : 1));
      if (frequency !== 1) out.writeVarint(frequency);
      previous = ordinal;
    }
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
