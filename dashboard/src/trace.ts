/**
 * What the chart draws: samples in order of time, from the live stream or from stored history.
 *
 * A stretch nobody measured is drawn as a gap, never bridged: a straight line there would be an invention.
 */
import type { HistoryPoint, Moment } from './wire.ts';

export interface Sample {
  readonly atMs: number;
  readonly anonBytes: number;
  /** Highest of the stretch this sample stands for; equal to `anonBytes` for a single reading. */
  readonly peakAnonBytes: number;
  readonly liveHeapBytes: number | null;
  readonly limitBytes: number;
  readonly score: number;
}

/** Columns as uPlot takes them; seconds first. */
export type Columns = [
  seconds: number[],
  peakAnon: (number | null)[],
  anon: (number | null)[],
  liveHeap: (number | null)[],
  limit: (number | null)[],
  score: (number | null)[],
];

/** Shorter silences are jitter of the stream. */
const SHORTEST_GAP_MS = 4000;

export function sampleOfReading({ reading, pressure }: Moment): Sample {
  return {
    atMs: reading.atMs,
    anonBytes: reading.anonBytes,
    peakAnonBytes: reading.anonBytes,
    liveHeapBytes: reading.heap.liveBytes ?? null,
    limitBytes: reading.limit.bytes,
    score: pressure.score,
  };
}

export function sampleOfPoint(point: HistoryPoint): Sample {
  const { atMs, anonBytes, liveHeapBytes, limitBytes, score } = point;
  return {
    atMs,
    anonBytes,
    peakAnonBytes: point.peakAnonBytes ?? anonBytes,
    liveHeapBytes,
    limitBytes,
    score: point.peakScore ?? score,
  };
}

/** Adds stored samples to live ones where no live one is near: the live ones are finer. */
export function weave(live: readonly Sample[], stored: readonly Sample[], resolutionMs: number): Sample[] {
  const lonely = stored.filter(({ atMs }) => !live.some((sample) => Math.abs(sample.atMs - atMs) <= resolutionMs));
  return [...lonely, ...live].sort((one, other) => one.atMs - other.atMs);
}

/** A gap is a silence four times as long as the step before it. */
export function columnsOf(samples: readonly Sample[]): Columns {
  const columns: Columns = [[], [], [], [], [], []];
  let stepMs = Number.POSITIVE_INFINITY;
  let lastMs: number | undefined;
  for (const sample of samples) {
    if (lastMs !== undefined) {
      const silenceMs = sample.atMs - lastMs;
      if (silenceMs > Math.max(SHORTEST_GAP_MS, 4 * stepMs)) {
        columns[0].push((lastMs + silenceMs / 2) / 1000);
        for (const column of columns.slice(1) as (number | null)[][]) column.push(null);
      } else {
        stepMs = silenceMs;
      }
    }
    lastMs = sample.atMs;
    columns[0].push(sample.atMs / 1000);
    columns[1].push(sample.peakAnonBytes);
    columns[2].push(sample.anonBytes);
    columns[3].push(sample.liveHeapBytes);
    columns[4].push(sample.limitBytes);
    columns[5].push(sample.score);
  }
  return columns;
}

/** Above this multiple of what is used, the limit would press the other lines flat and is left out of the scale. */
const LIMIT_IN_SIGHT = 4;

/** Top of the byte scale, and whether the limit is below it. */
export function scaleOf(samples: readonly Sample[]): { topBytes: number; showsLimit: boolean } {
  let used = 0;
  let limit = 0;
  for (const sample of samples) {
    used = Math.max(used, sample.peakAnonBytes, sample.liveHeapBytes ?? 0);
    limit = Math.max(limit, sample.limitBytes);
  }
  const showsLimit = limit <= used * LIMIT_IN_SIGHT;
  return { topBytes: 1.08 * (showsLimit ? Math.max(used, limit) : used * 1.3) || 1, showsLimit };
}

/**
 * The first sample of every step of time, for a table. Steps are laid by the clock, not by the window, so rows stay what they are
 * while somebody reads them.
 */
export function thin(samples: readonly Sample[], stepMs: number): Sample[] {
  const step = (sample: Sample) => Math.floor(sample.atMs / stepMs);
  const kept = samples.filter((sample, index) => index > 0 && step(sample) !== step(samples[index - 1]!));
  return kept.length > 0 ? kept : samples.slice(0, 1);
}
