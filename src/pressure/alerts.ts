/**
 * Alerts that say a thing once.
 *
 * Each kind of alert stands or does not:
 *
 *   quiet ──figure ≥ threshold──▶ standing: told at once
 *   standing ──figure reaches a worse severity──▶ told again, at once
 *   standing ──a reminder is due──▶ told again; after 5 min, then 10, 20, … at most every 6 h
 *   standing ──figure < 95 % of its severity's threshold for the whole calm──▶ told as a lesser severity, or quiet: cleared
 *
 * The calm lasts 10 s; an alert that comes back within ten minutes of being cleared doubles it, up to ten minutes, so a figure
 * that swings about its threshold makes one long alert and not a hundred short ones.
 */
import type { EventSink } from '../base/events.ts';
import {
  type Alert,
  type AlertKind,
  formatFigure,
  type PlainStatus,
  plainStatus,
  type Severity,
  type Signal,
  severityRank,
} from './alert.ts';
import { describeHolders, largestHolders } from './holders.ts';
import type { AlertClearedEvent, AlertRaisedEvent } from './pressure-events.ts';
import type { ConsumerBytes } from './reading.ts';

const EXIT_SHARE = 0.95;
const CALM_MS = 10_000;
const LONGEST_CALM_MS = 600_000;
const RETURN_MS = 600_000;
const FIRST_REMINDER_MS = 300_000;
const LONGEST_REMINDER_MS = 6 * 3_600_000;

interface Standing {
  alert: Alert;
  readonly raisedMs: number;
  calmSinceMs: number | null;
  remindAtMs: number;
}

/** What is left of a cleared alert. */
interface Memory {
  readonly clearedMs: number;
  readonly calmMs: number;
}

export interface AlertMoment {
  readonly signals: readonly Signal[];
  /** Wall time, shown. */
  readonly atMs: number;
  /** Monotonic time, compared. */
  readonly nowMs: number;
  readonly consumers: readonly ConsumerBytes[];
  /** What the responder did last; null when it did nothing. */
  readonly done: string | null;
}

export class Alerts {
  readonly #emit: EventSink<AlertRaisedEvent | AlertClearedEvent>;
  readonly #standing = new Map<AlertKind, Standing>();
  readonly #cleared = new Map<AlertKind, Memory>();

  constructor(options: { events: EventSink<AlertRaisedEvent | AlertClearedEvent> }) {
    this.#emit = options.events;
  }

  /** Those standing, worst first. */
  get standing(): readonly Alert[] {
    return [...this.#standing.values()]
      .map(({ alert }) => alert)
      .sort((one, other) => severityRank(other.severity) - severityRank(one.severity));
  }

  get status(): PlainStatus {
    return plainStatus(this.standing);
  }

  /** Raises, repeats and clears; every event has been delivered when it returns. */
  update(moment: AlertMoment): void {
    for (const signal of moment.signals) {
      const standing = this.#standing.get(signal.kind);
      const reached = worstReached(signal);
      if (standing) this.#follow(standing, signal, reached, moment);
      else if (reached) this.#raise(signal, reached, moment);
    }
  }

  #raise(signal: Signal, reached: Reached, moment: AlertMoment): void {
    this.#standing.set(signal.kind, {
      alert: alertOf(signal, reached, moment, { sinceMs: moment.atMs, reminders: 0 }),
      raisedMs: moment.nowMs,
      calmSinceMs: null,
      remindAtMs: moment.nowMs + FIRST_REMINDER_MS,
    });
    this.#tell(signal.kind, moment);
  }

  #follow(standing: Standing, signal: Signal, reached: Reached | null, moment: AlertMoment): void {
    const { alert } = standing;
    const from = signal.thresholds.find(({ severity }) => severity === alert.severity)!.from;
    if (signal.value < from * EXIT_SHARE) {
      this.#calm(standing, signal, reached, moment);
      return;
    }
    standing.calmSinceMs = null;
    const isWorse = reached !== null && severityRank(reached.severity) > severityRank(alert.severity);
    if (!isWorse && moment.nowMs < standing.remindAtMs) return;
    this.#change(standing, signal, isWorse ? reached : { severity: alert.severity, from }, moment, isWorse ? 0 : 1);
  }

  #change(standing: Standing, signal: Signal, reached: Reached, moment: AlertMoment, moreReminders: number): void {
    const { sinceMs, reminders: before } = standing.alert;
    const reminders = before + moreReminders;
    standing.alert = alertOf(signal, reached, moment, { sinceMs, reminders });
    standing.calmSinceMs = null;
    standing.remindAtMs = moment.nowMs + Math.min(FIRST_REMINDER_MS * 2 ** reminders, LONGEST_REMINDER_MS);
    this.#tell(signal.kind, moment);
  }

  #calm(standing: Standing, signal: Signal, reached: Reached | null, moment: AlertMoment): void {
    const { kind } = signal;
    standing.calmSinceMs ??= moment.nowMs;
    const before = this.#cleared.get(kind);
    const isReturn = before !== undefined && standing.raisedMs - before.clearedMs < RETURN_MS;
    const calmMs = isReturn ? Math.min(before.calmMs * 2, LONGEST_CALM_MS) : CALM_MS;
    if (moment.nowMs - standing.calmSinceMs < calmMs) return;
    if (reached) {
      this.#change(standing, signal, reached, moment, 0);
      return;
    }
    this.#standing.delete(kind);
    this.#cleared.set(kind, { clearedMs: moment.nowMs, calmMs });
    const { reminders: _, ...alert } = standing.alert;
    this.#emit({
      type: 'pressure.alert_cleared',
      atMs: moment.atMs,
      ...alert,
      holders: describeHolders(alert.holders),
      done: moment.done,
      lastedMs: moment.nowMs - standing.raisedMs,
    });
  }

  #tell(kind: AlertKind, moment: AlertMoment): void {
    const { alert } = this.#standing.get(kind)!;
    this.#emit({ type: 'pressure.alert_raised', atMs: moment.atMs, ...alert, holders: describeHolders(alert.holders) });
  }
}

interface Reached {
  readonly severity: Severity;
  readonly from: number;
}

function worstReached(signal: Signal): Reached | null {
  return signal.thresholds.findLast(({ from }) => signal.value >= from) ?? null;
}

function alertOf(
  signal: Signal,
  { severity, from: threshold }: Reached,
  { consumers, done }: AlertMoment,
  { sinceMs, reminders }: { sinceMs: number; reminders: number },
): Alert {
  const { kind, value, unit } = signal;
  const holders = largestHolders(consumers);
  const since = new Date(sinceMs).toISOString();
  const message = `${signal.what} ${formatFigure(value, unit)}, threshold ${formatFigure(threshold, unit)}, since ${since}`;
  return { kind, severity, message, value, threshold, unit, sinceMs, reminders, holders, done };
}
