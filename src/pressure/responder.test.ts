import { describe, expect, it } from 'vitest';
import { MIB } from '../base/bytes.ts';
import { ClosedError } from '../base/errors.ts';
import type { Level } from '../base/levels.ts';
import { Budget } from '../budget/budget.ts';
import type { Consumer, ReclaimRequest } from '../budget/consumer.ts';
import type { Reservation } from '../budget/reservation.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { type AssessState, assess, CALM } from './assess.ts';
import { budgetLimitBytes } from './budget-limit.ts';
import { CollectionGate } from './collection-gate.ts';
import type { PressureEvent } from './pressure-events.ts';
import { LIMIT_BYTES, readingOf } from './readings.ts';
import { Responder } from './responder.ts';

/** How the memory of a simulated cache leaves the process once it has left the books. */
type Leaving = 'at once' | 'with a collection' | 'never';

/**
 * A process of 512 MB: 60 MB of its own, a cache under the budget, and `extraBytes` that nobody accounts for. One `step` is one
 * reading, 250 ms after the one before.
 */
class SimulatedProcess implements AsyncDisposable {
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
      observeOnly,
      collectAboveBytes: threshold,
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
    for (let index = 0; index < count; index++) {
      await this.clock.advance(250);
      const collection = { share: 0, majorPerMinute: 0, majors: this.majors };
      const heap = { ...readingOf().heap, liveBytes: this.liveBytes };
      const reading = readingOf({ anonBytes: this.heldBytes, heap, collection });
      const { assessment, state } = assess(reading, this.#state, { nowMs: this.clock.monotonicMs() });
      this.#state = state;
      this.responder.observe(reading, assessment);
      await this.clock.advance(0);
    }
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

describe('responder', () => {
  it('leaves a process alone that is well', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 200 * MIB });
    await simulated.step(100);
    expect(simulated.asked).toEqual([]);
    expect(simulated.events).toEqual([]);
  });

  it('at moderate takes what brings it to the exit of moderate, and tells the three numbers', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 310 * MIB });
    await simulated.step(3);
    const excessBytes = Math.ceil(370 * MIB - 0.65 * LIMIT_BYTES);
    expect(simulated.asked).toEqual([{ targetBytes: excessBytes, level: 'moderate', atMs: 250 }]);
    expect(simulated.eventsOf('pressure.responded')).toEqual([
      {
        type: 'pressure.responded',
        atMs: simulated.clock.nowMs() - 250,
        level: 'moderate',
        targetBytes: excessBytes,
        claimedBytes: excessBytes,
        accountedBytes: excessBytes,
        residentDropBytes: excessBytes,
        retainedBytes: 0,
        driftBytes: 0,
        collected: false,
        tookMs: 250,
      },
    ]);
    await simulated.step(400);
    expect(simulated.asked).toHaveLength(1);
    expect(simulated.collections).toBe(0);
    expect(simulated.responder.done).toBe('reclaimed 37 MB');
  });

  it('remembers for ten minutes what it did', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 310 * MIB });
    await simulated.step(1);
    await simulated.clock.advance(599_999);
    expect(simulated.responder.done).not.toBeNull();
    await simulated.clock.advance(1);
    expect(simulated.responder.done).toBeNull();
  });

  it('at high collects once, when so much was freed that it pays', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 360 * MIB, leaving: 'with a collection' });
    await simulated.step(20);
    expect(simulated.asked).toHaveLength(1);
    expect(simulated.collections).toBe(1);
    expect(simulated.eventsOf('pressure.collected')).toMatchObject([{ reason: 'pressure high' }]);
    expect(simulated.eventsOf('pressure.responded')).toMatchObject([
      { level: 'high', collected: true, retainedBytes: 0 },
    ]);
    expect(simulated.responder.shedding).toBe(false);
  });

  it('at high does not collect for a trifle', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 2 * MIB });
    simulated.extraBytes = 360 * MIB;
    await simulated.step(8);
    expect(simulated.asked.length).toBeGreaterThan(0);
    expect(simulated.collections).toBe(0);
  });

  it('at moderate collects only above the size it was told', async () => {
    await using plain = new SimulatedProcess({ cacheBytes: 320 * MIB, leaving: 'with a collection' });
    await using told = new SimulatedProcess({
      cacheBytes: 320 * MIB,
      leaving: 'with a collection',
      collectAboveBytes: 370 * MIB,
    });
    await plain.step(4);
    await told.step(4);
    expect([plain.collections, told.collections]).toEqual([0, 1]);
  });

  it('at critical sheds, takes half as much again and collects; and stops shedding when the level falls', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 420 * MIB, leaving: 'with a collection' });
    await simulated.step(1);
    expect(simulated.responder.shedding).toBe(true);
    expect(simulated.asked[0]).toMatchObject({
      level: 'critical',
      targetBytes: Math.ceil(1.5 * Math.ceil(480 * MIB - 0.65 * LIMIT_BYTES)),
    });
    expect(simulated.collections).toBe(1);
    await simulated.step(30);
    expect(simulated.responder.shedding).toBe(false);
    expect(simulated.eventsOf('pressure.shedding_changed').map(({ shedding }) => shedding)).toEqual([true, false]);
  });

  it('does not ask twice for bytes that wait for a collection', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 310 * MIB, leaving: 'with a collection' });
    await simulated.step(200);
    expect(simulated.asked).toHaveLength(1);
    expect(simulated.eventsOf('pressure.responded')).toMatchObject([{ residentDropBytes: 0, tookMs: 30_000 }]);
    expect(simulated.responder.books.retainedBytes).toBe(simulated.asked[0]!.targetBytes);
    simulated.collectNaturally();
    await simulated.step(2);
    expect(simulated.responder.books.retainedBytes).toBe(0);
    expect(simulated.asked).toHaveLength(1);
  });

  it('does not evict for bytes that eviction cannot return', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 360 * MIB, leaving: 'never' });
    await simulated.step(2_400);
    expect(simulated.asked).toHaveLength(1);
    expect(simulated.cacheBytes).toBeGreaterThan(250 * MIB);
    expect(simulated.collections).toBe(1);
    expect(simulated.eventsOf('pressure.responded')).toMatchObject([
      { residentDropBytes: 0, retainedBytes: simulated.asked[0]!.targetBytes },
    ]);
  });

  it('pauses longer and longer, to a minute, while responses bring nothing', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 300 * MIB, leaving: 'never' });
    for (let step = 0; step < 2_400; step++) {
      simulated.extraBytes = Math.min(90 * MIB, simulated.extraBytes + MIB / 4);
      await simulated.step();
      if (step % 8 === 0) simulated.collectNaturally();
    }
    const gapsMs = simulated.asked.slice(1).map(({ atMs }, index) => atMs - simulated.asked[index]!.atMs);
    expect(Math.max(...gapsMs)).toBeGreaterThan(20_000);
    expect(simulated.asked.length).toBeLessThan(12);
  });

  it('counts what has left the process as vain when it is the heap that is full', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 250 * MIB });
    simulated.liveBytes = 0.66 * 256 * MIB;
    await simulated.step();
    simulated.liveBytes = 0.72 * 256 * MIB;
    for (let step = 0; step < 240; step++) {
      await simulated.step();
      if (step % 8 === 0) simulated.collectNaturally();
    }
    expect(simulated.asked.length).toBeGreaterThan(2);
    expect(simulated.asked.length).toBeLessThan(7);
    expect(simulated.eventsOf('pressure.responded')[0]!.residentDropBytes).toBe(simulated.asked[0]!.targetBytes);
  });

  it('answers at once when it gets worse, whatever the pause', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 310 * MIB, leaving: 'never' });
    await simulated.step(130);
    expect(simulated.asked).toHaveLength(1);
    simulated.extraBytes = 100 * MIB;
    await simulated.step(1);
    expect(simulated.asked.at(-1)!.level).toBe('critical');
  });

  it('does not miss that it got worse while a reclaim was running', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 310 * MIB });
    let finish = () => {};
    simulated.onReclaim = () => new Promise<void>((resolve) => (finish = resolve));
    await simulated.step(1);
    simulated.onReclaim = () => {};
    simulated.extraBytes = 100 * MIB;
    await simulated.step(2);
    expect(simulated.asked).toHaveLength(1);
    finish();
    await simulated.step(2);
    expect(simulated.asked.map(({ level }) => level)).toEqual(['moderate', 'critical']);
  });

  it('under observe_only measures and plans, and touches nothing', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 420 * MIB, observeOnly: true });
    await simulated.step(480);
    expect(simulated.asked).toEqual([]);
    expect(simulated.collections).toBe(0);
    expect(simulated.responder.shedding).toBe(false);
    expect(simulated.budget.limitBytes).toBe(LIMIT_BYTES);
    const planned = simulated.eventsOf('pressure.planned');
    expect(planned[0]).toMatchObject({ level: 'critical', wouldCollect: true, wouldShed: true });
    expect(planned[0]!.targetBytes).toBeGreaterThan(200 * MIB);
    // Every minute, not every reading.
    expect(planned).toHaveLength(2);
    expect(simulated.events).toHaveLength(2);
  });

  it('calls off a running reclaim when it is closed, and refuses readings afterwards', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 310 * MIB });
    let aborted = false;
    simulated.onReclaim = ({ signal }) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          aborted = true;
          resolve();
        });
      });
    await simulated.step(1);
    await simulated.responder[Symbol.asyncDispose]();
    await simulated.responder[Symbol.asyncDispose]();
    expect(aborted).toBe(true);
    await expect(simulated.step(1)).rejects.toThrow(ClosedError);
  });
});

describe('the limit of the budget', () => {
  it('is the limit less baseline, drift and head-room, never below 0', () => {
    expect(budgetLimitBytes({ limitBytes: 512, baselineBytes: 60, driftBytes: 12, headroomBytes: 179.2 })).toBe(260);
    expect(budgetLimitBytes({ limitBytes: 100, baselineBytes: 90, driftBytes: 0, headroomBytes: 35 })).toBe(0);
  });

  it('is set from the first reading on, and lets a full budget stay below moderate', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 10 * MIB });
    await simulated.step(1);
    const limitBytes = simulated.budget.limitBytes;
    expect(limitBytes).toBe(Math.floor(0.65 * LIMIT_BYTES) - 60 * MIB);
    while (simulated.grow(MIB));
    await simulated.step(100);
    expect(simulated.events).toEqual([]);
    expect(simulated.budget.limitBytes).toBe(limitBytes);
  });

  it('shrinks by what grows outside the books, and comes back when that goes', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 10 * MIB });
    await simulated.step(130);
    const before = simulated.budget.limitBytes;
    simulated.extraBytes = 50 * MIB;
    await simulated.step(130);
    expect(simulated.responder.books).toMatchObject({ baselineBytes: 60 * MIB, driftBytes: 50 * MIB });
    expect(before - simulated.budget.limitBytes).toBe(50 * MIB);
    simulated.extraBytes = 0;
    await simulated.step(1);
    expect(simulated.budget.limitBytes).toBe(before);
  });

  it('is not moved by garbage that comes and goes', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 10 * MIB });
    await simulated.step(130);
    const before = simulated.budget.limitBytes;
    for (let step = 0; step < 300; step++) {
      simulated.extraBytes = (step % 60) * MIB;
      await simulated.step();
    }
    expect(simulated.budget.limitBytes).toBe(before);
  });

  it('never falls below the minimums consumers were promised', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 100 * MIB, minBytes: 90 * MIB });
    simulated.extraBytes = 500 * MIB;
    await simulated.step(200);
    expect(simulated.budget.limitBytes).toBe(90 * MIB);
    expect(simulated.cacheBytes).toBe(90 * MIB);
  });
});
