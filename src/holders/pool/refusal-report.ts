/** Tells of refusals without flooding: the first at once, those that follow together, at most once a second. */
import type { Clock } from '../../base/clock.ts';
import type { EventSink } from '../../base/events.ts';
import type { PoolLoad } from './pool-errors.ts';
import type { PoolEvent, PoolExhaustedEvent } from './pool-events.ts';

const INTERVAL_MS = 1_000;

export class RefusalReport {
  readonly #clock: Clock;
  readonly #emit: EventSink<PoolEvent>;
  readonly #load: () => PoolLoad;
  #refusals = 0;
  #reason: PoolExhaustedEvent['reason'] = 'timeout';
  #nextMs = Number.NEGATIVE_INFINITY;

  constructor(options: { clock: Clock; emit: EventSink<PoolEvent>; load: () => PoolLoad }) {
    this.#clock = options.clock;
    this.#emit = options.emit;
    this.#load = options.load;
  }

  add(reason: PoolExhaustedEvent['reason']): void {
    this.#refusals++;
    this.#reason = reason;
    this.tell();
  }

  /** Tells what has not been told, if the last telling is long enough ago. Called by the sweep. */
  tell(): void {
    if (this.#clock.monotonicMs() >= this.#nextMs) this.flush();
  }

  /** Tells what has not been told. */
  flush(): void {
    if (this.#refusals === 0) return;
    const refusals = this.#refusals;
    this.#refusals = 0;
    this.#nextMs = this.#clock.monotonicMs() + INTERVAL_MS;
    this.#emit({
      type: 'pool.exhausted',
      atMs: this.#clock.nowMs(),
      ...this.#load(),
      reason: this.#reason,
      refusals,
    });
  }
}
