/**
 * What an alert is, and which figures can raise one. Pure.
 *
 * A signal is a figure beside its thresholds, at one moment. Severities: `info` for what is worth knowing and may be healthy (size,
 * growth), `warning` for what needs a look, `error` for what ends in a kill. Defaults in bytes are meant for a limit of 1 GB and
 * follow the real one.
 */
import { formatBytes, GIB, MIB } from '../base/bytes.ts';
import type { Assessment } from './assess.ts';
import { heldBytes } from './limit.ts';
import type { ConsumerBytes, Reading, Trend } from './reading.ts';

export type AlertKind =
  | 'memory_usage_percent'
  | 'memory_limit'
  | 'heap_limit'
  | 'process_memory'
  | 'vector_store_size'
  | 'memory_growth_rate'
  | 'memory_pressure_score';

export type Severity = 'info' | 'warning' | 'error';

export type AlertUnit = 'bytes' | 'bytes_per_hour' | 'percent' | 'score';

/** What is wrong, how much, since when, who holds it, what was done. */
export interface Alert {
  readonly kind: AlertKind;
  readonly severity: Severity;
  /** What, how much and since when, in a sentence. */
  readonly message: string;
  /** The figure when the alert was raised or last became worse. */
  readonly value: number;
  readonly threshold: number;
  readonly unit: AlertUnit;
  /** Wall time it was raised. */
  readonly sinceMs: number;
  /** Times it was told again since. */
  readonly reminders: number;
  /** The largest consumers, largest first. */
  readonly holders: readonly ConsumerBytes[];
  readonly done: string | null;
}

export interface AlertThresholds {
  /** Share of the limit in use, 0 to 100. */
  readonly usedPercent: number;
  readonly processBytes: number;
  readonly vectorStoreBytes: number;
  readonly growthBytesPerHour: number;
  /** 0 to 100. */
  readonly pressureScore: number;
  /** Held bytes from which the limit is near (`warning`) and very near (`error`). */
  readonly warningBytes: number;
  readonly criticalBytes: number;
}

/** The documented defaults for a limit of `limitBytes`. */
export function defaultThresholds(limitBytes: number): AlertThresholds {
  const scaled = (mb: number) => Math.round((mb * MIB * limitBytes) / GIB);
  return {
    usedPercent: 80,
    processBytes: scaled(400),
    vectorStoreBytes: scaled(600),
    growthBytesPerHour: scaled(30),
    pressureScore: 70,
    warningBytes: scaled(768),
    criticalBytes: scaled(896),
  };
}

/** One figure beside the thresholds from which it is worth an alert. */
export interface Signal {
  readonly kind: AlertKind;
  /** What the figure is, for the message: `live heap`. */
  readonly what: string;
  readonly value: number;
  readonly unit: AlertUnit;
  /** Ascending; a severity that is left out is never raised. */
  readonly thresholds: readonly { readonly severity: Severity; readonly from: number }[];
}

/** Shares of any limit at which it is near. */
const NEAR = { warning: 0.7, error: 0.9 } as const;

/** Every figure that can raise an alert, now. */
export function alertSignals(of: {
  reading: Reading;
  assessment: Assessment;
  trend: Trend;
  growthBytesPerHour: number;
  thresholds: AlertThresholds;
}): Signal[] {
  const { reading, assessment, thresholds } = of;
  const held = heldBytes(reading);
  const { liveBytes, usableLimitBytes } = reading.heap;
  return [
    {
      kind: 'memory_usage_percent',
      what: 'memory in use',
      value: (100 * held) / reading.limit.bytes,
      unit: 'percent',
      thresholds: [{ severity: 'warning', from: thresholds.usedPercent }],
    },
    {
      kind: 'memory_limit',
      what: 'memory held',
      value: held,
      unit: 'bytes',
      thresholds: [
        { severity: 'warning', from: thresholds.warningBytes },
        { severity: 'error', from: thresholds.criticalBytes },
      ],
    },
    {
      kind: 'heap_limit',
      what: 'live heap',
      value: liveBytes ?? 0,
      unit: 'bytes',
      thresholds: [
        { severity: 'warning', from: NEAR.warning * usableLimitBytes },
        { severity: 'error', from: NEAR.error * usableLimitBytes },
      ],
    },
    {
      kind: 'process_memory',
      what: 'process memory',
      value: reading.anonBytes,
      unit: 'bytes',
      thresholds: [{ severity: 'info', from: thresholds.processBytes }],
    },
    {
      kind: 'vector_store_size',
      what: 'vector indexes',
      value: reading.vectorIndexBytes,
      unit: 'bytes',
      thresholds: [{ severity: 'warning', from: thresholds.vectorStoreBytes }],
    },
    {
      kind: 'memory_growth_rate',
      what: 'growth',
      value: of.trend === 'increasing' ? of.growthBytesPerHour : 0,
      unit: 'bytes_per_hour',
      thresholds: [{ severity: 'info', from: thresholds.growthBytesPerHour }],
    },
    {
      kind: 'memory_pressure_score',
      what: `pressure (${assessment.reason})`,
      value: assessment.score,
      unit: 'score',
      thresholds: [{ severity: 'warning', from: thresholds.pressureScore }],
    },
  ];
}

/** A figure as a person writes it. */
export function formatFigure(value: number, unit: AlertUnit): string {
  if (unit === 'bytes') return formatBytes(value);
  if (unit === 'bytes_per_hour') return `${formatBytes(value)} an hour`;
  return unit === 'percent' ? `${Math.round(value)} %` : String(Math.round(value));
}

const RANKS: readonly Severity[] = ['info', 'warning', 'error'];

export function severityRank(severity: Severity): number {
  return RANKS.indexOf(severity);
}

/** For scripts and probes: `CRITICAL` with an error, `WARNING` with a warning, else `OK`. */
export type PlainStatus = 'OK' | 'WARNING' | 'CRITICAL';

export function plainStatus(alerts: readonly Alert[]): PlainStatus {
  const worst = Math.max(-1, ...alerts.map(({ severity }) => severityRank(severity)));
  return worst === 2 ? 'CRITICAL' : worst === 1 ? 'WARNING' : 'OK';
}
