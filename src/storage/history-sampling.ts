/**
 * How history loses detail with age, as pure arithmetic shared by every adapter.
 *
 * Means are weighted by the readings behind them, so merging in steps gives what merging at once would, but for rounding to
 * whole bytes. A figure that some readings lack is the mean of the parts that have it.
 */
import { InvalidArgumentError } from '../base/errors.ts';
import { isAtLeast, type Level } from '../base/levels.ts';
import type { HistoryPoint, HistoryRange } from './reading-store.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export interface Tier {
  readonly resolutionMs: number;
  /** Older points move to the next tier, or go. */
  readonly keepMs: number;
}

/** Finest first. Each resolution is a multiple of the one before. */
export const TIERS: readonly [Tier, ...Tier[]] = [
  { resolutionMs: MINUTE_MS / 2, keepMs: 2 * DAY_MS },
  { resolutionMs: 5 * MINUTE_MS, keepMs: 14 * DAY_MS },
  { resolutionMs: HOUR_MS, keepMs: 400 * DAY_MS },
];

/** Steps a plot may have; beyond them, whole days. Each is a multiple of every tier that is not longer. */
const STEPS_MS = [
  ...[0.5, 1, 2.5, 5, 10, 15, 30].map((minutes) => minutes * MINUTE_MS),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR_MS),
];

/** Start of the period of length `stepMs` that holds `atMs`. */
export function periodStart(atMs: number, stepMs: number): number {
  return Math.floor(atMs / stepMs) * stepMs;
}

/** The shortest step, `leastMs` or longer, that covers the range with at most `maxPoints` periods. */
export function stepFor(range: HistoryRange, leastMs: number): number {
  const { fromMs, toMs, maxPoints } = range;
  if (!Number.isFinite(fromMs) || !Number.isFinite(toMs) || toMs <= fromMs) {
    throw new InvalidArgumentError('range', `toMs must be after fromMs; got ${fromMs} to ${toMs}.`);
  }
  if (!(maxPoints >= 2)) throw new InvalidArgumentError('maxPoints', `must be 2 or more; got ${maxPoints}.`);
  const fits = (stepMs: number) =>
    stepMs >= leastMs && (periodStart(toMs - 1, stepMs) - periodStart(fromMs, stepMs)) / stepMs + 1 <= maxPoints;
  const step = STEPS_MS.find(fits);
  if (step !== undefined) return step;
  const days = Math.ceil((toMs - fromMs) / (maxPoints - 1) / DAY_MS);
  return days * DAY_MS;
}

/** A point and the number of readings behind it. */
export interface Sample {
  readonly point: Required<HistoryPoint>;
  readonly samples: number;
}

/** The figures that are averaged over all readings; `liveHeapBytes` is over those that have it. */
const MEANS = [
  'rssBytes',
  'anonBytes',
  'heapUsedBytes',
  'externalBytes',
  'limitBytes',
  'reservedBytes',
  'score',
] as const;

/** One reading as a sample of the period of length `stepMs` it falls into. */
export function sampleOf(point: HistoryPoint, stepMs: number): Sample {
  const { peakAnonBytes = point.anonBytes, peakScore = point.score, consumers = [], figures = {} } = point;
  const needed = { ...point, peakAnonBytes, peakScore, liveHeapBytes: point.liveHeapBytes ?? 0 };
  for (const name of [...MEANS, 'peakAnonBytes', 'peakScore', 'liveHeapBytes', 'atMs'] as const) {
    requireFigure(name, needed[name]);
  }
  for (const [name, value] of Object.entries(figures)) requireFigure(name, value);
  return {
    samples: 1,
    point: { ...point, atMs: periodStart(point.atMs, stepMs), peakAnonBytes, peakScore, consumers, figures },
  };
}

function requireFigure(name: string, value: number): void {
  if (!Number.isFinite(value) || value < 0) {
    throw new InvalidArgumentError(name, `must be a number, 0 or more; got ${value}.`);
  }
}

/** Gathers samples of one period into one. */
class PeriodMean {
  readonly #atMs: number;
  readonly #sums = {
    rssBytes: 0,
    anonBytes: 0,
    heapUsedBytes: 0,
    externalBytes: 0,
    limitBytes: 0,
    reservedBytes: 0,
    score: 0,
  };
  #samples = 0;
  #liveHeapSum = 0;
  #liveHeapSamples = 0;
  #peakAnonBytes = 0;
  #peakScore = 0;
  #level: Level = 'low';
  readonly #consumerSums = new Map<string, number>();
  readonly #figureSums = new Map<string, { sum: number; samples: number }>();

  constructor(atMs: number) {
    this.#atMs = atMs;
  }

  add({ point, samples }: Sample): void {
    this.#samples += samples;
    for (const name of MEANS) this.#sums[name] += point[name] * samples;
    if (point.liveHeapBytes !== null) {
      this.#liveHeapSum += point.liveHeapBytes * samples;
      this.#liveHeapSamples += samples;
    }
    this.#peakAnonBytes = Math.max(this.#peakAnonBytes, point.peakAnonBytes);
    this.#peakScore = Math.max(this.#peakScore, point.peakScore);
    if (isAtLeast(point.level, this.#level)) this.#level = point.level;
    for (const { name, bytes } of point.consumers) {
      this.#consumerSums.set(name, (this.#consumerSums.get(name) ?? 0) + bytes * samples);
    }
    for (const [name, value] of Object.entries(point.figures)) {
      const { sum, samples: before } = this.#figureSums.get(name) ?? { sum: 0, samples: 0 };
      this.#figureSums.set(name, { sum: sum + value * samples, samples: before + samples });
    }
  }

  /** The sample of the whole period; at least one must have been added. A consumer that was absent held nothing then. */
  result(): Sample {
    const sums = this.#sums;
    const mean = (sum: number, samples = this.#samples) => Math.round(sum / samples);
    return {
      samples: this.#samples,
      point: {
        atMs: this.#atMs,
        rssBytes: mean(sums.rssBytes),
        anonBytes: mean(sums.anonBytes),
        peakAnonBytes: Math.round(this.#peakAnonBytes),
        heapUsedBytes: mean(sums.heapUsedBytes),
        liveHeapBytes: this.#liveHeapSamples === 0 ? null : mean(this.#liveHeapSum, this.#liveHeapSamples),
        externalBytes: mean(sums.externalBytes),
        limitBytes: mean(sums.limitBytes),
        reservedBytes: mean(sums.reservedBytes),
        score: sums.score / this.#samples,
        peakScore: this.#peakScore,
        level: this.#level,
        consumers: [...this.#consumerSums].map(([name, sum]) => ({ name, bytes: mean(sum) })),
        figures: Object.fromEntries(
          [...this.#figureSums].map(([name, { sum, samples }]) => [name, rounded(name, sum / samples)]),
        ),
      },
    };
  }
}

/** Whole bytes; four places of what is no size. */
function rounded(name: string, value: number): number {
  return name.endsWith('Bytes') ? Math.round(value) : Math.round(value * 10_000) / 10_000;
}

/** Gathers samples, which may come in any order and in several parts, into periods of one length. */
export class Periods {
  readonly #stepMs: number;
  readonly #means = new Map<number, PeriodMean>();

  constructor(stepMs: number) {
    this.#stepMs = stepMs;
  }

  add(sample: Sample): void {
    const atMs = periodStart(sample.point.atMs, this.#stepMs);
    let mean = this.#means.get(atMs);
    if (!mean) {
      mean = new PeriodMean(atMs);
      this.#means.set(atMs, mean);
    }
    mean.add(sample);
  }

  /** One sample for each period that got any, in order of time. */
  results(): Sample[] {
    return [...this.#means.values()].map((mean) => mean.result()).sort((a, b) => a.point.atMs - b.point.atMs);
  }
}
