/**
 * The port behind which readings become history (MON-8).
 *
 * A reading is appended every half minute and kept as it is for two days; then five minutes become one point, after two weeks
 * an hour, and after 400 days it goes. A point carries means, the worst of what must not be averaged away (peak of anonymous
 * bytes and score, worst level), and stands for the period that starts at its `atMs`. Where nothing was recorded there is no
 * point: a gap stays a gap.
 */
import type { Level } from '../base/levels.ts';

/** What else was measured. What the platform cannot tell is absent. */
export type HistoryFigures = {
  readonly systemTotalBytes?: number;
  readonly systemAvailableBytes?: number;
  /** Share of the system's memory in use, 0 to 100. */
  readonly systemUsedPercent?: number;
  readonly arrayBufferBytes?: number;
  readonly vectorIndexBytes?: number;
  readonly embeddingCacheBytes?: number;
  readonly heapCommittedBytes?: number;
  /** The heap limit that kills. */
  readonly usableHeapLimitBytes?: number;
  /** Charged to the container, less page cache. */
  readonly containerUsedBytes?: number;
  readonly containerAnonBytes?: number;
  readonly containerLimitBytes?: number;
  /** Time in which some task waited for memory, and in which all did: percent over ten seconds (PSI). */
  readonly stallSomePercent?: number;
  readonly stallFullPercent?: number;
  /** Share of the last ten seconds spent in garbage collection, 0 to 1. */
  readonly collectionShare?: number;
  readonly majorCollectionsPerMinute?: number;
  /** Held, and accounted for by nobody. */
  readonly driftBytes?: number;
  /** Freed, and kept by the allocator. */
  readonly retainedBytes?: number;
};

/** Means over one period, which starts at `atMs`. Sizes in bytes, score 0 to 100. */
export interface HistoryPoint {
  readonly atMs: number;
  readonly rssBytes: number;
  readonly anonBytes: number;
  /** Highest in the period; `anonBytes` unless given. */
  readonly peakAnonBytes?: number;
  readonly heapUsedBytes: number;
  /** Heap after the last major collection; `null` before the first. */
  readonly liveHeapBytes: number | null;
  readonly externalBytes: number;
  readonly limitBytes: number;
  readonly reservedBytes: number;
  readonly score: number;
  /** Highest in the period; `score` unless given. */
  readonly peakScore?: number;
  /** Worst in the period. */
  readonly level: Level;
  readonly consumers?: readonly { readonly name: string; readonly bytes: number }[];
  /** Each the mean of the readings that have it. */
  readonly figures?: HistoryFigures;
}

/** Stored readings of a range, and the span each point stands for. */
export interface History {
  /** The length of the period each point stands for. */
  readonly resolutionMs: number;
  /** In order of time. */
  readonly points: readonly Required<HistoryPoint>[];
}

export interface HistoryRange {
  /** From here, inclusive. The first point's period may begin before it. */
  readonly fromMs: number;
  /** To here, exclusive. */
  readonly toMs: number;
  /** At most this many points, 2 or more. */
  readonly maxPoints: number;
}

export interface ReadingStore {
  /**
   * Adds one reading; durable when it resolves. Readings of one half minute become one point.
   *
   * @throws InvalidArgumentError when a figure is negative or not finite.
   */
  append(point: HistoryPoint): Promise<void>;

  /**
   * The history of a range, at the finest resolution that needs no more than `maxPoints` and that everything in the range
   * still has.
   *
   * @throws InvalidArgumentError when the range is empty or `maxPoints` is below 2.
   */
  range(range: HistoryRange): Promise<History>;

  /**
   * Merges what has grown old into coarser points and removes what is older than 400 days, a bounded slice at a time.
   * Repeating it changes nothing; several processes may do it at once.
   */
  compact(nowMs: number, signal?: AbortSignal): Promise<{ readonly merged: number; readonly removed: number }>;
}
