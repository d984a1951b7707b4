/**
 * Whatever is done to sessions in whatever order, every acknowledged value is what a reader gets, no more are live than may be, owners keep
 * to their quotas, and the books balance: two pools over one file, as two processes have, or one that writes back, against a plain map.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { KIB } from '../../src/base/bytes.ts';
import { nextTurn } from '../../src/base/clock.ts';
import { Budget } from '../../src/budget/budget.ts';
import { Quotas } from '../../src/budget/quota.ts';
import { SessionPool } from '../../src/holders/session/session-pool.ts';
import { ManualClock } from '../../src/testing/manual-clock.ts';
import { TemporaryStore } from '../../src/testing/temporary-store.ts';

interface Value {
  readonly n: number;
  readonly text: string;
}

interface Held {
  value: Value;
  items: string[];
  readonly owner: string | null;
  /** Monotonic. */
  endMs: number;
}

const IDS = ['a', 'b', 'c', 'd', 'e', 'f'];
const MAX = 3;
const BUDGET_BYTES = 160 * KIB;
const QUOTA_BYTES = 100 * KIB;
/** No sum of the steps below comes within a hundredth of it, by which the disk may lag. */
const TTL_MS = 104_000;

const id = fc.constantFrom(...IDS);
const size = fc.constantFrom(0, 100, 20_000, 60_000);
const step = fc.oneof(
  fc.record({ kind: fc.constant('create' as const), id, size, owner: fc.constantFrom('ann', 'ben', null) }),
  fc.record({ kind: fc.constant('update' as const), id, size, isFunction: fc.boolean() }),
  fc.record({ kind: fc.constant('append' as const), id, count: fc.nat(3), keepLast: fc.option(fc.nat(4)) }),
  fc.record({ kind: fc.constant('touch' as const), id }),
  fc.record({ kind: fc.constant('get' as const), id }),
  fc.record({ kind: fc.constant('destroy' as const), id }),
  fc.record({ kind: fc.constant('reclaim' as const), bytes: fc.integer({ min: 1, max: 200 * KIB }) }),
  fc.record({ kind: fc.constant('advance' as const), ms: fc.constantFrom(10, 9_000, 30_000, 240_000) }),
  fc.record({ kind: fc.constant('reopen' as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

class World {
  readonly clock = new ManualClock();
  readonly budget = new Budget({
    limitBytes: BUDGET_BYTES,
    clock: this.clock,
    regrowthBytesPerSecond: Number.POSITIVE_INFINITY,
  });
  readonly quotas = new Quotas({ limitBytes: QUOTA_BYTES });
  readonly model = new Map<string, Held>();
  readonly pools: SessionPool<Value, string>[] = [];
  readonly #temporary: TemporaryStore;
  readonly #durability: 'write-through' | 'write-back';
  #count = 0;

  constructor(temporary: TemporaryStore, durability: 'write-through' | 'write-back') {
    this.#temporary = temporary;
    this.#durability = durability;
  }

  async open(index: number): Promise<void> {
    const { clock, budget, quotas } = this;
    this.pools[index] = new SessionPool<Value, string>({
      ...{ store: await this.#temporary.openSessionStore(), budget, clock, quotas, durability: this.#durability },
      ...{ name: `pool ${index}`, max: MAX, idleMs: 10_000, ttlMs: TTL_MS },
    });
  }

  async take(each: Step, turn: number): Promise<void> {
    const index = turn % this.pools.length;
    const pool = this.pools[index]!;
    if (each.kind === 'reclaim') await this.#ticking(this.budget.reclaim({ targetBytes: each.bytes }));
    else if (each.kind === 'reopen') {
      await pool.close();
      await this.open(index);
    } else if (each.kind === 'advance') {
      // What one process knows of a session's end the other learns when it is written.
      if (this.pools.length > 1) for (const open of this.pools) await open.flush();
      await this.clock.advance(each.ms);
    } else await this.#use(pool, each);
    await nextTurn();
    this.#check();
  }

  /** Reads everything from everywhere, closes, and looks whether anything is left. */
  async end(): Promise<void> {
    for (const key of IDS) {
      for (const pool of this.pools) expect(await this.#read(pool, key)).toEqual(this.#expected(key));
    }
    for (const pool of this.pools) await pool.close();
    expect(this.quotas.largest(1)).toEqual([]);
    expect(this.budget.reservedBytes).toBe(0);
    expect(this.budget.close().leakedBytes).toBe(0);
    expect(this.clock.pendingTimers).toBe(0);
  }

  async #use(pool: SessionPool<Value, string>, each: Extract<Step, { id: string }>): Promise<void> {
    const held = this.#alive(each.id);
    if (each.kind === 'create') {
      const value = this.#value(each.size);
      const { owner } = each;
      const created = this.#ticking(pool.create(value, { id: each.id, owner, items: ['first'] }));
      if (held) return expect(created).rejects.toMatchObject({ code: 'SESSION_CONFLICT' });
      await created;
      this.model.set(each.id, { value, items: ['first'], owner, endMs: this.clock.monotonicMs() + TTL_MS });
      return;
    }
    if (each.kind === 'get') expect(await this.#read(pool, each.id, true)).toEqual(this.#expected(each.id));
    else if (each.kind === 'touch') expect(await this.#ticking(pool.touch(each.id))).toBe(held !== null);
    else if (each.kind === 'destroy') {
      const wasThere = await this.#ticking(pool.destroy(each.id));
      if (held) expect(wasThere).toBe(true);
      this.model.delete(each.id);
      return;
    } else if (each.kind === 'update') {
      const value = this.#value(each.size);
      const updated = this.#ticking(pool.update(each.id, each.isFunction ? () => value : value));
      if (!held) return expect(updated).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' });
      await updated;
      held.value = value;
    } else {
      const items = Array.from({ length: each.count }, () => `i${this.#count++}`);
      const keepLast = each.keepLast ?? undefined;
      const appended = this.#ticking(pool.append(each.id, items, { keepLast }));
      if (!held) return expect(appended).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' });
      await appended;
      held.items.push(...items);
      if (keepLast !== undefined) held.items.splice(0, Math.max(0, held.items.length - keepLast));
    }
    if (held) held.endMs = this.clock.monotonicMs() + TTL_MS;
  }

  #check(): void {
    for (const pool of this.pools) {
      const { live, bytes } = pool.statistics();
      expect(live).toBeLessThanOrEqual(MAX);
      expect(bytes).toBeLessThanOrEqual(BUDGET_BYTES);
    }
    for (const { owner, usedBytes } of this.quotas.largest(5))
      expect(usedBytes, owner).toBeLessThanOrEqual(QUOTA_BYTES);
  }

  async #read(pool: SessionPool<Value, string>, key: string, isRolling = false) {
    const session = await this.#ticking(pool.get(key, { isRolling }));
    return session && { value: session.value, items: session.items, owner: session.owner };
  }

  #expected(key: string) {
    const held = this.#alive(key);
    return held && { value: held.value, items: held.items, owner: held.owner };
  }

  #alive(key: string): Held | null {
    const held = this.model.get(key);
    return held && held.endMs > this.clock.monotonicMs() ? held : null;
  }

  #value(bytes: number): Value {
    return { n: this.#count++, text: 'x'.repeat(bytes) };
  }

  /** Time stands still, but waits of no length end. */
  async #ticking<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const done = () => {
      isDone = true;
    };
    work.then(done, done);
    while (!isDone) await this.clock.advance(0);
    return work;
  }
}

it.each([
  ['two processes that write through', 'write-through', 2],
  ['one process that writes back', 'write-back', 1],
] as const)(
  'sessions of %s are what a map says',
  async (_, durability, processes) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(step, fc.nat(1)), { maxLength: 40 }), async (steps) => {
        await using temporary = await TemporaryStore.create();
        const world = new World(temporary, durability);
        for (let index = 0; index < processes; index++) await world.open(index);
        for (const [each, turn] of steps) await world.take(each, turn);
        await world.end();
      }),
      { numRuns: 40, endOnFailure: false },
    );
  },
  60_000,
);
