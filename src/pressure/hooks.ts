/**
 * What others do with readings, at their own slower pace.
 *
 * A hook that throws or rejects is reported and called again when it is next due. One that still runs is not called a second time,
 * but as soon as it has ended. Times are monotonic.
 */
import type { Assessment } from './assess.ts';
import type { Reading } from './reading.ts';

/** What a hook is given. */
export interface Moment {
  readonly reading: Reading;
  readonly assessment: Assessment;
}

export interface MonitorHooks {
  /** A reading to be kept; 30 s apart by default, first at the first cycle. */
  stored?(moment: Moment): void | Promise<void>;
  /** Time for an optimization pass; 300 s apart by default, and at once when the level changes. */
  optimization?(moment: Moment): void | Promise<void>;
  /** Time for a forecast; 600 s apart by default. */
  prediction?(moment: Moment): void | Promise<void>;
}

export type HookName = keyof MonitorHooks;

interface Turn {
  readonly hook: HookName;
  intervalMs: number;
  dueMs: number;
  isRunning: boolean;
}

export class HookSchedule {
  readonly #hooks: MonitorHooks;
  readonly #turns: readonly Turn[];
  readonly #settled: (hook: HookName, error: unknown) => void;

  /** `settled` is called after each call of a hook, with what it threw or `null`. */
  constructor(
    hooks: MonitorHooks,
    options: {
      nowMs: number;
      intervalsMs: Readonly<Record<HookName, number>>;
      settled: (hook: HookName, error: unknown) => void;
    },
  ) {
    this.#hooks = hooks;
    this.#settled = options.settled;
    this.#turns = (['stored', 'optimization', 'prediction'] as const).map((hook) => {
      const intervalMs = options.intervalsMs[hook];
      return {
        hook,
        intervalMs,
        dueMs: hook === 'stored' ? options.nowMs : options.nowMs + intervalMs,
        isRunning: false,
      };
    });
  }

  /** Gives each hook a new interval; one that waits for longer than that is due sooner. */
  reschedule(intervalsMs: Readonly<Record<HookName, number>>, nowMs: number): void {
    for (const turn of this.#turns) {
      turn.intervalMs = intervalsMs[turn.hook];
      turn.dueMs = Math.min(turn.dueMs, nowMs + turn.intervalMs);
    }
  }

  /** Calls what is due. `levelHasChanged` makes an optimization due. */
  run(moment: Moment, nowMs: number, levelHasChanged: boolean): void {
    for (const turn of this.#turns) {
      if (turn.hook === 'optimization' && levelHasChanged) turn.dueMs = nowMs;
      if (nowMs >= turn.dueMs && !turn.isRunning && this.#hooks[turn.hook]) void this.#call(turn, moment, nowMs);
    }
  }

  async #call(turn: Turn, moment: Moment, nowMs: number): Promise<void> {
    turn.dueMs = nowMs + turn.intervalMs;
    turn.isRunning = true;
    let failure: unknown = null;
    try {
      await this.#hooks[turn.hook]?.(moment);
    } catch (error) {
      failure = error;
    }
    turn.isRunning = false;
    this.#settled(turn.hook, failure);
  }
}
