/** What pressure tells: one event for each outcome, flat and safe to send. */
import type { TenureEventBase } from '../base/events.ts';
import type { Level } from '../base/levels.ts';
import type { AlertKind, AlertUnit, Severity } from './alert.ts';

export interface LevelChangedEvent extends TenureEventBase {
  readonly type: 'pressure.level_changed';
  readonly level: Level;
  readonly previousLevel: Level;
  readonly score: number;
  readonly reason: string;
  readonly targetBytes: number;
  /** The largest consumers, as `vectors 180 MB`. */
  readonly holders: readonly string[];
}

interface AlertFields {
  readonly kind: AlertKind;
  readonly severity: Severity;
  readonly message: string;
  readonly value: number;
  readonly threshold: number;
  readonly unit: AlertUnit;
  readonly sinceMs: number;
  readonly holders: readonly string[];
  /** What was done about it; null when nothing was. */
  readonly done: string | null;
}

/** An alert was raised, changed its severity, or still stands after a while (`reminders` > 0). */
export interface AlertRaisedEvent extends TenureEventBase, AlertFields {
  readonly type: 'pressure.alert_raised';
  readonly reminders: number;
}

export interface AlertClearedEvent extends TenureEventBase, AlertFields {
  readonly type: 'pressure.alert_cleared';
  readonly lastedMs: number;
}

/** A response is over and measured. The three numbers differ; see `responder.ts`. */
export interface RespondedEvent extends TenureEventBase {
  readonly type: 'pressure.responded';
  readonly level: Level;
  readonly targetBytes: number;
  readonly claimedBytes: number;
  readonly accountedBytes: number;
  readonly residentDropBytes: number;
  readonly retainedBytes: number;
  readonly driftBytes: number;
  readonly collected: boolean;
  readonly tookMs: number;
}

/** What would have been done, under `observe_only`. */
export interface PlannedEvent extends TenureEventBase {
  readonly type: 'pressure.planned';
  readonly level: Level;
  readonly targetBytes: number;
  readonly wouldCollect: boolean;
  readonly wouldShed: boolean;
  readonly reason: string;
}

/** A sensor, or a callback of the monitor, threw; told once until it works again. */
export interface SensorFailedEvent extends TenureEventBase {
  readonly type: 'pressure.sensor_failed';
  readonly sensor: string;
  readonly message: string;
}

/** New work is refused from now on, or no longer. */
export interface SheddingChangedEvent extends TenureEventBase {
  readonly type: 'pressure.shedding_changed';
  readonly shedding: boolean;
  readonly reason: string;
}

/** A garbage collection was forced. */
export interface CollectedEvent extends TenureEventBase {
  readonly type: 'pressure.collected';
  readonly reason: string;
  readonly tookMs: number;
  readonly freedHeapBytes: number;
}

export type PressureEvent =
  | LevelChangedEvent
  | AlertRaisedEvent
  | AlertClearedEvent
  | RespondedEvent
  | PlannedEvent
  | SensorFailedEvent
  | SheddingChangedEvent
  | CollectedEvent;
