/**
 * A pool in a world that fails: factories, checks, resets and destroyers that throw, hang or are late, borrowers that give up, a budget that is
 * crowded and asks back, time that passes. Beside it stands a plain account of who has what, and the promises are read from that.
 */
import { seededRandom } from '../../src/base/random.ts';
import { Budget } from '../../src/budget/budget.ts';
import type { BudgetEvent } from '../../src/budget/budget-events.ts';
import type { Lease } from '../../src/holders/pool/lease.ts';
import { ObjectPool } from '../../src/holders/pool/object-pool.ts';
import type { PoolEvent } from '../../src/holders/pool/pool-events.ts';
import { type FaultRates, faulty } from '../../src/testing/faulty.ts';
import { ManualClock } from '../../src/testing/manual-clock.ts';
import { ScriptedConsumer } from '../../src/testing/scripted-consumer.ts';

export interface WorldShape {
  readonly seed: number;
  readonly min: number;
  readonly max: number;
  readonly maxWaiting: number;
  readonly checkAfterIdleMs: number;
  readonly maxUses: number;
  readonly maxLifetimeMs: number;
  readonly hasReset: boolean;
  readonly faults: { readonly throws: number; readonly rejects: number; readonly hangs: number; readonly late: number };
  /** How many objects the budget has room for. */
  readonly room: number;
}

interface Thing {
  readonly id: number;
  /** Calls of `destroy` with it. */
  destroyed: number;
}

/** One `acquire` and what came of it. */
interface Borrower {
  readonly controller: AbortController;
  isSettled: boolean;
}

const BYTES = 200_000;
const CALLBACK_TIMEOUT_MS = 300;

export class PoolWorld {
  readonly clock = new ManualClock();
  readonly events: (PoolEvent | BudgetEvent)[] = [];
  readonly things: Thing[] = [];
  readonly leases: Lease<Thing>[] = [];
  readonly codes = new Set<string>();
  readonly problems: string[] = [];
  readonly pool: ObjectPool<Thing>;
  readonly #budget: Budget;
  readonly #crowd: ScriptedConsumer;
  readonly #shape: WorldShape;
  #borrowers: Borrower[] = [];
  #isCalm = false;

  constructor(shape: WorldShape) {
    this.#shape = shape;
    const { clock } = this;
    const emit = (event: PoolEvent | BudgetEvent) => void this.events.push(event);
    this.#budget = new Budget({
      limitBytes: shape.room * BYTES + 50_000,
      regrowthBytesPerSecond: Infinity,
      clock,
      emit,
    });
    this.#crowd = new ScriptedConsumer(this.#budget, { name: 'crowd', onReclaim: () => 0 });
    const random = seededRandom(shape.seed);
    const rates: FaultRates = {
      ...{ ...shape.faults, lateMs: { low: 1, high: 2 * CALLBACK_TIMEOUT_MS }, clock },
      isOn: () => !this.#isCalm,
    };
    const create = faulty(random, () => this.#make(), rates);
    const check = faulty(random, () => this.#isCalm || random() > 0.2, rates);
    const reset = faulty(random, () => {}, rates);
    const destroy = faulty(random, () => {}, rates);
    const { min, max, maxWaiting, checkAfterIdleMs, maxUses, maxLifetimeMs } = shape;
    this.pool = new ObjectPool<Thing>({
      ...{ name: 'pool', min, max, maxWaiting, checkAfterIdleMs, maxUses, maxLifetimeMs },
      ...{ budget: this.#budget, bytesPerObject: BYTES, clock, emit, random },
      ...{ acquireTimeoutMs: 1_000, createTimeoutMs: CALLBACK_TIMEOUT_MS, checkTimeoutMs: CALLBACK_TIMEOUT_MS },
      ...{ destroyTimeoutMs: CALLBACK_TIMEOUT_MS, backoffMs: 20, longestBackoffMs: 200, idleTimeoutMs: 2_000 },
      ...{ checkIntervalMs: 700, heldTooLongMs: 1_500 },
      ...(shape.hasReset && { reset }),
      create,
      check,
      destroy: (thing) => {
        thing.destroyed++;
        if (this.#holders(thing) > 0) this.problems.push(`thing ${thing.id} is destroyed in somebody's hands`);
        return destroy();
      },
    });
  }

  /** Somebody wants an object; with a time of its own if `timeoutMs` is not 0. */
  acquire(timeoutMs: number): void {
    const borrower: Borrower = { controller: new AbortController(), isSettled: false };
    const { signal } = borrower.controller;
    this.#borrowers.push(borrower);
    this.pool.acquire(timeoutMs === 0 ? { signal } : { signal, timeoutMs }).then(
      (lease) => {
        const earlier = this.#borrowers.slice(0, this.#borrowers.indexOf(borrower)).filter((one) => !one.isSettled);
        if (earlier.length > 0) this.problems.push(`${earlier.length} who came before were overtaken`);
        borrower.isSettled = true;
        this.leases.push(lease);
      },
      (error: { code?: string }) => {
        borrower.isSettled = true;
        this.codes.add(error.code ?? 'aborted');
      },
    );
  }

  /** Ends one lease, in one of the ways there are. */
  giveBack(which: number, how: number): void {
    const [lease] = this.leases.length === 0 ? [] : this.leases.splice(which % this.leases.length, 1);
    if (lease === undefined) return;
    if (how % 5 === 0) lease.destroy();
    else if (how % 5 === 1) lease[Symbol.dispose]();
    else lease.release();
    if (how % 7 === 0) lease[Symbol.dispose]();
  }

  abort(which: number): void {
    const waiting = this.#borrowers.filter(({ isSettled }) => !isSettled);
    waiting[which % Math.max(1, waiting.length)]?.controller.abort(new Error('aborted'));
  }

  discard(which: number): void {
    const thing = this.things[which % Math.max(1, this.things.length)];
    if (thing) this.pool.discard(thing);
  }

  crowd(things: number): void {
    this.#crowd.give(this.#crowd.bytes);
    this.#crowd.reservation.tryGrow(things * BYTES);
  }

  reclaim(things: number, isCritical: boolean): void {
    void this.#budget.reclaim({ targetBytes: things * BYTES, level: isCritical ? 'critical' : 'low', deadlineMs: 200 });
  }

  /** What is promised at any moment. */
  check(): void {
    const { size, borrowed, idle, creating, bytes } = this.pool.statistics();
    const { max, min } = this.#shape;
    const held = this.leases.map((lease) => lease.object);
    if (size + creating > max) this.problems.push(`${size} alive and ${creating} being made, at most ${max}`);
    if (new Set(held).size !== held.length) this.problems.push('an object is in two hands');
    if (held.some(({ destroyed }) => destroyed > 0)) this.problems.push('a destroyed object is in somebody’s hands');
    if (borrowed < held.length) this.problems.push(`${held.length} held, ${borrowed} borrowed`);
    if (borrowed + idle > size) this.problems.push(`${borrowed} borrowed and ${idle} idle of ${size}`);
    if (bytes < size * BYTES || bytes > (size + creating) * BYTES) {
      this.problems.push(`${bytes} bytes for ${size} alive and ${creating} being made`);
    }
    if (min > max) this.problems.push('min above max');
    this.#borrowers = this.#borrowers.filter(({ isSettled }) => !isSettled);
  }

  /** No more faults, room enough, everything returned: then all must be well again. */
  async calmDown(): Promise<void> {
    this.#isCalm = true;
    this.crowd(0);
    while (this.leases.length > 0) this.giveBack(0, 2);
    // Whoever waited is served or was refused by now, and gives back at once.
    for (let round = 0; round < 20; round++) {
      await this.clock.advance(1_000);
      while (this.leases.length > 0) this.giveBack(0, 2);
      this.check();
    }
    const { size, borrowed, waiting, creating, idle } = this.pool.statistics();
    if (waiting + borrowed + creating > 0)
      this.problems.push(`in calm ${waiting} wait, ${borrowed} are borrowed, ${creating} made`);
    if (idle !== size) this.problems.push(`in calm ${idle} of ${size} are idle`);
    // Where the budget has no room for min, it is tried again now and then.
    const least = this.#shape.room < this.#shape.min ? 0 : this.#shape.min;
    if (size < least) this.problems.push(`in calm ${size} are kept, min is ${least}`);
    for (let index = 0; index < Math.min(this.#shape.max, this.#shape.room); index++) this.acquire(0);
    await this.clock.advance(500);
    this.check();
    if (this.leases.length < Math.min(this.#shape.max, this.#shape.room)) {
      this.problems.push(`in calm ${this.leases.length} could be borrowed`);
    }
  }

  /** Closes with leases out, and looks at what is left. */
  async close(): Promise<void> {
    const closing = this.pool.close({ timeoutMs: 100 });
    await this.clock.advance(10_000);
    await closing;
    for (const { id, destroyed } of this.things) {
      if (destroyed !== 1) this.problems.push(`thing ${id} was destroyed ${destroyed} times`);
    }
    if (this.leases.some(({ isReturned }) => !isReturned)) this.problems.push('a lease outlives its pool');
    this.crowd(0);
    if (this.#budget.reservedBytes !== 0) this.problems.push(`${this.#budget.reservedBytes} bytes left`);
    if (this.#budget.close().leakedBytes !== 0) this.problems.push('bytes leaked');
    if (this.clock.pendingTimers !== 0) this.problems.push(`${this.clock.pendingTimers} timers left`);
  }

  #make(): Thing {
    const thing = { id: this.things.length, destroyed: 0 };
    this.things.push(thing);
    return thing;
  }

  #holders(thing: Thing): number {
    return this.leases.filter((lease) => !lease.isReturned && lease.object === thing).length;
  }
}
