/** A pool over a real store and a budget, with a clock that stands still; closed and checked after each test. */
import { afterEach, beforeEach, expect } from 'vitest';
import { MIB } from '../base/bytes.ts';
import { Budget } from '../budget/budget.ts';
import type { BudgetEvent } from '../budget/budget-events.ts';
import type { SessionEvent } from '../holders/session/session-events.ts';
import type { SessionPoolOptions } from '../holders/session/session-options.ts';
import { SessionPool } from '../holders/session/session-pool.ts';
import { FaultySessionStore } from './faulty-session-store.ts';
import { ManualClock } from './manual-clock.ts';
import { TemporaryStore } from './temporary-store.ts';

export interface Cart {
  readonly count: number;
  readonly text?: string;
}

export class SessionWorld {
  clock!: ManualClock;
  budget!: Budget;
  faulty!: FaultySessionStore;
  temporary!: TemporaryStore;
  events: SessionEvent[] = [];
  budgetEvents: BudgetEvent[] = [];
  #pools: SessionPool<Cart, string>[] = [];

  /** Sets up before, and checks after, each test of the file. */
  static forEachTest(options: { limitBytes?: number } = {}): SessionWorld {
    const world = new SessionWorld();
    beforeEach(() => world.#begin(options.limitBytes ?? 64 * MIB));
    afterEach(() => world.#end());
    return world;
  }

  /** A pool over the faulty store; closed after the test. */
  pool(options: Partial<SessionPoolOptions<Cart>> = {}): SessionPool<Cart, string> {
    const { clock, budget, events } = this;
    const pool = new SessionPool<Cart, string>({
      ...{ store: this.faulty.store, budget, clock, emit: (event) => events.push(event) },
      ...options,
    });
    this.#pools.push(pool);
    return pool;
  }

  /** A pool over a connection of its own to the same file, as another process has one. */
  async otherPool(options: Partial<SessionPoolOptions<Cart>> = {}): Promise<SessionPool<Cart, string>> {
    return this.pool({ name: 'other', store: await this.temporary.openSessionStore(), ...options });
  }

  /** What `work` comes to while time stands still but timers of no length fire: those of a wait for room, say. */
  async ticking<T>(work: () => Promise<T>): Promise<T> {
    let isDone = false;
    const result = work().finally(() => {
      isDone = true;
    });
    result.catch(() => {});
    while (!isDone) await this.clock.advance(0);
    return result;
  }

  eventsOf<T extends SessionEvent['type']>(type: T): Extract<SessionEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<SessionEvent, { type: T }> => event.type === type);
  }

  async #begin(limitBytes: number): Promise<void> {
    this.clock = new ManualClock();
    this.events = [];
    this.budgetEvents = [];
    this.budget = new Budget({
      ...{ name: 'node', limitBytes, clock: this.clock, regrowthBytesPerSecond: Number.POSITIVE_INFINITY },
      emit: (event) => this.budgetEvents.push(event),
    });
    this.temporary = await TemporaryStore.create();
    this.faulty = new FaultySessionStore(await this.temporary.openSessionStore());
  }

  async #end(): Promise<void> {
    this.faulty.mend();
    for (const pool of this.#pools.splice(0)) {
      const closed = pool.close();
      await closed.catch(() => {});
      const { live, bytes } = pool.statistics();
      expect({ live, bytes }).toEqual({ live: 0, bytes: 0 });
    }
    expect(this.budget.reservedBytes).toBe(0);
    expect(this.budget.close().leakedBytes).toBe(0);
    expect(this.clock.pendingTimers).toBe(0);
    await this.temporary.close();
  }
}
