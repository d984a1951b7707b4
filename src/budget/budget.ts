/**
 * One budget in bytes for everything a process holds.
 *
 *   Budget "node" ─────────────── limit, regrowth, the lines of those who wait
 *    ├── Budget "tenant-a" ────── its own limit and minimum; what it holds counts here and in "node"
 *    │    └── Registration "sessions" ── one consumer: minimum, maximum, priority, weight, trust
 *    │         ├── Reservation ── bytes held; the only thing that moves the books
 *    │         └── Reservation
 *    └── Registration "page-cache"
 *         └── Reservation
 *
 * Ownership runs downwards and the books run upwards: closing a budget closes everything under it; a byte reserved
 * anywhere counts in every account on the way to the root. Nothing here keeps a holder alive but its registration,
 * and a holder keeps its budget.
 *
 * **Promises.** (1) No grant takes any account over its limit. A limit may be set below what is reserved; then
 * nothing grows until reclaim has caught up. (2) A minimum is set aside from the moment of registration: the sum of
 * minimums never exceeds a limit, nobody is asked to go below its own, and bytes within it can be had at once, except
 * while a lowered limit has yet to be caught up with. (3) Who waits is served oldest first among those who want the
 * same bytes; nobody overtakes by `tryGrow`. (4) After pressure, bytes come back slowly. (5) What a consumer says is
 * checked against the books, and remembered. (6) When all is closed the books are at zero; what was left is reported
 * as a leak. `granting.ts` says how, and why it holds; `reclaim-plan.ts` says who gives.
 *
 * **What is not tracked.** Whatever nobody reserves: code, the stack, young garbage, memory inside native libraries,
 * the runtime itself. The budget counts what holders say they hold, not what the process holds; the difference is
 * *drift*, which the pressure room measures and takes off the limit it sets here. Nor does it know whether released
 * bytes left the process: that is *retained*, measured by the same. Sizes are estimates where values are JavaScript
 * objects (`estimator.ts`). Reservations are for things that are large or many; a reservation for each small string
 * would cost more than it tells.
 *
 * The tree follows CockroachDB's `util/mon` (monitors with their own limits over a root) and DataFusion's memory pool
 * (consumers, reservations, refusals that name the largest holders); arbitration with a memory of who delivers is our
 * own.
 */
import { requireBytes } from '../base/bytes.ts';
import { type Clock, checkedDelay, systemClock } from '../base/clock.ts';
import { ClosedError, InvalidArgumentError } from '../base/errors.ts';
import { type EventSink, guardedSink } from '../base/events.ts';
import { isAtLeast, LEVELS, type Level } from '../base/levels.ts';
import { type AccountOptions, Branch, type HeapAccount, Leaf, NO_LIMIT_BYTES, Tree } from './account.ts';
import { MinimumsExceedLimitError, NameTakenError } from './budget-errors.ts';
import type { BudgetEvent } from './budget-events.ts';
import { type Consumer, RESIDENCES, type Residence } from './consumer.ts';
import { Demand } from './demand.ts';
import { servePath } from './granting.ts';
import { type ReclaimOutcome, reclaim } from './reclaim.ts';
import { type Leak, Registration } from './registration.ts';
import { availableBytes, type BudgetSnapshot, snapshotOf } from './snapshot.ts';

const DEFAULT_RECLAIM_DEADLINE_MS = 1_000;
const MAX_NAME_LENGTH = 128;

/** What a root budget is made of. */
export interface BudgetOptions {
  /** First part of every path. `budget` by default. */
  readonly name?: string;
  readonly limitBytes: number;
  /**
   * How fast bytes may come back after pressure, in bytes a second; `Infinity` for at once. By default the whole
   * limit in a minute.
   */
  readonly regrowthBytesPerSecond?: number;
  readonly clock?: Clock;
  readonly emit?: EventSink<BudgetEvent>;
}

/** What a budget under another is made of. */
export interface ChildBudgetOptions {
  /** Unique among the budgets and consumers beside it. */
  readonly name: string;
  /** Its own limit; without one, its parents' apply. */
  readonly limitBytes?: number;
  /** Set aside for it from its parent; 0 by default. */
  readonly minBytes?: number;
  /** Fair share against its siblings; positive, 1 by default. */
  readonly weight?: number;
}

/** How much to reclaim, why, and in what time. */
export interface ReclaimOptions {
  readonly targetBytes: number;
  /**
   * Why bytes are wanted, passed on to consumers. From `moderate` on, what was reclaimed comes back slowly. `low` by
   * default.
   */
  readonly level?: Level;
  /** Only from consumers whose bytes live there: a full heap is not relieved by pages of a database. Everybody by default. */
  readonly where?: readonly Residence[];
  /** For all consumers together, in milliseconds; 1,000 by default. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

/** What was left when a budget closed. */
export interface LeakReport {
  readonly path: string;
  readonly leakedBytes: number;
  readonly leaks: readonly Leak[];
}

/** A node of the tree; made with `new` for a root and by `child` below it. */
export class Budget implements Disposable {
  readonly #branch: Branch;
  readonly #parent: Budget | null;
  /** Only a root has one. */
  readonly #demand: Demand | null;
  readonly #parts = new Map<string, Budget | Registration>();

  /**
   * A root budget. (With `parent` a child: say `parent.child(…)` instead.)
   *
   * @throws InvalidArgumentError for a name, size or rate outside its range; as `child` with `parent`.
   */
  constructor(options: BudgetOptions | (ChildBudgetOptions & { readonly parent: Budget })) {
    if ('parent' in options) {
      const { parent, name, minBytes = 0, weight = 1, limitBytes = NO_LIMIT_BYTES } = options;
      this.#parent = parent;
      this.#demand = null;
      this.#branch = new Branch(parent.#newPart({ name, minBytes, weight, limitBytes }));
      parent.#attach(this.#branch);
      return;
    }
    const { name = 'budget', limitBytes, regrowthBytesPerSecond, clock = systemClock, emit } = options;
    requireBytes(limitBytes, 'limitBytes');
    if (regrowthBytesPerSecond !== undefined) requirePositive(regrowthBytesPerSecond, 'regrowthBytesPerSecond');
    requireName(name);
    const tree = new Tree({
      name,
      clock,
      emit: guardedSink(emit),
      regrowthBytesPerSecond,
      wake: () => this.#demand?.wake(),
    });
    this.#parent = null;
    this.#branch = new Branch({ tree, parent: null, name, limitBytes, minBytes: 0, weight: 1 });
    this.#demand = new Demand(this.#branch);
  }

  get name(): string {
    return this.#branch.name;
  }

  /** Names from the root down to here, joined by `/`. */
  get path(): string {
    return this.#branch.path;
  }

  /** The tightest limit from here up. */
  get limitBytes(): number {
    return this.#branch.effectiveLimitBytes;
  }

  /** Bytes reserved here and below. */
  get reservedBytes(): number {
    return this.#branch.reservedBytes;
  }

  /** What a consumer without a minimum could take here now. */
  get availableBytes(): number {
    return availableBytes(this.#branch);
  }

  /** What is reserved and set aside above its own limit: nothing can grow until so much has been given back. */
  get excessBytes(): number {
    return this.#branch.excessBytes;
  }

  /** Sum of the minimums here: the lowest limit `setLimit` takes. */
  get minimumsBytes(): number {
    return this.#branch.floorBytes;
  }

  /** What consumers on the heap may hold together; infinite while none is set. */
  get heapLimitBytes(): number {
    const { limitBytes } = this.#branch.tree.heap;
    return limitBytes === NO_LIMIT_BYTES ? Number.POSITIVE_INFINITY : limitBytes;
  }

  /** Sum of the minimums of consumers on the heap: the lowest limit `setHeapLimit` takes. */
  get heapMinimumsBytes(): number {
    return this.#branch.tree.heap.floorBytes;
  }

  /** Bytes reserved in the whole tree by where they live. */
  get reservedByResidence(): Readonly<Record<Residence, number>> {
    return this.#branch.tree.reservedBytes;
  }

  /** The most that was ever reserved here. */
  get peakBytes(): number {
    return this.#branch.peakBytes;
  }

  /** How often bytes were granted here and below. */
  get grantCount(): number {
    return this.#branch.grantCount;
  }

  /**
   * A budget under this one.
   *
   * @throws NameTakenError, MinimumsExceedLimitError, InvalidArgumentError for a name, size or weight outside its range, ClosedError.
   */
  child(options: ChildBudgetOptions): Budget {
    const child = new Budget({ ...options, parent: this });
    this.#parts.set(child.name, child);
    return child;
  }

  /**
   * Gives `consumer` a place here. Its name, minimum, maximum, weight and priority are read now, once.
   *
   * @throws NameTakenError, MinimumsExceedLimitError, InvalidArgumentError for a field outside its range, ClosedError.
   */
  register(consumer: Consumer): Registration {
    const { name, minBytes = 0, weight = 1, maxBytes = NO_LIMIT_BYTES, priority, where, pieceBytes = 1 } = consumer;
    if (!Number.isInteger(priority) || priority < 0 || priority > 10) {
      throw new InvalidArgumentError(
        'priority',
        `must be a whole number from 0 (gives last) to 10 (gives first); got ${priority}.`,
      );
    }
    if (!RESIDENCES.includes(where)) {
      throw new InvalidArgumentError('where', `must be one of ${RESIDENCES.join(', ')}; got ${String(where)}.`);
    }
    requirePositive(pieceBytes, 'pieceBytes');
    if (typeof consumer.reclaim !== 'function' || typeof consumer.reclaimableBytes !== 'function') {
      throw new InvalidArgumentError('consumer', 'must have the methods reclaim() and reclaimableBytes().');
    }
    const leaf = new Leaf({ ...this.#newPart({ name, minBytes, weight, limitBytes: maxBytes }), consumer });
    const { heap } = leaf;
    if (heap !== null && heap.floorBytes + minBytes > heap.limitBytes) {
      const { limitBytes } = heap;
      throw new MinimumsExceedLimitError({ path: heap.path, minimumsBytes: heap.floorBytes + minBytes, limitBytes });
    }
    this.#attach(leaf);
    const registration = new Registration(leaf, () => this.#parts.delete(name));
    this.#parts.set(name, registration);
    return registration;
  }

  /**
   * Sets this budget's own limit. Below what is reserved it takes effect at once for growth, and what is over (`excessBytes`) is
   * asked back from the consumers; not with `reclaim: false`, for a caller that asks itself.
   *
   * @throws MinimumsExceedLimitError below `minimumsBytes`; InvalidArgumentError; ClosedError.
   */
  setLimit(limitBytes: number, options: { reclaim?: boolean } = {}): void {
    this.#setLimitOf(this.#branch, limitBytes, options);
  }

  /**
   * Sets what all consumers `where: 'heap'` of the whole tree may hold together; at first there is no such limit. V8's heap may be
   * far smaller than what the process may hold, and ends the process when it is full. Otherwise as `setLimit`.
   *
   * @throws As `setLimit`; `heapMinimumsBytes` is the lowest it takes.
   */
  setHeapLimit(limitBytes: number, options: { reclaim?: boolean } = {}): void {
    this.#setLimitOf(this.#branch.tree.heap, limitBytes, options);
  }

  /**
   * Asks the consumers under this budget for `targetBytes`, in the order of `reclaim-plan.ts`. Never rejects for what
   * a consumer does: the outcome tells what was claimed and what the books show.
   *
   * @throws InvalidArgumentError for a bad size, level or time; ClosedError; the signal's reason only if it was aborted before.
   */
  async reclaim(options: ReclaimOptions): Promise<ReclaimOutcome> {
    const { targetBytes, level = 'low', deadlineMs = DEFAULT_RECLAIM_DEADLINE_MS, signal, where } = options;
    this.#requireOpen();
    requireBytes(targetBytes, 'targetBytes');
    checkedDelay(deadlineMs, 'deadlineMs');
    if (!LEVELS.includes(level))
      throw new InvalidArgumentError('level', `must be one of ${LEVELS.join(', ')}; got ${level}.`);
    signal?.throwIfAborted();
    const branch = this.#branch;
    const remainingBytes = (accountedBytes: number) => targetBytes - accountedBytes;
    const run = { account: branch, cause: 'request', level, targetBytes, deadlineMs, signal, where } as const;
    const outcome = await reclaim({ ...run, leastPriority: 0, remainingBytes });
    if (isAtLeast(level, 'moderate') && !branch.isClosed) {
      // What the heap lacked, others may take at once.
      const onlyHeap = where?.every((residence) => residence === 'heap') ?? false;
      const account = onlyHeap ? branch.tree.heap : branch;
      account.restrain({ ceilingBytes: account.committedBytes, goalBytes: account.effectiveLimitBytes });
      servePath(branch);
    }
    return outcome;
  }

  /** The budget and all under it as data; see `snapshot.ts`. */
  snapshot(): BudgetSnapshot {
    return snapshotOf(this.#branch);
  }

  /**
   * Closes everything under this budget, then itself. Bytes still held are reported, one `budget.leaked` for each
   * consumer, and leave the books; requests still waiting are rejected with `ClosedError`. Closing twice is harmless;
   * the second report is empty.
   */
  close(): LeakReport {
    const branch = this.#branch;
    const leaks: Leak[] = [];
    if (!branch.isClosed) {
      branch.close();
      for (const part of this.#parts.values()) {
        const leak = part.close();
        if (leak !== null) leaks.push(...('leaks' in leak ? leak.leaks : [leak]));
      }
      this.#demand?.close();
      if (branch.parent === null) branch.tree.heap.close();
      if (branch.parent === null) branch.tree.closing.abort(new ClosedError(`The budget ${branch.path}`));
      if (this.#parent !== null) this.#parent.#release(branch);
    }
    return { path: branch.path, leakedBytes: leaks.reduce((sum, leak) => sum + leak.bytes, 0), leaks };
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** A minimum takes room from those who wait here. */
  #attach(part: Branch | Leaf): void {
    this.#branch.attach(part);
    servePath(this.#branch);
  }

  #release(branch: Branch): void {
    this.#parts.delete(branch.name);
    this.#branch.detach(branch);
    servePath(this.#branch);
  }

  #setLimitOf(account: Branch | HeapAccount, limitBytes: number, { reclaim = true }: { reclaim?: boolean }): void {
    this.#requireOpen();
    requireBytes(limitBytes, 'limitBytes');
    const { path, floorBytes, tree } = account;
    if (floorBytes > limitBytes) throw new MinimumsExceedLimitError({ path, minimumsBytes: floorBytes, limitBytes });
    account.setLimit(limitBytes);
    servePath(this.#branch);
    if (!reclaim || account.excessBytes === 0) return;
    tree.overfull.add(account);
    tree.wake();
  }

  #requireOpen(): void {
    if (this.#branch.isClosed) throw new ClosedError(`The budget ${this.path}`);
  }

  /** Checks what a new consumer or child says of itself. */
  #newPart(part: { name: string; minBytes: number; weight: number; limitBytes: number }): AccountOptions {
    this.#requireOpen();
    const parent = this.#branch;
    const path = `${parent.path}/${requireName(part.name)}`;
    if (parent.children.has(part.name)) throw new NameTakenError(path);
    requireBytes(part.minBytes, 'minBytes');
    requireBytes(part.limitBytes, 'limitBytes');
    requirePositive(part.weight, 'weight');
    if (part.weight === Number.POSITIVE_INFINITY) throw new InvalidArgumentError('weight', 'must be finite.');
    if (part.minBytes > part.limitBytes) {
      throw new MinimumsExceedLimitError({ path, minimumsBytes: part.minBytes, limitBytes: part.limitBytes });
    }
    const tooFull = parent.minimumsTooLargeAt(part.minBytes);
    if (tooFull !== null) {
      const minimumsBytes = tooFull.childFloorBytes + part.minBytes;
      throw new MinimumsExceedLimitError({ path: tooFull.path, minimumsBytes, limitBytes: tooFull.limitBytes });
    }
    return { tree: parent.tree, parent, ...part };
  }
}

function requireName(name: string): string {
  if (typeof name !== 'string' || name === '' || name.length > MAX_NAME_LENGTH || name.includes('/')) {
    throw new InvalidArgumentError(
      'name',
      `must be 1 to ${MAX_NAME_LENGTH} characters without "/"; got ${JSON.stringify(name)}.`,
    );
  }
  return name;
}

function requirePositive(value: number, argument: string): void {
  if (!(typeof value === 'number' && value > 0))
    throw new InvalidArgumentError(argument, `must be a number above 0; got ${String(value)}.`);
}
