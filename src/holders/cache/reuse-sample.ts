/**
 * How far back keys are read again, in bytes: the reuse distance of a sample of the keys (SHARDS: Waldspurger et al., FAST 2015).
 *
 * The distance of a read is what was read since the last read of the same key, each key counted once: a cache of that many bytes
 * that keeps the most recently used would just have hit. Keys are sampled by hash, so either all reads of a key are seen or none, and a
 * thousand keys tell the curve of a million. Distances come from a Fenwick tree over the order of reads: O(log n) for each read of a sampled key,
 * nothing for the others.
 *
 * What left the cache stays in the sample for a while (up to four times what the cache holds): reads of it are the evidence for what more
 * room would bring.
 */
const MOST_KEYS = 1024;
const POSITIONS = 2 * MOST_KEYS;
/** Sampled beyond this many times what the cache holds, a key is forgotten. */
const REACH = 4;
/** With fewer sampled keys within what the cache holds, more are taken. */
const FEWEST_KEYS = 64;

interface Sampled {
  position: number;
  bytes: number;
}

export class ReuseSample {
  /** A key is sampled when none of these bits of its hash is set. */
  mask = 0;
  readonly #keys = new Map<number, Sampled>();
  /** Sums of bytes over positions, as a Fenwick tree; position 0 is the oldest. */
  readonly #tree = new Float64Array(POSITIONS + 1);
  #next = 0;
  #sampledBytes = 0;

  /** For how many keys each sampled one stands. */
  get factor(): number {
    return this.mask + 1;
  }

  /**
   * A sampled key was read, or came into the cache.
   *
   * @param heldBytes What the cache holds.
   * @returns its reuse distance in bytes, its own included; -1 for a key not known.
   */
  read(hash: number, bytes: number, heldBytes: number): number {
    const known = this.#keys.get(hash);
    let distance = -1;
    if (known !== undefined) {
      distance = (this.#sampledBytes - this.#sumBefore(known.position)) * this.factor;
      this.#add(known.position, -known.bytes);
      this.#keys.delete(hash);
    }
    if (this.#next === POSITIONS) this.#renumber();
    const sampled = known ?? { position: 0, bytes: 0 };
    sampled.position = this.#next++;
    sampled.bytes = bytes;
    // The map is in the order of the last read.
    this.#keys.set(hash, sampled);
    this.#add(sampled.position, bytes);
    if (this.#keys.size > MOST_KEYS) this.#thinOut(heldBytes);
    else if (this.mask > 0 && this.#next % MOST_KEYS === 0) this.#considerMore(heldBytes);
    return distance;
  }

  clear(): void {
    this.mask = 0;
    this.#keys.clear();
    this.#tree.fill(0);
    this.#next = 0;
    this.#sampledBytes = 0;
  }

  #thinOut(heldBytes: number): void {
    const reachBytes = (REACH * heldBytes) / this.factor;
    if (this.#sampledBytes <= reachBytes) {
      this.mask = 2 * this.mask + 1;
      for (const [hash, sampled] of this.#keys) {
        if ((hash & this.mask) !== 0) this.#forget(hash, sampled);
      }
    }
    for (const [hash, sampled] of this.#keys) {
      if (this.#keys.size <= MOST_KEYS && this.#sampledBytes <= reachBytes) return;
      this.#forget(hash, sampled);
    }
  }

  /** A cache that has shrunk is looked at more closely. */
  #considerMore(heldBytes: number): void {
    const within = this.#sampledBytes === 0 ? 0 : (heldBytes / this.factor / this.#sampledBytes) * this.#keys.size;
    if (within < FEWEST_KEYS) this.mask >>>= 1;
  }

  #forget(hash: number, { position, bytes }: Sampled): void {
    this.#add(position, -bytes);
    this.#keys.delete(hash);
  }

  /** Closes the gaps that old positions have left. */
  #renumber(): void {
    this.#tree.fill(0);
    this.#next = 0;
    this.#sampledBytes = 0;
    for (const sampled of this.#keys.values()) {
      sampled.position = this.#next++;
      this.#add(sampled.position, sampled.bytes);
    }
  }

  #add(position: number, bytes: number): void {
    this.#sampledBytes += bytes;
    for (let node = position + 1; node <= POSITIONS; node += node & -node) this.#tree[node]! += bytes;
  }

  #sumBefore(position: number): number {
    let sum = 0;
    for (let node = position; node > 0; node -= node & -node) sum += this.#tree[node]!;
    return sum;
  }
}
