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
  /** Pages V8 holds for the heap, in use or not. */
  readonly committedBytes?: number;
  /** Old objects after the last major collection; `undefined` before the first. */
  readonly liveBytes?: number;
  /** What V8 calls the heap size limit. */
  readonly limitBytes: number;
  /** The limit less the semi-spaces old objects cannot use: the limit that kills. */
  readonly usableLimitBytes: number;
}

export interface ContainerState {
  readonly version: 1 | 2;
  /** The tightest limit set on the process's cgroup or on one above it; the sizes below are those of the group that sets it. */
  readonly limitBytes?: number;
  /** Path of that group as the process sees it. */
  readonly path?: string;
  /** Charged bytes less page cache. */
  readonly usedBytes: number;
  /** Memory no file backs, shared memory included: without swap it cannot be reclaimed. */
  readonly anonBytes: number;
  /** 0 under cgroup v1, which does not tell reclaimable kernel bytes apart. */
  readonly unreclaimableKernelBytes: number;
  /** Another limited group above or below that one, when it is fuller: siblings can fill it. */
  readonly fullerGroup?: LimitedGroup;
}

export interface LimitedGroup {
  readonly path: string;
  readonly limitBytes: number;
  /** Its anonymous and unreclaimable kernel bytes. */
  readonly heldBytes: number;
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
  /** Major collections seen since the sensor was opened. */
  readonly majors?: number;
}

export interface ConsumerBytes {
  readonly name: string;
  readonly bytes: number;
}

/** One measured state of process, host and container; sizes in bytes, shares 0 to 1, percents 0 to 100. */
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
  /** Held by all consumers named `vector-index`, in whichever budget; 0 when there are none. */
  readonly vectorIndexBytes: number;
  /** The same of `embedding-cache`. */
  readonly embeddingCacheBytes: number;
}

/** The names under which vector indexes and embedding caches register with the budget, so that readings find them. */
export const VECTOR_INDEX = 'vector-index';
export const EMBEDDING_CACHE = 'embedding-cache';

/** Bytes held by the consumers of that name, wherever they stand in the tree. */
export function bytesHeldBy(consumers: readonly ConsumerBytes[], name: string): number {
  return consumers.reduce(
    (sum, consumer) => (consumer.name === name || consumer.name.endsWith(`/${name}`) ? sum + consumer.bytes : sum),
    0,
  );
}
