/** One budget, its model, and every operation done to both; each ends by comparing them. */
import { expect } from 'vitest';
import { TenureError } from '../../src/base/errors.ts';
import { LEVELS } from '../../src/base/levels.ts';
import { Budget } from '../../src/budget/budget.ts';
import type { BudgetEvent } from '../../src/budget/budget-events.ts';
import type { BudgetSnapshot } from '../../src/budget/snapshot.ts';
import { ManualClock } from '../../src/testing/manual-clock.ts';
import { type Holder, ModelledConsumer, pick, type Surroundings, UNIT_BYTES } from './budget-consumer.ts';
import {
  type Asking,
  addNode,
  type Block,
  blockOf,
  blocksOf,
  committedBytes,
  effects,
  floorBytes,
  type ModelNode,
  type ModelWaiter,
  pathOf,
  removeNode,
  reservedBytes,
} from './budget-model.ts';

const ABORTED = new Error('aborted by the test');

interface Branch {
  readonly budget: Budget;
  readonly node: ModelNode;
}
interface Waiter extends ModelWaiter {
  readonly holder: Holder;
  readonly held: Holder['reservations'][number];
  readonly controller: AbortController;
  /** Until then it is served or refused. */
  readonly deadlineMs: number;
}

export class World implements Surroundings {
  readonly clock = new ManualClock();
  readonly events: BudgetEvent[] = [];
  readonly branches: Branch[] = [];
  readonly holders: Holder[] = [];
  /** What went wrong where nobody could throw: in a callback, or a promise of the budget's. */
  readonly wrong: string[] = [];
  waiters: Waiter[] = [];
  /** Requests granted after they had waited. */
  servedCount = 0;
  /** The account beside the tree. */
  readonly #heap = addNode({ name: 'heap', parent: null, minBytes: 0, limitBytes: Number.MAX_SAFE_INTEGER });
  readonly #regrows: boolean;
  #count = 0;

  constructor(config: { limit: number; regrows: boolean }) {
    this.#regrows = config.regrows;
    const limitBytes = (100 + config.limit) * UNIT_BYTES;
    const regrowthBytesPerSecond = config.regrows ? 50 * UNIT_BYTES : Number.POSITIVE_INFINITY;
    const budget = new Budget({
      name: 'root',
      limitBytes,
      regrowthBytesPerSecond,
      clock: this.clock,
      emit: (event) => this.events.push(event),
    });
    this.branches.push({ budget, node: addNode({ name: 'root', parent: null, minBytes: 0, limitBytes }) });
  }

  /** Adds a child budget; one whose minimum does not fit must be refused. */
  addBudget(at: number, size: number, minimum: number): void {
    const parent = pick(this.branches, at)!;
    const limitBytes = size % 3 === 0 ? Number.MAX_SAFE_INTEGER : size * UNIT_BYTES;
    const minBytes = minimum % 4 === 0 ? Math.min((minimum % 60) * UNIT_BYTES, limitBytes) : 0;
    const name = `b${this.#count++}`;
    const fits = minimumsFit(parent.node, minBytes);
    const add = () => parent.budget.child({ name, minBytes, ...(size % 3 === 0 ? {} : { limitBytes }) });
    if (!fits) {
      expect(add).toThrow(expect.objectContaining({ code: 'BUDGET_MINIMUMS' }));
      return;
    }
    this.branches.push({ budget: add(), node: addNode({ name, parent: parent.node, minBytes, limitBytes }) });
  }

  addConsumer(at: number, minimum: number, character: number): void {
    const parent = pick(this.branches, at)!;
    const minBytes = minimum % 3 === 0 ? (minimum % 80) * UNIT_BYTES : 0;
    const maxBytes = character % 7 === 0 ? minBytes + (character % 200) * UNIT_BYTES : undefined;
    const name = `c${this.#count++}`;
    const consumer = new ModelledConsumer(this, { name, minBytes, maxBytes, character });
    const heap = consumer.where === 'heap' ? this.#heap : undefined;
    const fitsHeap = heap === undefined || floorBytes(heap) + minBytes <= heap.limitBytes;
    if (!fitsHeap || !minimumsFit(parent.node, minBytes)) {
      expect(() => parent.budget.register(consumer)).toThrow(expect.objectContaining({ code: 'BUDGET_MINIMUMS' }));
      return;
    }
    const registration = parent.budget.register(consumer);
    const limitBytes = maxBytes ?? Number.MAX_SAFE_INTEGER;
    const node = addNode({ name, parent: parent.node, heap, minBytes, limitBytes });
    const holder: Holder = { registration, node, reservations: [], isSlow: consumer.isSlow };
    consumer.holder = holder;
    this.holders.push(holder);
    for (let i = 0; i < 1 + (character % 3); i++) this.reserve(holder);
  }

  reserve(holder: Holder): void {
    holder.reservations.push({ reservation: holder.registration.reserve(), bytes: 0 });
  }

  tryGrow(holder: Holder, at: number, bytes: number): void {
    const held = pick(holder.reservations, at);
    if (!held || bytes === 0) return;
    const asking = { consumer: holder.node, bytes };
    const mustPass = this.#views(this.waiters).every((view) => blockOf(asking, blocksOf(view)) === null);
    const ahead = this.#surelyAhead(asking);
    const granted = held.reservation.tryGrow(bytes);
    if (granted) {
      if (effects(holder.node, bytes).some(({ fits }) => !fits))
        this.fail(`tryGrow(${bytes}) of ${holder.node.name} exceeds a limit`);
      if (ahead) this.fail(`tryGrow(${bytes}) of ${holder.node.name} passed ${ahead.node.name}`);
      this.#enter(holder, held, bytes);
    } else if (mustPass && !holder.isSlow && !this.#somethingIsHeldBack) {
      this.fail(`tryGrow(${bytes}) of ${holder.node.name} refused without need`);
    }
    this.check();
  }

  grow(holder: Holder, at: number, bytes: number, timeoutMs: number): void {
    const held = pick(holder.reservations, at);
    if (!held || bytes === 0 || this.waiters.some((waiter) => waiter.held === held)) return;
    const controller = new AbortController();
    const deadlineMs = this.clock.monotonicMs() + timeoutMs;
    const waiter: Waiter = { order: this.#count++, consumer: holder.node, bytes, holder, held, controller, deadlineMs };
    const leave = () => {
      this.waiters = this.waiters.filter((other) => other !== waiter);
    };
    this.waiters.push(waiter);
    const codes = ['BUDGET_EXCEEDED', 'CLOSED', ...(holder.isSlow ? ['BUDGET_REENTRY'] : [])];
    this.expectRejection(held.reservation.grow(bytes, { timeoutMs, signal: controller.signal }), codes, leave);
    this.check();
  }

  /** `promise` may be fulfilled; if it rejects, it must be with one of `codes`. */
  expectRejection(promise: Promise<void>, codes: readonly string[], then: () => void = () => {}): void {
    promise.catch((error: unknown) => {
      then();
      if (error === ABORTED || (error instanceof TenureError && codes.includes(error.code))) return;
      this.wrong.push(String(error));
    });
  }

  /** Gives bytes back, wherever the call comes from. */
  shrink(holder: Holder, held: Holder['reservations'][number], bytes: number): void {
    // What was granted before, by a timer for instance, was granted in the state before.
    this.check();
    held.bytes -= bytes;
    holder.node.ownBytes -= bytes;
    held.reservation.shrink(bytes);
    this.check();
  }

  free(holder: Holder, at: number): void {
    const held = pick(holder.reservations, at);
    if (!held) return;
    holder.reservations.splice(holder.reservations.indexOf(held), 1);
    holder.node.ownBytes -= held.bytes;
    this.#forget((waiter) => waiter.held === held);
    held.reservation.free();
    expect(() => held.reservation.free()).toThrow(expect.objectContaining({ code: 'CLOSED' }));
    this.check();
  }

  setLimit(branch: Branch, limitBytes: number): void {
    if (floorBytes(branch.node) > limitBytes) {
      expect(() => branch.budget.setLimit(limitBytes)).toThrow(expect.objectContaining({ code: 'BUDGET_MINIMUMS' }));
      return;
    }
    if (this.#regrows && limitBytes < committedBytes(branch.node)) branch.node.mayBeRestrained = true;
    branch.node.limitBytes = limitBytes;
    branch.budget.setLimit(limitBytes);
    this.check();
  }

  setHeapLimit(limitBytes: number): void {
    const root = this.branches[0]!.budget;
    if (floorBytes(this.#heap) > limitBytes) {
      expect(() => root.setHeapLimit(limitBytes)).toThrow(expect.objectContaining({ code: 'BUDGET_MINIMUMS' }));
      return;
    }
    if (this.#regrows && limitBytes < committedBytes(this.#heap)) this.#heap.mayBeRestrained = true;
    this.#heap.limitBytes = limitBytes;
    root.setHeapLimit(limitBytes);
    this.check();
  }

  reclaim(branch: Branch, targetBytes: number, level: number): void {
    const where = level % 5 === 0 ? (['heap'] as const) : undefined;
    const options = { targetBytes, level: pick(LEVELS, level)!, deadlineMs: 200 };
    const answered = branch.budget.reclaim(where ? { ...options, where } : options);
    if (this.#regrows && options.level !== 'low') (where ? this.#heap : branch.node).mayBeRestrained = true;
    answered.then(
      ({ accountedBytes, answers, end }) => {
        const sum = answers.reduce((total, answer) => total + answer.accountedBytes, 0);
        if (accountedBytes !== sum) this.wrong.push('a reclaim is not the sum of its answers');
        if (end === 'reached' && accountedBytes < targetBytes) this.wrong.push('a reclaim ended too early');
      },
      (error: unknown) => this.wrong.push(String(error)),
    );
  }

  abort(at: number): void {
    const waiter = pick(this.waiters, at);
    if (!waiter) return;
    this.#forget((other) => other === waiter);
    waiter.controller.abort(ABORTED);
    this.check();
  }

  closeConsumer(holder: Holder): void {
    this.#drop(holder);
    const leftBytes = holder.node.ownBytes;
    holder.node.ownBytes = 0;
    expect(holder.registration.close()?.bytes ?? 0).toBe(leftBytes);
    expect(holder.registration.close()).toBeNull();
    this.check({ isOneStep: false });
  }

  closeBudget(branch: Branch): void {
    const leftBytes = reservedBytes(branch.node);
    for (const holder of this.holders.filter((each) => pathOf(each.node).includes(branch.node))) {
      this.#drop(holder);
      holder.node.ownBytes = 0;
    }
    removeNode(branch.node);
    const gone = this.branches.filter((each) => pathOf(each.node).includes(branch.node));
    for (const each of gone) this.branches.splice(this.branches.indexOf(each), 1);
    expect(branch.budget.close().leakedBytes).toBe(leftBytes);
    if (this.branches.length > 0) this.check({ isOneStep: false });
  }

  /** Enters what was granted to waiters, and compares everything with the model. */
  check({ isOneStep = true } = {}): void {
    if (this.wrong.length > 0) expect.fail(this.wrong.join('; '));
    this.#enterGrants(isOneStep);
    const root = this.branches[0]!;
    const difference = differenceOf(root.budget.snapshot(), root.node);
    if (difference !== null) this.fail(difference);
    const onHeapBytes = root.budget.reservedByResidence.heap;
    if (onHeapBytes !== reservedBytes(this.#heap))
      this.fail(`the heap shows ${onHeapBytes}, the model ${reservedBytes(this.#heap)}`);
  }

  /** Nobody is left waiting without need. Only between operations: a `grow` refused at once says so a turn later. */
  checkWaiters(): void {
    if (this.#somethingIsHeldBack) return;
    const views = this.#views(this.waiters).map(blocksOf);
    this.waiters.forEach((waiter, index) => {
      // A slow consumer may be answering at this moment, and gets nothing until it has.
      if (!waiter.holder.isSlow && views.every((blocks) => blocks[index] === null))
        this.fail(`${waiter.consumer.name} waits for ${waiter.bytes} without need`);
    });
  }

  /** Fails now, and at the next check: whoever called may be a consumer, whose errors the budget keeps to itself. */
  fail(message: string): never {
    this.wrong.push(message);
    expect.fail(message);
  }

  /** Then the model does not know for sure who waits where. */
  get #somethingIsHeldBack(): boolean {
    return this.#heap.mayBeRestrained || this.branches.some(({ node }) => node.mayBeRestrained);
  }

  /**
   * Where a request has to wait, whoever of the slow consumers is answering at this moment: their requests stand aside then, and
   * others before different accounts than they would. Null where for some of them it would not have to wait.
   */
  #surelyAhead(asking: Asking): Block | null {
    const slow = [...new Set(this.waiters.filter(({ holder }) => holder.isSlow).map(({ holder }) => holder))];
    let block: Block | null = null;
    for (let aside = 0; aside < 2 ** slow.length; aside++) {
      const waiters = this.waiters.filter(
        ({ holder }) => ((aside >> slow.indexOf(holder)) & 1) === 0 || !holder.isSlow,
      );
      for (const view of this.#views(waiters)) {
        block = blockOf(asking, blocksOf(view));
        if (block === null || block.node.mayBeRestrained) return null;
      }
    }
    return block;
  }

  /**
   * The ways in which `waiters` may stand: one that lacks room on the heap may have come to stand there before an account below it filled
   * up, or after. Of many such, the two extremes.
   */
  #views(waiters: readonly Waiter[]): (readonly Asking[])[] {
    const unsure = waiters.filter(({ consumer, bytes }) => {
      const lacking = effects(consumer, bytes).filter(({ fits, node }) => !fits || node.mayBeRestrained);
      return lacking.some(({ node }) => node === consumer.heap) && lacking[0]?.node !== consumer.heap;
    });
    const ways = unsure.length <= 4 ? 2 ** unsure.length : 2;
    return Array.from({ length: ways }, (_, way) =>
      waiters.map((waiter) => {
        const at = unsure.indexOf(waiter);
        const atHeap = at >= 0 && (ways === 2 ? way === 1 : ((way >> at) & 1) === 1);
        return { ...waiter, atHeap };
      }),
    );
  }

  #enterGrants(isOneStep: boolean): void {
    const granted = this.waiters.filter(({ held }) => held.reservation.bytes !== held.bytes);
    // Whose time is over has left its line, and says so in a moment.
    const nowMs = this.clock.monotonicMs();
    this.#forget((waiter) => waiter.deadlineMs < nowMs && !granted.includes(waiter));
    if (granted.length === 0) return;
    this.servedCount += granted.length;
    this.waiters = this.waiters.filter((waiter) => !granted.includes(waiter));
    const still = this.waiters.filter((waiter) => waiter.deadlineMs > nowMs);
    const grants = granted.map((waiter) => ({ waiter, effects: effects(waiter.consumer, waiter.bytes) }));
    const before = this.#views(still).map(blocksOf);
    for (const { holder, held, bytes } of granted) {
      this.#enter(holder, held, bytes);
      if (held.reservation.bytes !== held.bytes)
        this.fail(`${holder.node.name} holds something else than it was granted`);
    }
    const after = this.#views(still).map(blocksOf);
    for (const { waiter, effects } of grants) {
      for (const { node, neededBytes } of effects) {
        const takenBytes = neededBytes > 0 ? committedBytes(node) : reservedBytes(node);
        if (takenBytes > node.limitBytes) this.fail(`a grant to ${waiter.consumer.name} exceeds ${node.name}`);
      }
      // Closing frees one reservation after the other, and somebody may have been right to pass in between.
      if (!isOneStep) continue;
      // Several may have been granted at once, so an older one was overtaken only if it wanted the same before and after.
      const wants = (block: Block | null | undefined) =>
        effects.some(
          ({ node, neededBytes }) => neededBytes > 0 && block?.node === node && !block.isClaim && !node.mayBeRestrained,
        );
      const overtaken = still.find(
        (older, index) =>
          !older.holder.isSlow &&
          older.order < waiter.order &&
          [...before, ...after].every((blocks) => wants(blocks[index])),
      );
      if (overtaken) this.fail(`${waiter.consumer.name} overtook ${overtaken.consumer.name}`);
    }
  }

  #enter(holder: Holder, held: Holder['reservations'][number], bytes: number): void {
    held.bytes += bytes;
    holder.node.ownBytes += bytes;
  }

  #drop(holder: Holder): void {
    this.holders.splice(this.holders.indexOf(holder), 1);
    removeNode(holder.node);
    this.#forget((waiter) => waiter.holder === holder);
  }

  #forget(which: (waiter: Waiter) => boolean): void {
    this.waiters = this.waiters.filter((waiter) => !which(waiter));
  }
}

function minimumsFit(parent: ModelNode, minBytes: number): boolean {
  const added = addNode({ name: 'new', parent, minBytes, limitBytes: minBytes });
  const fits = pathOf(parent).every((node) => {
    const childrenBytes = [...node.children].reduce((sum, child) => sum + floorBytes(child), 0);
    return childrenBytes <= node.limitBytes;
  });
  parent.children.delete(added);
  return fits;
}

/** How a budget of the tree differs from the model, or from the sum of its parts. */
function differenceOf(snapshot: BudgetSnapshot, node: ModelNode): string | null {
  const { path, consumers, children } = snapshot;
  if (snapshot.reservedBytes !== reservedBytes(node)) {
    return `${path} shows ${snapshot.reservedBytes}, the model ${reservedBytes(node)}`;
  }
  let partsBytes = 0;
  for (const consumer of consumers) partsBytes += consumer.bytes;
  for (const child of children) partsBytes += child.reservedBytes;
  if (partsBytes !== snapshot.reservedBytes) return `${path} is not the sum of its parts`;
  for (const child of children) {
    const part = [...node.children].find(({ name }) => name === child.name);
    const difference = part ? differenceOf(child, part) : `${child.path} is not in the model`;
    if (difference !== null) return difference;
  }
  return null;
}
