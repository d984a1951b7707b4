/**
 * The monitor: one sensing cycle every 250 ms, and what follows from it.
 *
 *   sensors ─▶ reading ─▶ assess ─▶ level changed? ─▶ optimization hook, at once
 *                 │          ├────▶ responder (reclaim, collect, shed)
 *                 │          └────▶ alerts
 *                 └─▶ figures; hooks for stored readings (30 s) and forecasts (600 s)
 *
 * A cycle is synchronous and takes some tens of microseconds; an alert has been delivered when it returns. The next cycle is aimed at
 * its place in the cadence, not at "250 ms from now", so lateness does not add up; cycles missed while the process was
 * busy or asleep are skipped. Intervals are measured in monotonic time, so a wall clock set forwards or back only shows in `atMs`.
 *
 * A sensor that throws is skipped: its part of the reading stays as it was, the failure is counted, and told once until it works
 * again. So is a hook (`hooks.ts`) or a scorer that fails.
 */
import type { Clock, Timer } from '../base/clock.ts';
import { ClosedError, messageOf } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import type { Level } from '../base/levels.ts';
import { type Alert, type AlertThresholds, alertSignals, defaultThresholds, type PlainStatus } from './alert.ts';
import { Alerts } from './alerts.ts';
import { type AssessState, assess, CALM, DEFAULT_RULES, type LevelRules, type Scorer, type Term } from './assess.ts';
import { type BudgetPort, consumersOf, type HeldByConsumer, largestOf } from './budget-port.ts';
import type { CollectionGate } from './collection-gate.ts';
import { Figures } from './figures.ts';
import { describeHolders, largestHolders } from './holders.ts';
import { type HookName, HookSchedule, type Moment, type MonitorHooks } from './hooks.ts';
import { tightestLimit } from './limit.ts';
import type { PressureEvent } from './pressure-events.ts';
import { bytesHeldBy, EMBEDDING_CACHE, type Reading, type Trend, VECTOR_INDEX } from './reading.ts';
import { Responder, type ResponderSettings } from './responder.ts';
import type { ReadingPart, Sensor } from './sensors/sensor.ts';
import { type Opportunity, usefulness } from './usefulness.ts';

export type { Moment, MonitorHooks } from './hooks.ts';

export interface MonitorOptions {
  readonly clock: Clock;
  readonly events: EventSink<PressureEvent>;
  /** Taken over: closed with the monitor. */
  readonly sensors: readonly Sensor[];
  /** The root budget. Without one there are no consumers, and nothing is reclaimed. */
  readonly budget?: BudgetPort | undefined;
  readonly gate: CollectionGate;
  readonly hooks?: MonitorHooks;
  readonly rules?: LevelRules;
  readonly scorer?: Scorer | undefined;
  readonly settings?: MonitorSettings;
}

/** What may change while it runs; see `reconfigure`. */
export interface MonitorSettings {
  /** What the process may hold, where somebody has said so. */
  readonly configuredLimitBytes?: number | undefined;
  /** Alert thresholds under a limit; the documented defaults, scaled, when left out. */
  readonly thresholdsFor?: (limitBytes: number) => AlertThresholds;
  readonly collectAboveBytes?: ((limitBytes: number) => number) | undefined;
  /** Measure and plan everything, change nothing. False by default. */
  readonly observeOnly?: boolean;
  /** Time between two cycles; 250 ms by default. */
  readonly sensorIntervalMs?: number;
  /** 30 s by default. */
  readonly storedIntervalMs?: number;
  /** 300 s by default. */
  readonly optimizationIntervalMs?: number;
  /** 600 s by default. */
  readonly predictionIntervalMs?: number;
}

/** The state of the process, ready to be shown. */
export interface MonitorStatus extends Moment {
  readonly trend: Trend;
  readonly growthBytesPerHour: number;
  /** Of anonymous memory, since the monitor was made. */
  readonly peakBytes: number;
  /** Of anonymous memory, over five minutes. */
  readonly averageBytes: number;
  /** 0 to 100. */
  readonly efficiencyScore: number;
  readonly opportunities: readonly Opportunity[];
  readonly alerts: readonly Alert[];
  readonly status: PlainStatus;
  readonly shedding: boolean;
  readonly observeOnly: boolean;
  readonly driftBytes: number;
  readonly retainedBytes: number;
}

/** A reading before any sensor has spoken. */
const NOTHING = {
  systemTotalBytes: 0,
  systemAvailableBytes: 0,
  systemUsedPercent: 0,
  rssBytes: 0,
  anonBytes: 0,
  heap: { usedBytes: 0, limitBytes: 0, usableLimitBytes: 0 },
  externalBytes: 0,
  arrayBufferBytes: 0,
  collection: { share: 0, majorPerMinute: 0 },
} as const satisfies ReadingPart;

/** Reads the sensors in a steady cadence, assesses, responds and alerts. */
export class Monitor implements AsyncDisposable {
  readonly #options: MonitorOptions;
  readonly #rules: LevelRules;
  #settings: MonitorSettings;
  readonly #figures = new Figures();
  readonly #alerts: Alerts;
  readonly #responder: Responder | null;
  readonly #hooks: HookSchedule;
  /** Failing sensors and hooks, and how often in a row. */
  readonly #failures = new Map<string, number>();
  readonly #parts: ReadingPart = { ...NOTHING };
  #consumers: readonly HeldByConsumer[] = [];
  #thresholds: { readonly limitBytes: number; readonly values: AlertThresholds } | null = null;
  #state: AssessState = CALM;
  #moment: Moment | null = null;
  #timer: Timer | null = null;
  #dueMs = 0;
  #closing: Promise<void> | null = null;

  constructor(options: MonitorOptions) {
    const { clock, events, budget, gate, settings = {} } = options;
    this.#options = options;
    this.#settings = settings;
    this.#rules = options.rules ?? DEFAULT_RULES;
    this.#alerts = new Alerts({ events });
    const fullShare = this.#rules.thresholds.moderate.exit / 100;
    this.#responder = budget
      ? new Responder({ clock, events, budget, gate, fullShare, settings: responderSettings(settings) })
      : null;
    this.#hooks = new HookSchedule(options.hooks ?? {}, {
      nowMs: clock.monotonicMs(),
      intervalsMs: hookIntervals(settings),
      settled: (hook, error) => this.#note(hook, error),
    });
  }

  /** Senses now and from then on at the cadence. Starting twice is harmless. */
  start(): void {
    this.#requireOpen();
    if (this.#timer !== null) return;
    this.#dueMs = this.#options.clock.monotonicMs();
    this.#tick();
  }

  /**
   * Puts other settings in force, all of them: what is left out has its default again. Level, alerts, figures, books and the last major
   * collection stay as they are.
   */
  reconfigure(settings: MonitorSettings): void {
    this.#requireOpen();
    const { clock } = this.#options;
    const hasOtherCadence = intervalOf(settings) !== intervalOf(this.#settings);
    this.#settings = settings;
    this.#thresholds = null;
    this.#responder?.reconfigure(responderSettings(settings), this.#moment?.reading ?? null);
    this.#hooks.reschedule(hookIntervals(settings), clock.monotonicMs());
    if (this.#timer === null || !hasOtherCadence) return;
    this.#timer.cancel();
    this.#dueMs = clock.monotonicMs();
    this.#schedule();
  }

  /** One cycle now, outside the cadence: reading, assessment, and all that follows. */
  sense(): Moment {
    this.#requireOpen();
    const { clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const reading = this.#read(clock.nowMs());
    const previousLevel = this.#state.level;
    const { assessment, state } = assess(reading, this.#state, {
      nowMs,
      rules: this.#rules,
      scorer: () => this.#scored(reading),
    });
    this.#state = state;
    const moment = { reading, assessment };
    this.#moment = moment;
    this.#figures.add(nowMs, reading.anonBytes);
    const levelHasChanged = assessment.level !== previousLevel;
    if (levelHasChanged) this.#tellLevel(moment, previousLevel);
    this.#responder?.observe(reading, assessment);
    this.#updateAlerts(moment, nowMs);
    this.#hooks.run(moment, nowMs, levelHasChanged);
    return moment;
  }

  /** The last reading and its assessment; null before the first. */
  get last(): Moment | null {
    return this.#moment;
  }

  /** New work is to be refused. */
  get shedding(): boolean {
    return this.#responder?.shedding ?? false;
  }

  /** How often in a row each failing sensor or hook has failed; empty when all work. */
  get failures(): ReadonlyMap<string, number> {
    return this.#failures;
  }

  /** Everything there is to show; senses first when nothing has been sensed yet. */
  status(): MonitorStatus {
    const moment = this.#moment ?? this.sense();
    const { reading } = moment;
    const { driftBytes, retainedBytes } = this.#responder?.books ?? { driftBytes: 0, retainedBytes: 0 };
    return {
      ...moment,
      trend: this.#figures.trend,
      growthBytesPerHour: this.#figures.growthBytesPerHour,
      peakBytes: this.#figures.peakBytes,
      averageBytes: this.#figures.averageBytes(this.#options.clock.monotonicMs()),
      ...usefulness({ heldBytes: reading.anonBytes, heap: reading.heap, idle: this.#consumers, retainedBytes }),
      alerts: this.#alerts.standing,
      status: this.#alerts.status,
      shedding: this.shedding,
      observeOnly: this.#settings.observeOnly ?? false,
      driftBytes,
      retainedBytes,
    };
  }

  /** Stops, waits for a running response to end, closes the sensors. Closing twice is harmless. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#timer?.cancel();
    await this.#responder?.[Symbol.asyncDispose]();
    for (const sensor of this.#options.sensors) sensor[Symbol.dispose]();
  }

  #tick(): void {
    this.#schedule();
    this.sense();
  }

  #schedule(): void {
    const { clock } = this.#options;
    const intervalMs = intervalOf(this.#settings);
    const nowMs = clock.monotonicMs();
    this.#dueMs += intervalMs;
    if (this.#dueMs <= nowMs) this.#dueMs = nowMs + intervalMs;
    this.#timer = clock.after(this.#dueMs - nowMs, () => this.#tick());
  }

  /** The caller's own term; none when it fails. */
  #scored(reading: Reading): Term | null {
    const { scorer } = this.#options;
    if (!scorer) return null;
    try {
      const term = scorer(reading);
      this.#note('scorer', null);
      return term;
    } catch (error) {
      this.#note('scorer', error);
      return null;
    }
  }

  #read(atMs: number): Reading {
    const { sensors, budget } = this.#options;
    for (const sensor of sensors) {
      try {
        Object.assign(this.#parts, sensor.read());
        this.#note(sensor.name, null);
      } catch (error) {
        this.#note(sensor.name, error);
      }
    }
    if (budget) this.#consumers = consumersOf(budget.snapshot());
    // The parts are complete from `NOTHING` on, and a field that became undefined is one of the optional ones.
    const parts = this.#parts as Omit<
      Reading,
      'atMs' | 'limit' | 'consumers' | 'vectorIndexBytes' | 'embeddingCacheBytes'
    >;
    const limit = tightestLimit({
      container: parts.container,
      configuredBytes: this.#settings.configuredLimitBytes,
      physicalBytes: parts.systemTotalBytes,
    });
    return {
      ...parts,
      atMs,
      limit,
      consumers: largestOf(this.#consumers).map(({ name, bytes }) => ({ name, bytes })),
      vectorIndexBytes: bytesHeldBy(this.#consumers, VECTOR_INDEX),
      embeddingCacheBytes: bytesHeldBy(this.#consumers, EMBEDDING_CACHE),
    };
  }

  #tellLevel({ reading, assessment }: Moment, previousLevel: Level): void {
    const { level, score, reason, targetBytes } = assessment;
    const holders = describeHolders(largestHolders(reading.consumers));
    const { atMs } = reading;
    this.#options.events({
      type: 'pressure.level_changed',
      atMs,
      level,
      previousLevel,
      score,
      reason,
      targetBytes,
      holders,
    });
  }

  #updateAlerts({ reading, assessment }: Moment, nowMs: number): void {
    const { trend, growthBytesPerHour } = this.#figures;
    const thresholds = this.#thresholdsFor(reading.limit.bytes);
    this.#alerts.update({
      signals: alertSignals({ reading, assessment, trend, growthBytesPerHour, thresholds }),
      atMs: reading.atMs,
      nowMs,
      consumers: reading.consumers,
      done: this.#responder?.done ?? null,
    });
  }

  #thresholdsFor(limitBytes: number): AlertThresholds {
    if (this.#thresholds?.limitBytes !== limitBytes) {
      this.#thresholds = { limitBytes, values: (this.#settings.thresholdsFor ?? defaultThresholds)(limitBytes) };
    }
    return this.#thresholds.values;
  }

  /** Remembers how a sensor or hook did; `error` is null when it did well. */
  #note(what: string, error: unknown): void {
    if (error === null) {
      this.#failures.delete(what);
      return;
    }
    const count = (this.#failures.get(what) ?? 0) + 1;
    this.#failures.set(what, count);
    if (count > 1) return;
    const { clock, events } = this.#options;
    events({ type: 'pressure.sensor_failed', atMs: clock.nowMs(), sensor: what, message: messageOf(error) });
  }

  #requireOpen(): void {
    if (this.#closing !== null) throw new ClosedError('The monitor');
  }
}

function intervalOf({ sensorIntervalMs = 250 }: MonitorSettings): number {
  return sensorIntervalMs;
}

function responderSettings({ observeOnly = false, collectAboveBytes }: MonitorSettings): ResponderSettings {
  return { observeOnly, collectAboveBytes };
}

function hookIntervals(settings: MonitorSettings): Readonly<Record<HookName, number>> {
  const { storedIntervalMs = 30_000, optimizationIntervalMs = 300_000, predictionIntervalMs = 600_000 } = settings;
  return { stored: storedIntervalMs, optimization: optimizationIntervalMs, prediction: predictionIntervalMs };
}
