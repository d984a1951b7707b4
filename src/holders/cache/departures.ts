/**
 * Who left a cache and has to be told of: queued while the structures change, told when they are whole.
 *
 * A callback may use the cache, and so make others leave; they join the queue instead of being told from within. One that makes another
 * leave each time would go on for ever, so an operation tells so many at most; the next one tells the rest.
 */

import type { CacheOptions, EvictionCause } from './cache-options.ts';
import type { CacheCounters } from './cache-stats.ts';

const MOST_CAUSED = 1000;

interface Departure<K, V> {
  readonly key: K;
  readonly value: V;
  readonly cause: EvictionCause;
}

export class Departures<K, V> {
  readonly #onEvict: CacheOptions<K, V>['onEvict'];
  readonly #onError: CacheOptions<K, V>['onError'];
  readonly #counters: CacheCounters;
  #queue: Departure<K, V>[] = [];
  #isTelling = false;

  constructor(options: Pick<CacheOptions<K, V>, 'onEvict' | 'onError'>, counters: CacheCounters) {
    this.#onEvict = options.onEvict;
    this.#onError = options.onError;
    this.#counters = counters;
  }

  add(key: K, value: V, cause: EvictionCause): void {
    if (this.#onEvict !== undefined) this.#queue.push({ key, value, cause });
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  tell(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    const most = this.#queue.length + MOST_CAUSED;
    let told = 0;
    for (; told < this.#queue.length && told < most; told++) {
      const { key, value, cause } = this.#queue[told]!;
      try {
        this.#onEvict?.(key, value, cause);
      } catch (error) {
        this.report(error, 'onEvict');
      }
    }
    this.#queue = this.#queue.slice(told);
    this.#isTelling = false;
  }

  /** A callback of the user's threw. */
  report(error: unknown, during: 'sizeOf' | 'onEvict'): void {
    this.#counters.callbackErrors++;
    try {
      this.#onError?.(error, during);
    } catch {
      // Counted already; there is nobody left to tell.
    }
  }
}
