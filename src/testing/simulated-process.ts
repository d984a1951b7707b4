/** A simulated process with a cache under the budget, for tests of the responder. */
import { expect } from 'vitest';
import { MIB } from '../base/bytes.ts';
import type { Level } from '../base/levels.ts';
import { Budget } from '../budget/budget.ts';
import type { Consumer, ReclaimRequest } from '../budget/consumer.ts';
import type { Reservation } from '../budget/reservation.ts';
import { type AssessState, assess, CALM } from '../pressure/assess.ts';
import { CollectionGate } from '../pressure/collection-gate.ts';
import type { PressureEvent } from '../pressure/pressure-events.ts';
import { LIMIT_BYTES, readingOf } from '../pressure/readings.ts';
import { Responder } from '../pressure/responder.ts';
import { ManualClock } from './manual-clock.ts';

/** How the memory of a simulated cache leaves the process once it has left the books. */
type Leaving = 'at once' | 'with a collection' | 'never';

/**
 * A process of 512 MB: 60 MB of its own, a cache under the budget, and `extraBytes` that nobody accounts for. One `step` is one
 * reading, 250 ms after the one before.
 */
export class SimulatedProcess implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly events: PressureEvent[] = [];
  readonly asked: { targetBytes: number; level: Level; atMs: number }[] = [];
  readonly budget = new Budget({
    limitBytes: LIMIT_BYTES,
    clock: this.clock,
    regrowthBytesPerSecond: Number.POSITIVE_INFINITY,
  });
  readonly gate: CollectionGate;
  readonly responder: Responder;
  extraBytes = 0;
  liveBytes = 50 * MIB;
  majors = 0;
  collections = 0;
  onReclaim: (request: ReclaimRequest) => Promise<void> | void = () => {};
  #garbageBytes = 0;
  #state: AssessState = CALM;
  readonly #reservation: Reservation;

  constructor(options: {
    cacheBytes: number;
    leaving?: Leaving;
    observeOnly?: boolean;
    collectAboveBytes?: number;
    minBytes?: number;
  }) {
    const { leaving = 'at once', observeOnly = false, collectAboveBytes } = options;
    const events = (event: PressureEvent) => void this.events.push(event);
    const collect = () => {
      this.collections++;
      this.collectNaturally();
    };
    this.gate = new CollectionGate({ clock: this.clock, events, collect });
    const { clock, budget, gate } = this;
    const threshold = collectAboveBytes === undefined ? undefined : () => collectAboveBytes;
    this.responder = new Responder({
      clock,
      events,
      budget,
      gate,
      fullShare: 0.65,
      settings: { observeOnly, collectAboveBytes: threshold },
    });
    this.#reservation = budget.register(this.#consumer(leaving, options.minBytes ?? 0)).reserve();
    if (!this.#reservation.tryGrow(options.cacheBytes)) throw new Error('The cache does not fit.');
  }

  get cacheBytes(): number {
    return this.#reservation.bytes;
  }

  grow(bytes: number): boolean {
    return this.#reservation.tryGrow(bytes);
  }

  collectNaturally(): void {
    this.majors++;
    if (this.#leaving !== 'never') this.#garbageBytes = 0;
  }

  get heldBytes(): number {
    return 60 * MIB + this.cacheBytes + this.#garbageBytes + this.extraBytes;
  }

  async step(count = 1): Promise<void> {
    for (let index = 0; index < count; index++) await this.stepAndTell();
  }

  /** One step; returns the level it came to. */
  async stepAndTell(): Promise<Level> {
    await this.clock.advance(250);
    const collection = { share: 0, majorPerMinute: 0, majors: this.majors };
    const heap = { ...readingOf().heap, liveBytes: this.liveBytes };
    const reading = readingOf({ anonBytes: this.heldBytes, heap, collection });
    const { assessment, state } = assess(reading, this.#state, { nowMs: this.clock.monotonicMs() });
    this.#state = state;
    this.responder.observe(reading, assessment);
    await this.clock.advance(0);
    return assessment.level;
  }

  eventsOf<T extends PressureEvent['type']>(type: T): Extract<PressureEvent, { type: T }>[] {
    return this.events.filter((event) => event.type === type) as Extract<PressureEvent, { type: T }>[];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.responder[Symbol.asyncDispose]();
    this.#reservation[Symbol.dispose]();
    expect(this.budget.close().leakedBytes).toBe(0);
    expect(this.clock.pendingTimers).toBe(0);
  }

  #leaving: Leaving = 'at once';

  #consumer(leaving: Leaving, minBytes: number): Consumer {
    this.#leaving = leaving;
    return {
      name: 'cache',
      where: 'heap',
      priority: 5,
      weight: 1,
      minBytes,
      reclaimableBytes: () => this.cacheBytes,
      reclaim: async (request) => {
        const { targetBytes, level } = request;
        this.asked.push({ targetBytes, level, atMs: this.clock.monotonicMs() });
        await this.onReclaim(request);
        const bytes = Math.min(targetBytes, this.cacheBytes);
        this.#reservation.shrink(bytes);
        if (leaving !== 'at once') this.#garbageBytes += bytes;
        return bytes;
      },
    };
  }
}
