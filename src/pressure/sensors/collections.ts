/**
 * What garbage collection costs and what it leaves.
 *
 * Live heap is what old objects occupy right after a major collection: V8 tells when one has ended, and the heap is read then. Young
 * space is left out, for by the time we are called it already fills again. Entries are fetched at each reading besides being
 * delivered, so a busy event loop does not hide them.
 */
import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, type HeapSpaceInfo } from 'node:v8';
import type { Clock } from '../../base/clock.ts';
import type { CollectionState } from '../reading.ts';
import { SlidingWindow } from '../sliding-window.ts';

const SHARE_WINDOW = { windowMs: 10_000, buckets: 40 };
const MAJOR_WINDOW = { windowMs: 60_000, buckets: 60 };
/** A single collection just after the start is no share of anything. */
const SHORTEST_SPAN_MS = 1_000;

export class Collections implements Disposable {
  readonly #clock: Clock;
  readonly #openedMs: number;
  readonly #spentMs = SlidingWindow.sum(SHARE_WINDOW);
  readonly #majors = SlidingWindow.sum(MAJOR_WINDOW);
  readonly #observer = new PerformanceObserver((list) => this.#take(list.getEntries()));
  #majorCount = 0;
  #liveBytes: number | undefined;

  constructor(options: { clock: Clock }) {
    this.#clock = options.clock;
    this.#openedMs = options.clock.monotonicMs();
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  /** Old objects after the last major collection seen; `undefined` before the first. */
  get liveBytes(): number | undefined {
    return this.#liveBytes;
  }

  read(): CollectionState {
    this.#take(this.#observer.takeRecords());
    const nowMs = this.#clock.monotonicMs();
    const spanMs = (windowMs: number) => Math.max(SHORTEST_SPAN_MS, Math.min(windowMs, nowMs - this.#openedMs));
    return {
      share: Math.min(1, this.#spentMs.value(nowMs) / spanMs(SHARE_WINDOW.windowMs)),
      // Not extrapolated: one collection in the first second is one a minute, not sixty.
      majorPerMinute: this.#majors.value(nowMs),
      majors: this.#majorCount,
    };
  }

  [Symbol.dispose](): void {
    this.#observer.disconnect();
  }

  #take(entries: readonly PerformanceEntry[]): void {
    const nowMs = this.#clock.monotonicMs();
    const before = this.#majorCount;
    for (const entry of entries) {
      this.#spentMs.add(nowMs, entry.duration);
      if (kindOf(entry) !== constants.NODE_PERFORMANCE_GC_MAJOR) continue;
      this.#majors.add(nowMs, 1);
      this.#majorCount++;
    }
    if (this.#majorCount > before) this.#liveBytes = oldObjectBytes(getHeapSpaceStatistics());
  }
}

function oldObjectBytes(spaces: readonly HeapSpaceInfo[]): number {
  return spaces.reduce(
    (sum, { space_name, space_used_size }) => (space_name.startsWith('new_') ? sum : sum + space_used_size),
    0,
  );
}

/** Which collector ran; the types of `node:perf_hooks` leave the field out. */
function kindOf(entry: PerformanceEntry): number | undefined {
  return (entry as PerformanceEntry & { readonly detail?: { readonly kind?: number } }).detail?.kind;
}
