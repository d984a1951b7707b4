/**
 * The store's page cache as a consumer of the budget.
 *
 * SQLite does not tell how much of its cache is filled, so what is reserved is what it may fill: the books err on the safe
 * side. Under pressure the bound shrinks and the pages beyond it are freed at once; when the level is low again it comes back as
 * fast as the budget lets it.
 */

import { MIB } from '../base/bytes.ts';
import type { Budget } from '../budget/budget.ts';
import type { Consumer } from '../budget/consumer.ts';

/** What the database offers. */
export interface PageCache {
  setCacheBytes(bytes: number): void;
}

/** Less than this and every query reads from disk. */
const MIN_BYTES = MIB;

export class PageCacheConsumer implements Consumer, Disposable {
  readonly name = 'store page cache';
  readonly where = 'native';
  readonly priority = 6;
  readonly weight = 1;
  readonly minBytes = MIN_BYTES;
  readonly #cache: PageCache;
  readonly #wantedBytes: number;
  readonly #registration;
  readonly #reservation;

  constructor(options: { budget: Budget; cache: PageCache; wantedBytes: number }) {
    this.#cache = options.cache;
    this.#wantedBytes = Math.max(MIN_BYTES, options.wantedBytes);
    this.#registration = options.budget.register(this);
    this.#reservation = this.#registration.reserve();
    this.#growTo(MIN_BYTES);
    this.regrow();
  }

  reclaimableBytes(): number {
    return Math.max(0, this.#reservation.bytes - MIN_BYTES);
  }

  reclaim(request: { readonly targetBytes: number }): number {
    const freed = Math.min(request.targetBytes, this.reclaimableBytes());
    this.#cache.setCacheBytes(this.#reservation.bytes - freed);
    this.#reservation.shrink(freed);
    return freed;
  }

  /** Takes back what pressure took, as far as the budget allows now: the whole, else half of what is missing, and so on. */
  regrow(): void {
    for (
      let missing = this.#wantedBytes - this.#reservation.bytes;
      missing >= MIN_BYTES / 4;
      missing = Math.floor(missing / 2)
    ) {
      if (this.#growTo(this.#reservation.bytes + missing)) return;
    }
  }

  [Symbol.dispose](): void {
    this.#reservation[Symbol.dispose]();
    this.#registration[Symbol.dispose]();
  }

  #growTo(bytes: number): boolean {
    if (!this.#reservation.tryGrow(bytes - this.#reservation.bytes)) return false;
    this.#cache.setCacheBytes(bytes);
    return true;
  }
}
