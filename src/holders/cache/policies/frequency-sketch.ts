/**
 * How often a key came lately, in about 8 bytes for each entry of the cache, for keys inside and outside it alike.
 *
 * A count-min sketch (Cormode and Muthukrishnan, 2005) of 4-bit counters with four places for each key; the least of them is the
 * estimate. The four lie within 32 bytes, so a key costs one access to memory and not four (as in Caffeine). After ten additions for each
 * entry all counters are halved, so the past fades (TinyLFU: Einziger, Friedman and Manes, ACM Transactions on Storage 2017).
 */
const MOST = 15;
const ADDITIONS_PER_ENTRY = 10;
/** A key's counters are in one block: two words of eight counters for each of its four places. */
const WORDS_PER_BLOCK = 8;
const WORDS_PER_ENTRY = 2;
/** Clears the bit that a shift moved in from the neighbouring counter. */
const HALVED = 0x77777777;

export class FrequencySketch {
  #words = new Int32Array(WORDS_PER_BLOCK);
  #blockMask = 0;
  #additions = 0;
  #entries = 1;

  /** For a cache of `entries` from now on. */
  reserve(entries: number): void {
    this.#entries = Math.max(1, entries);
    const length = Math.max(WORDS_PER_BLOCK, 2 ** Math.ceil(Math.log2(this.#entries)) * WORDS_PER_ENTRY);
    if (length === this.#words.length) return;
    const old = this.#words;
    this.#words = new Int32Array(length);
    // Growing, a key's counters may be in either half, so both get the old ones and estimates stay. Shrinking, one half is lost.
    for (let word = 0; word < length; word++) this.#words[word] = old[word & (old.length - 1)]!;
    this.#blockMask = length / WORDS_PER_BLOCK - 1;
  }

  increment(hash: number): void {
    const words = this.#words;
    const mixed = remix(hash);
    const first = (hash & this.#blockMask) * WORDS_PER_BLOCK;
    let added = 0;
    for (let place = 0; place < 4; place++) {
      const bits = mixed >>> (place << 3);
      const word = first + (place << 1) + (bits & 1);
      const shift = (bits & 14) << 1;
      if (((words[word]! >>> shift) & MOST) === MOST) continue;
      words[word]! += 1 << shift;
      added = 1;
    }
    this.#additions += added;
    if (this.#additions >= ADDITIONS_PER_ENTRY * this.#entries) this.#fade();
  }

  /** 0 to 15. */
  estimate(hash: number): number {
    const words = this.#words;
    const mixed = remix(hash);
    const first = (hash & this.#blockMask) * WORDS_PER_BLOCK;
    let least = MOST;
    for (let place = 0; place < 4; place++) {
      const bits = mixed >>> (place << 3);
      const count = (words[first + (place << 1) + (bits & 1)]! >>> ((bits & 14) << 1)) & MOST;
      if (count < least) least = count;
    }
    return least;
  }

  clear(): void {
    this.#words.fill(0);
    this.#additions = 0;
  }

  #fade(): void {
    const words = this.#words;
    for (let word = 0; word < words.length; word++) words[word] = (words[word]! >>> 1) & HALVED;
    this.#additions >>= 1;
  }
}

function remix(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x7feb352d) + 0x9e3779b9;
  return Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b) ^ (hash >>> 7);
}
