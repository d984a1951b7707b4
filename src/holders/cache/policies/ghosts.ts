/**
 * Keys that were let go lately, by hash: 12 bytes a place, no queue.
 *
 * Each ghost is stamped with the weight that had been let go before it. It counts as long as no more than `reach` has gone since: the
 * same as a first-in-first-out queue bounded by weight, without the queue (so the ghosts of S3-FIFO are kept in its paper). Places come in
 * buckets of four; in a full one the oldest is overwritten, so a few are forgotten early, and a key whose hash equals another's is
 * mistaken for it about once in four billion.
 */
import { resized } from './slot-list.ts';

const WAYS = 4;
/** Places for each entry the cache has room for. */
const PLACES_PER_SLOT = 1.5;

export class Ghosts {
  #hashes = new Int32Array(WAYS);
  /** When let go; 0 for an empty place. */
  #stamps = new Float64Array(WAYS);
  #bucketMask = 0;
  /** Weight let go so far. */
  #gone = 1;

  /** Room for as many ghosts as a cache of `slotCount` entries needs. */
  reserve(slotCount: number): void {
    const places = Math.max(WAYS, 2 ** Math.ceil(Math.log2(slotCount * PLACES_PER_SLOT)));
    if (places === this.#hashes.length) return;
    const hashes = resized(this.#hashes, this.#hashes.length);
    const stamps = this.#stamps;
    this.#hashes = new Int32Array(places);
    this.#stamps = new Float64Array(places);
    this.#bucketMask = places / WAYS - 1;
    for (let place = 0; place < hashes.length; place++) {
      if (stamps[place]! > 0) this.#put(hashes[place]!, stamps[place]!);
    }
  }

  remember(hash: number, weight: number): void {
    this.#put(hash, this.#gone);
    this.#gone += weight;
  }

  /** True, and forgotten, when `hash` was let go and no more than `reach` since. */
  take(hash: number, reach: number): boolean {
    const hashes = this.#hashes;
    const first = (hash & this.#bucketMask) * WAYS;
    for (let place = first; place < first + WAYS; place++) {
      if (hashes[place] !== hash || this.#stamps[place] === 0) continue;
      const isRecent = this.#gone - this.#stamps[place]! <= reach;
      this.#stamps[place] = 0;
      return isRecent;
    }
    return false;
  }

  clear(): void {
    this.#stamps.fill(0);
    this.#gone = 1;
  }

  #put(hash: number, stamp: number): void {
    const first = (hash & this.#bucketMask) * WAYS;
    let oldest = first;
    for (let place = first; place < first + WAYS; place++) {
      if (this.#hashes[place] === hash && this.#stamps[place]! > 0) {
        oldest = place;
        break;
      }
      if (this.#stamps[place]! < this.#stamps[oldest]!) oldest = place;
    }
    if (stamp < this.#stamps[oldest]!) return;
    this.#hashes[oldest] = hash;
    this.#stamps[oldest] = stamp;
  }
}
