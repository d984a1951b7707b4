/**
 * Where one waits for an object: who may enter, who is called next, and what those who leave in vain are told.
 *
 * The queue is first come first served (`waiting-queue.ts`). It is bounded: those for whom something is on its way do not count, nor one for
 * whom something can be made; but while the factory fails, that ends as well.
 */
import type { Clock } from '../../base/clock.ts';
import type { EventSink } from '../../base/events.ts';
import type { Lease } from './lease.ts';
import type { Site } from './lease-watch.ts';
import { type PoolLoad, PoolQueueFullError, PoolTimeoutError } from './pool-errors.ts';
import type { PoolEvent } from './pool-events.ts';
import { RefusalReport } from './refusal-report.ts';
import { WaitHistogram } from './wait-histogram.ts';
import { Waiter, WaitingQueue } from './waiting-queue.ts';

const WAITS_ALL_TIMED = 1_024;
const WAITS_TIMED_ONE_IN = 8;

/** How one acquire waits; unset as for all. */
export interface Waiting {
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What the room needs to know of its pool. */
export interface RoomOptions {
  readonly clock: Clock;
  readonly emit: EventSink<PoolEvent>;
  readonly acquireTimeoutMs: number;
  readonly maxWaiting: number;
  load(): PoolLoad;
  /** Whether one more could be served without waiting for somebody else's return. */
  canServe(): boolean;
  /** For how many something is on its way. */
  coming(): number;
  /** Somebody has come. */
  onEnter(): void;
  /** Somebody has left unserved. */
  onLeave(): void;
}

export class WaitingRoom<T> {
  readonly #options: RoomOptions;
  readonly #queue: WaitingQueue<T>;
  readonly #report: RefusalReport;
  readonly #waits = new WaitHistogram();
  #served = 0;
  timeouts = 0;
  refusals = 0;

  constructor(options: RoomOptions) {
    this.#options = options;
    const { clock, emit } = options;
    this.#queue = new WaitingQueue<T>({
      clock,
      onTimeout: (waiter) => this.#timedOut(waiter),
      onAbort: () => options.onLeave(),
    });
    this.#report = new RefusalReport({ clock, emit, load: options.load });
  }

  get size(): number {
    return this.#queue.size;
  }

  get isEmpty(): boolean {
    return this.#queue.first === null;
  }

  /** Enters, at `startMs` and from `site`. Rejects with `PoolQueueFullError` at once, or as one who leaves in vain. */
  enter(waiting: Waiting, startMs: number, site: Site | null): Promise<Lease<T>> {
    const { load, acquireTimeoutMs } = this.#options;
    if (this.#isFull()) {
      this.refusals++;
      const error = new PoolQueueFullError(load());
      this.#report.add('queue_full');
      return Promise.reject(error);
    }
    const { timeoutMs, signal } = waiting;
    return new Promise((resolve, reject) => {
      const waiter = new Waiter<T>({ startMs, timeoutMs: timeoutMs ?? acquireTimeoutMs, site, resolve, reject });
      this.#queue.join(waiter, { signal, ownTimeoutMs: timeoutMs });
      this.#options.onEnter();
    });
  }

  /** Serves the oldest with what `lend` makes for it; false when nobody waits. */
  serve(lend: (site: Site | null) => Lease<T>): boolean {
    const waiter = this.#queue.shift();
    if (waiter === null) return false;
    // All of the first, then one for eight: reading the clock is a fifth of the cost of a wait.
    const isEarly = this.#served < WAITS_ALL_TIMED;
    if (isEarly || this.#served % WAITS_TIMED_ONE_IN === 0) {
      this.#waits.record(this.#options.clock.monotonicMs() - waiter.startMs, isEarly ? 1 : WAITS_TIMED_ONE_IN);
    }
    this.#served++;
    waiter.resolve(lend(waiter.site));
    return true;
  }

  /** How long the oldest will still wait, less a moment, so that it hears from the budget why it waited in vain. */
  get patienceMs(): number {
    const { clock, acquireTimeoutMs } = this.#options;
    const deadlineMs = this.#queue.first?.deadlineMs;
    return deadlineMs === undefined ? acquireTimeoutMs : Math.max(0, deadlineMs - clock.monotonicMs() - 1);
  }

  /** The budget had no room for as long as the oldest could wait: who has waited that long is told why. */
  refusedByBudget(error: unknown): void {
    const waiter = this.#queue.first;
    if (waiter === null || waiter.deadlineMs > this.#options.clock.monotonicMs() + 1) return;
    this.#queue.leave(waiter);
    this.#timedOut(waiter, error);
  }

  /** Rejects the oldest, or everybody. */
  reject(error: unknown, whom: 'oldest' | 'all'): void {
    do this.#queue.shift()?.reject(error);
    while (whom === 'all' && this.#queue.first !== null);
    this.#options.onLeave();
  }

  /** How long borrowers waited; of `borrows` those not served here did not wait at all. */
  waitMs(borrows: number): { p50: number; p99: number } {
    const immediate = borrows - this.#served;
    return { p50: this.#waits.quantileMs(0.5, immediate), p99: this.#waits.quantileMs(0.99, immediate) };
  }

  /** Now and then: stops what is not needed, tells what has not been told. */
  sweep(): void {
    this.#queue.rest();
    this.#report.tell();
  }

  close(error: Error): void {
    this.reject(error, 'all');
    this.#queue.rest();
    this.#report.flush();
  }

  #isFull(): boolean {
    const { load, maxWaiting, canServe, coming } = this.#options;
    const { size } = this.#queue;
    if (size < maxWaiting) return false;
    return size >= maxWaiting + load().max || (!canServe() && size - coming() >= maxWaiting);
  }

  #timedOut(waiter: Waiter<T>, cause?: unknown): void {
    const { clock, load, onLeave } = this.#options;
    this.timeouts++;
    waiter.reject(new PoolTimeoutError(load(), { waitedMs: clock.monotonicMs() - waiter.startMs, cause }));
    this.#report.add('timeout');
    onLeave();
  }
}
