/**
 * A clock that moves only when told to, for tests and simulations.
 *
 * Timers fire in order of due time, ties in order of creation, with `nowMs` standing at the due time. `advance` gives
 * promise continuations a turn after each timer, so code that awaits between timers runs as it would in real time.
 */
import { type Clock, checkedDelay, type Timer } from '../base/clock.ts';

interface Pending {
  dueMs: number;
  readonly order: number;
  readonly intervalMs: number | undefined;
  readonly callback: () => void;
}

/** A `Clock` for tests: `advance` moves it and fires what falls due; nothing else does. */
export class ManualClock implements Clock {
  #elapsedMs = 0;
  #wallOffsetMs: number;
  #created = 0;
  readonly #pending = new Set<Pending>();

  constructor(options: { startMs?: number } = {}) {
    this.#wallOffsetMs = options.startMs ?? Date.UTC(2026, 0, 1);
  }

  nowMs(): number {
    return this.#wallOffsetMs + this.#elapsedMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    return this.#schedule(checkedDelay(delayMs), undefined, callback);
  }

  every(intervalMs: number, callback: () => void): Timer {
    const stepMs = Math.max(1, checkedDelay(intervalMs));
    return this.#schedule(stepMs, stepMs, callback);
  }

  /** Moves time forward, firing what falls due on the way. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#elapsedMs + durationMs;
    for (let next = this.#nextDue(endMs); next; next = this.#nextDue(endMs)) {
      this.#elapsedMs = Math.max(this.#elapsedMs, next.dueMs);
      if (next.intervalMs === undefined) this.#pending.delete(next);
      else next.dueMs += next.intervalMs;
      next.callback();
      await settle();
    }
    this.#elapsedMs = endMs;
    await settle();
  }

  /** Sets the wall clock, as an administrator or NTP would; monotonic time and timers are untouched. */
  jumpWallClock(deltaMs: number): void {
    this.#wallOffsetMs += deltaMs;
  }

  /** Timers still pending; a test asserts 0 after everything is closed. */
  get pendingTimers(): number {
    return this.#pending.size;
  }

  #schedule(delayMs: number, intervalMs: number | undefined, callback: () => void): Timer {
    const pending: Pending = { dueMs: this.#elapsedMs + delayMs, order: this.#created++, intervalMs, callback };
    this.#pending.add(pending);
    const cancel = () => void this.#pending.delete(pending);
    return { cancel, [Symbol.dispose]: cancel };
  }

  #nextDue(endMs: number): Pending | undefined {
    let next: Pending | undefined;
    for (const pending of this.#pending) {
      if (pending.dueMs > endMs) continue;
      if (!next || pending.dueMs < next.dueMs || (pending.dueMs === next.dueMs && pending.order < next.order))
        next = pending;
    }
    return next;
  }
}

/** Lets every promise continuation that is ready run, including chains of them. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
