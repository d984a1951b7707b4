/**
 * One measured state of the process, its host and its container.
 *
 * Sensors each fill a part (`Partial<Reading>`); the monitor merges the parts in order and adds what follows from history.
 * All sizes are bytes; shares run from 0 to 1, percents from 0 to 100. What a platform cannot tell is `undefined`, never 0.
 */

/** Which of the limits is the tightest, and so the one that counts. */
export type LimitSource = 'cgroup' | 'configured' | 'physical';

export type Trend = 'increasing' | 'decreasing' | 'stable';

export interface Limit {
  readonly bytes: number;
  readonly source: LimitSource;
  /** Path of the cgroup that sets it, when one does. */
  readonly path?: string;
}

export interface HeapState {
  readonly usedBytes: number;
  /** Used heap after the last major collection; `undefined` before the first. */
  readonly liveBytes?: number;
  /** What V8 calls the heap size limit. */
  readonly limitBytes: number;
  /** The limit less the semi-spaces old objects cannot use: the limit that kills. */
  readonly usableLimitBytes: number;
}

export interface ContainerState {
  readonly version: 1 | 2;
  /** Charged bytes less page cache that can be dropped. */
  readonly usedBytes: number;
  readonly anonBytes: number;
  readonly unreclaimableKernelBytes: number;
}

/** Share of time stalled on memory, in percent over ten seconds (PSI). */
export interface StallState {
  readonly someAvg10: number;
  readonly fullAvg10: number;
}

export interface CollectionState {
  /** Share of the last ten seconds spent in garbage collection, 0 to 1. */
  readonly share: number;
  readonly majorPerMinute: number;
}

export interface ConsumerBytes {
  readonly name: string;
  readonly bytes: number;
}

export interface Reading {
  readonly atMs: number;
  readonly limit: Limit;
  readonly systemTotalBytes: number;
  readonly systemAvailableBytes: number;
  /** Share of the system's memory in use, 0 to 100. */
  readonly systemUsedPercent: number;
  readonly rssBytes: number;
  /** Resident bytes that no file backs: what an out-of-memory kill counts. */
  readonly anonBytes: number;
  readonly heap: HeapState;
  readonly externalBytes: number;
  readonly arrayBufferBytes: number;
  readonly container?: ContainerState;
  readonly stall?: StallState;
  readonly collection: CollectionState;
  readonly consumers: readonly ConsumerBytes[];
}
