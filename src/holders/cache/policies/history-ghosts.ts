/**
 * The pasts of entries that left, by hash of the key: 12 bytes each, at most twice as many as entries are held.
 *
 * Places come in sets of four, so that finding one touches a line of memory, or two. In a full set the least valuable is forgotten,
 * by the same values by which the cache evicts, and counted as forgotten at its age. There is no room before the first eviction; then it
 * follows the number of entries held. A key whose hash equals another's takes the other's past, about once in four billion.
 */
import { invariant } from '../../../base/assert.ts';
import { cellOf } from './reuse-history.ts';
import type { ReuseOdds } from './reuse-odds.ts';

const WAYS = 4;
const GHOSTS_PER_ENTRY = 2;
const GROW_AT = 1.25;
const SHRINK_AT = 0.5;
/** A place: hash, when last used, past (0 when the place is empty). */
const STRIDE = 3;
const LAST = 1;
const HISTORY = 2;

export class HistoryGhosts {
  readonly #odds: ReuseOdds;
  #places = new Int32Array(0);
  #setCount = 0;
  #setsPerHash = 0;
  /** The number of entries the room was made for. */
  #madeFor = 0;
  /** Of the ghost that `take` found last. */
  lastUse = 0;

  constructor(odds: ReuseOdds) {
    this.#odds = odds;
  }

  get room(): number {
    return this.#places.length / STRIDE;
  }

  /** Takes a ghost out: its past, and when it was last used in `lastUse`; 0 for a key not remembered. */
  take(hash: number): number {
    if (this.#setCount === 0) return 0;
    const places = this.#places;
    const from = this.#setOf(hash);
    for (let at = from; at < from + WAYS * STRIDE; at += STRIDE) {
      const history = places[at + HISTORY]!;
      if (places[at] !== hash || history === 0) continue;
      this.lastUse = places[at + LAST]!;
      places[at + HISTORY] = 0;
      return history;
    }
    return 0;
  }

  /** Remembers one that leaves a cache in which `heldCount` remain. */
  put(hash: number, { lastUse, history, now, heldCount }: Departed): void {
    if (heldCount > this.#madeFor * GROW_AT || heldCount < this.#madeFor * SHRINK_AT) this.#resize(heldCount, now);
    this.#insert(hash, lastUse, history, now);
  }

  /** Tells the odds of every one of about `sampleCount`, each for those it stands for. */
  countWaiting(now: number, { sampleCount, phase }: { sampleCount: number; phase: number }): void {
    const places = this.#places;
    const weight = Math.max(1, this.room / sampleCount);
    for (let place = phase * weight; place < this.room; place += weight) {
      const at = Math.floor(place) * STRIDE;
      const history = places[at + HISTORY]!;
      if (history !== 0) this.#odds.countWaiting(history, { age: (now - places[at + LAST]!) | 0, weight });
    }
  }

  clear(): void {
    this.#places = new Int32Array(0);
    this.#setCount = 0;
    this.#madeFor = 0;
  }

  /** Throws `InvariantError` unless each ghost is where it is looked for, once. */
  check(): void {
    const places = this.#places;
    for (let at = 0; at < places.length; at += STRIDE) {
      if (places[at + HISTORY] === 0) continue;
      const from = this.#setOf(places[at]!);
      invariant(at >= from && at < from + WAYS * STRIDE, 'a ghost is in the wrong set');
    }
    invariant(this.room <= Math.max(WAYS, this.#madeFor) * GHOSTS_PER_ENTRY, 'more room for ghosts than is due');
  }

  #setOf(hash: number): number {
    return (((hash >>> 0) * this.#setsPerHash) | 0) * (WAYS * STRIDE);
  }

  #insert(hash: number, lastUse: number, history: number, now: number): void {
    const places = this.#places;
    const { values } = this.#odds;
    const from = this.#setOf(hash);
    let to = from;
    let least = Number.POSITIVE_INFINITY;
    for (let at = from; at < from + WAYS * STRIDE; at += STRIDE) {
      const other = places[at + HISTORY]!;
      if (other === 0) {
        to = at;
        break;
      }
      const value = values[cellOf(other, (now - places[at + LAST]!) | 0)]!;
      if (value < least) {
        least = value;
        to = at;
      }
    }
    if (places[to + HISTORY] !== 0) this.#odds.countLoss(places[to + HISTORY]!, (now - places[to + LAST]!) | 0);
    places[to] = hash;
    places[to + LAST] = lastUse;
    places[to + HISTORY] = history;
  }

  #resize(heldCount: number, now: number): void {
    const old = this.#places;
    this.#madeFor = Math.max(WAYS, heldCount);
    this.#setCount = Math.floor((this.#madeFor * GHOSTS_PER_ENTRY) / WAYS);
    this.#setsPerHash = this.#setCount * 2 ** -32;
    this.#places = new Int32Array(this.#setCount * WAYS * STRIDE);
    for (let at = 0; at < old.length; at += STRIDE) {
      if (old[at + HISTORY] !== 0) this.#insert(old[at]!, old[at + LAST]!, old[at + HISTORY]!, now);
    }
  }
}

/** An entry that leaves. */
export interface Departed {
  readonly lastUse: number;
  readonly history: number;
  readonly now: number;
  readonly heldCount: number;
}
