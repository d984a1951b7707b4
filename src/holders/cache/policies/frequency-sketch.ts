/**
 * How often a key came lately, in about 8 bytes for each entry of the cache, for keys inside and outside it alike.
 *
 * A count-min sketch (Cormode and Muthukrishnan, 2005) of 4-bit counters with four places for each key; the least of them is the
 * estimate. After ten additions for each entry all counters are halved, so the past fades (TinyLFU: Einziger, Friedman and Manes, ACM
 * Transactions on Storage 2017).
 */
const MOST = 15;
const ADDITIONS_PER_ENTRY = 10;
const LEAST_WORDS = 32;
/** Clears the bit that a shift moved in from the neighbouring counter. */
const HALVED = 0x77777777;

export class FrequencySketch {
  /** Eight counters in each word. */
  #words = new Int32Array(LEAST_WORDS);
  #mask = LEAST_WORDS - 1;
  #additions = 0;
  #entries = 1;

  /** For a cache of `entries` from now on. Counts are lost where that changes its size. */
  reserve(entries: number): void {
    this.#entries = Math.max(1, entries);
    const length = Math.max(LEAST_WORDS, 2 ** Math.ceil(Math.log2(this.#entries)) * 2);
    if (length === this.#words.length) return;
    const old = this.#words;
    this.#words = new Int32Array(length);
    // Twice the words: a key's counters are in either half, so both get the old ones. Estimates stay as they were.
    for (let word = 0; word < length; word++) this.#words[word] = old[word & (old.length - 1)]!;
    this.#mask = length - 1;
  }

  increment(hash: number): void {
    const words = this.#words;
    let added = false;
    let mixed = hash;
    for (let row = 0; row < 4; row++) {
      mixed = remix(mixed);
      const word = mixed & this.#mask;
      const shift = (mixed >>> 29) << 2;
      if (((words[word]! >>> shift) & MOST) === MOST) continue;
      words[word]! += 1 << shift;
      added = true;
    }
    if (added && ++this.#additions >= ADDITIONS_PER_ENTRY * this.#entries) this.#fade();
  }

  /** 0 to 15. */
  estimate(hash: number): number {
    const words = this.#words;
    let least = MOST;
    let mixed = hash;
    for (let row = 0; row < 4; row++) {
      mixed = remix(mixed);
      const count = (words[mixed & this.#mask]! >>> ((mixed >>> 29) << 2)) & MOST;
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
  return Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
}
