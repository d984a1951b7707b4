/**
 * Finds leases that do not come back: held too long, or dropped without being returned.
 *
 * Both are looked for by the sweep, never at a borrow, so a lease that comes back soon costs nothing. The entry keeps its lease until the
 * first sweep that finds it out for a whole interval; only then it is handed to a `FinalizationRegistry` and the entry lets go of it. From then
 * on, a lease that nobody holds is collected, and the pool hears of it.
 *
 * Where a lease was borrowed is noted as a stack that is captured but not rendered: microseconds, too much for every borrow. Sampling finds
 * a site that leaks often; one that leaks seldom is found because a report without a site turns noting on for the next borrows.
 */
import type { Clock } from '../../base/clock.ts';
import type { EventSink } from '../../base/events.ts';
import type { Entry, EntryList } from './entry.ts';
import type { PoolEvent } from './pool-events.ts';

const SAMPLED_ONE_IN = 256;
/** After a report without a site: so many borrows are noted, unless a report with one comes before. */
const ALERTED_BORROWS = 10_000;

export interface Site {
  readonly stack?: string;
}

export class LeaseWatch<T> {
  readonly #name: string;
  readonly #clock: Clock;
  readonly #emit: EventSink<PoolEvent>;
  readonly #heldTooLongMs: number;
  readonly #period: number;
  readonly #canAlert: boolean;
  readonly #finalizers: FinalizationRegistry<{ readonly entry: Entry<T>; readonly generation: number }> | null;
  #untilNoted: number;
  #alertedBorrows = 0;
  heldTooLongCount = 0;
  abandonedCount = 0;

  /** `onAbandoned` gets an entry whose lease is gone. */
  constructor(options: {
    name: string;
    clock: Clock;
    emit: EventSink<PoolEvent>;
    heldTooLongMs: number;
    trackBorrowers: boolean | 'sampled';
    watchAbandoned: boolean;
    onAbandoned: (entry: Entry<T>) => void;
  }) {
    const { name, clock, emit, heldTooLongMs, trackBorrowers, watchAbandoned, onAbandoned } = options;
    this.#name = name;
    this.#clock = clock;
    this.#emit = emit;
    this.#heldTooLongMs = heldTooLongMs;
    this.#canAlert = trackBorrowers === 'sampled';
    this.#period = trackBorrowers === true ? 1 : trackBorrowers === false ? Number.POSITIVE_INFINITY : SAMPLED_ONE_IN;
    this.#untilNoted = this.#period;
    this.#finalizers = watchAbandoned
      ? new FinalizationRegistry(({ entry, generation }) => {
          if (entry.generation !== generation) return;
          this.#tellAbandoned(entry);
          onAbandoned(entry);
        })
      : null;
  }

  /** The place `borrow` was called from, when this borrow is one that is noted. */
  site(borrow: (...args: never[]) => unknown): Site | null {
    if (--this.#untilNoted > 0) return null;
    if (this.#alertedBorrows > 0) this.#alertedBorrows--;
    this.#untilNoted = this.#alertedBorrows > 0 ? 1 : this.#period;
    const site = {};
    Error.captureStackTrace(site, borrow);
    return site;
  }

  /** The lease of `entry` is over. */
  forget(entry: Entry<T>): void {
    if (!entry.isWatched) return;
    entry.isWatched = false;
    this.#finalizers?.unregister(entry);
  }

  /** Looks through the leases that are out, oldest first. */
  sweep(lent: EntryList<T>, { nowMs, sweepMs }: { nowMs: number; sweepMs: number }): void {
    for (const entry of lent) {
      // The time of a borrow is that of the sweep before it: so long it has been out for certain.
      const heldMs = nowMs - entry.sinceMs - sweepMs;
      if (heldMs < 0) return;
      if (entry.lease !== null && this.#finalizers !== null) {
        this.#finalizers.register(entry.lease, { entry, generation: entry.generation }, entry);
        entry.isWatched = true;
      }
      entry.lease = null;
      if (heldMs >= this.#heldTooLongMs && !entry.isReported) this.#tellHeldTooLong(entry, heldMs);
    }
  }

  #tellHeldTooLong(entry: Entry<T>, heldMs: number): void {
    entry.isReported = true;
    this.heldTooLongCount++;
    const site = this.#siteOf(entry);
    this.#emit({ type: 'pool.lease_held_too_long', atMs: this.#clock.nowMs(), pool: this.#name, heldMs, site });
  }

  #tellAbandoned(entry: Entry<T>): void {
    this.abandonedCount++;
    const heldMs = this.#clock.monotonicMs() - entry.sinceMs;
    const site = this.#siteOf(entry);
    this.#emit({ type: 'pool.lease_abandoned', atMs: this.#clock.nowMs(), pool: this.#name, heldMs, site });
  }

  #siteOf(entry: Entry<T>): string | null {
    const site = placeOf(entry.site);
    if (this.#canAlert) {
      this.#alertedBorrows = site === null ? ALERTED_BORROWS : 0;
      this.#untilNoted = site === null ? 1 : this.#period;
    }
    return site;
  }
}

/** The frames of a noted place, without the line that names an error there was not. */
export function placeOf(site: Site | null): string | null {
  const frames = site?.stack
    ?.split('\n')
    .slice(1)
    .map((frame) => frame.trim());
  return frames === undefined || frames.length === 0 ? null : frames.join('\n');
}
