/**
 * A stage for tests of object pools: a clock, a budget, the events told, and things to lend that remember what was done to them.
 *
 * `close` closes what is open and looks at the end of it: every thing was destroyed once, the books balance, no timer is left.
 */
import { seededRandom } from '../base/random.ts';
import { Budget, type BudgetOptions } from '../budget/budget.ts';
import type { BudgetEvent } from '../budget/budget-events.ts';
import { ObjectPool } from '../holders/pool/object-pool.ts';
import type { PoolEvent } from '../holders/pool/pool-events.ts';
import type { PoolOptions } from '../holders/pool/pool-options.ts';
import { ManualClock } from './manual-clock.ts';

/** What the stage's pools lend. */
export class Thing {
  readonly id: number;
  destroyed = 0;
  isGood = true;

  constructor(id: number) {
    this.id = id;
  }
}

export const THING_BYTES = 1_000_000;

export class PoolStage {
  readonly clock = new ManualClock();
  readonly events: (PoolEvent | BudgetEvent)[] = [];
  readonly budget: Budget;
  /** Every thing made, in order. */
  readonly things: Thing[] = [];
  readonly #pools: ObjectPool<Thing>[] = [];

  constructor(options: Partial<BudgetOptions> = {}) {
    const { clock } = this;
    const emit = (event: BudgetEvent) => this.events.push(event);
    this.budget = new Budget({ name: 'node', limitBytes: 1_000 * THING_BYTES, clock, emit, ...options });
  }

  /** A pool of things, with whatever `options` say instead. */
  pool(options: Partial<PoolOptions<Thing>> = {}): ObjectPool<Thing> {
    const pool = new ObjectPool<Thing>({
      name: `things${this.#pools.length || ''}`,
      create: () => this.make(),
      destroy: (thing) => void thing.destroyed++,
      bytesPerObject: THING_BYTES,
      budget: this.budget,
      clock: this.clock,
      random: seededRandom(1),
      emit: (event) => this.events.push(event),
      ...options,
    });
    this.#pools.push(pool);
    return pool;
  }

  make(): Thing {
    const thing = new Thing(this.things.length);
    this.things.push(thing);
    return thing;
  }

  /** Lets every continuation that is ready run. */
  async settle(): Promise<void> {
    await this.clock.advance(0);
  }

  /** Moves time forward, after what was begun before has begun. */
  async advance(durationMs: number): Promise<void> {
    await this.settle();
    await this.clock.advance(durationMs);
  }

  /** Events of one type. */
  told<T extends PoolEvent['type']>(type: T): Extract<PoolEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<PoolEvent, { type: T }> => event.type === type);
  }

  /** Closes pools and budget; returns what should be empty. */
  async close(): Promise<string[]> {
    const closing = this.#pools.map((pool) => pool.close({ timeoutMs: 0 }));
    await this.clock.advance(60_000);
    await Promise.all(closing);
    const problems: string[] = [];
    const note = (isWrong: boolean, text: string) => isWrong && problems.push(text);
    for (const thing of this.things)
      note(thing.destroyed !== 1, `thing ${thing.id} destroyed ${thing.destroyed} times`);
    note(this.budget.reservedBytes !== 0, `${this.budget.reservedBytes} bytes still reserved`);
    note(this.budget.close().leakedBytes !== 0, 'bytes leaked');
    note(this.clock.pendingTimers !== 0, `${this.clock.pendingTimers} timers pending`);
    return problems;
  }
}
