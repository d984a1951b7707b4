/**
 * Counts which memories recall returned, and writes the counts down in batches.
 *
 * A question must not cost a write. Counts gather here for up to half a minute; a crash loses that much counting and nothing
 * else. When writing fails the counts are kept for the next time, up to a bound.
 */

import type { Clock, Timer } from '../base/clock.ts';
import { TenureError } from '../base/errors.ts';
import type { MemoryStore } from '../storage/memory-store.ts';

const WRITE_EVERY_MS = 30_000;
/** Memories counted between two writes; more are not counted. */
const COUNTED_LIMIT = 10_000;

/** Counted in one transaction: some milliseconds. */
const COUNTED_AT_ONCE = 500;

interface Use {
  readonly uses: number;
  readonly lastUsedAtMs: number;
}

export class UsageLedger {
  readonly #store: MemoryStore;
  readonly #clock: Clock;
  readonly #timer: Timer;
  #uses = new Map<string, Use>();
  #writing: Promise<void> = Promise.resolve();

  constructor(options: { store: MemoryStore; clock: Clock }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#timer = options.clock.every(WRITE_EVERY_MS, () => void this.write());
  }

  count(ids: Iterable<string>): void {
    const lastUsedAtMs = this.#clock.nowMs();
    for (const id of ids) {
      const counted = this.#uses.get(id);
      if (!counted && this.#uses.size >= COUNTED_LIMIT) continue;
      this.#uses.set(id, { uses: (counted?.uses ?? 0) + 1, lastUsedAtMs });
    }
  }

  /** Writes what has gathered; a store that fails is tried again next time. */
  async write(): Promise<void> {
    const turn = this.#writing.then(() => this.#writeGathered());
    // A chain that stayed rejected would never write again.
    this.#writing = turn.catch(() => {});
    await turn;
  }

  async close(): Promise<void> {
    this.#timer.cancel();
    await this.write();
  }

  async #writeGathered(): Promise<void> {
    const gathered = [...this.#uses];
    this.#uses = new Map();
    for (let from = 0; from < gathered.length; from += COUNTED_AT_ONCE) {
      const slice = gathered.slice(from, from + COUNTED_AT_ONCE);
      try {
        await this.#store.countUses(slice.map(([id, use]) => ({ id, ...use })));
      } catch (error) {
        if (!(error instanceof TenureError)) throw error;
        this.#uses = merged(new Map(gathered.slice(from)), this.#uses);
        return;
      }
    }
  }
}

/** Adds newer counts to older ones. */
function merged(older: Map<string, Use>, newer: ReadonlyMap<string, Use>): Map<string, Use> {
  for (const [id, { uses, lastUsedAtMs }] of newer) {
    older.set(id, { uses: uses + (older.get(id)?.uses ?? 0), lastUsedAtMs });
  }
  return older;
}
