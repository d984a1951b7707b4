/**
 * The books: plain numbers on the path from a consumer up to the root.
 *
 * Every account knows what is *reserved* under it, and what it has *committed*: the reserved bytes plus what is set
 * aside for the minimums of its children that they do not use yet. Its parent is charged the committed bytes, or its
 * own minimum if that is more:
 *
 *   charged(a) = max(a.committed, a.minimum)         a.committed = Σ charged(child)         a.reserved = Σ child.reserved
 *
 * So `reserved ≤ committed` always, and bytes within a minimum are free for their owner because everybody else has
 * been told they are taken. Who may change the numbers, and in which order, is in `granting.ts`.
 */
import type { Clock } from '../base/clock.ts';
import type { EventSink } from '../base/events.ts';
import type { BudgetEvent } from './budget-events.ts';
import type { Consumer, Residence } from './consumer.ts';
import { Regrowth } from './regrowth.ts';
import { Trust } from './trust.ts';
import { WaitingLine } from './waiting-line.ts';

/** What all accounts of one root share. */
export class Tree {
  readonly clock: Clock;
  readonly emit: EventSink<BudgetEvent>;
  readonly regrowthBytesPerSecond: number | undefined;
  /** Somebody has begun to wait, or waits for more than before; or an account is overfull. */
  readonly wake: () => void;
  /** Beside the path: what everybody holds on the heap. */
  readonly heap: HeapAccount;
  /** Lines in which somebody waits. */
  readonly busyLines = new Set<WaitingLine<Leaf>>();
  /** Aborted when the root closes. */
  readonly closing = new AbortController();
  /** Accounts with more in them than a limit that was lowered allows, to be asked back. */
  readonly overfull = new Set<Branch | HeapAccount>();
  /** Bytes reserved by residence, in the whole tree. */
  readonly reservedBytes: Record<Residence, number> = { heap: 0, slab: 0, native: 0, 'disk-cache': 0 };
  /** Requests so far; the age of the next one. */
  requestCount = 0;

  constructor(options: Pick<Tree, 'clock' | 'emit' | 'regrowthBytesPerSecond' | 'wake'> & { readonly name: string }) {
    this.clock = options.clock;
    this.emit = options.emit;
    this.regrowthBytesPerSecond = options.regrowthBytesPerSecond;
    this.wake = options.wake;
    this.heap = new HeapAccount(this, `${options.name} (heap)`);
  }
}

/** An account without a limit of its own is bound by its parents'. */
export const NO_LIMIT_BYTES = Number.MAX_SAFE_INTEGER;

/** Less than any request. */
const NOTHING_OPEN_BYTES = -1;

export interface AccountOptions {
  readonly tree: Tree;
  readonly parent: Branch | null;
  readonly name: string;
  readonly limitBytes: number;
  readonly minBytes: number;
  readonly weight: number;
}

export abstract class Account {
  readonly tree: Tree;
  readonly parent: Branch | null;
  readonly name: string;
  readonly path: string;
  readonly weight: number;
  readonly minBytes: number;
  /** What was set; see `effectiveLimitBytes`. */
  limitBytes: number;
  /** What may be committed now: the limit, or the ceiling of regrowth below it. */
  openBytes: number;
  reservedBytes = 0;
  committedBytes = 0;
  peakBytes = 0;
  grantCount = 0;
  regrowth: Regrowth | null = null;
  isClosed = false;
  /** Requests that need room here, and claims on a minimum that a lowered limit holds up. */
  readonly line = new WaitingLine<Leaf>();
  readonly claims = new WaitingLine<Leaf>();

  constructor(options: AccountOptions) {
    this.tree = options.tree;
    this.parent = options.parent;
    this.name = options.name;
    this.path = options.parent === null ? options.name : `${options.parent.path}/${options.name}`;
    this.weight = options.weight;
    this.minBytes = options.minBytes;
    this.limitBytes = options.limitBytes;
    this.openBytes = options.limitBytes;
  }

  /** The tightest limit from here up. */
  get effectiveLimitBytes(): number {
    return Math.min(this.limitBytes, this.parent?.effectiveLimitBytes ?? this.limitBytes);
  }

  /** Bytes that can always be had here, whatever the others do. */
  abstract get floorBytes(): number;

  /** Changes what is committed here, and returns by how much the charge at the parent changes. */
  commit(deltaBytes: number): number {
    const beforeBytes = Math.max(this.committedBytes, this.minBytes);
    this.committedBytes += deltaBytes;
    return Math.max(this.committedBytes, this.minBytes) - beforeBytes;
  }

  /** By how much the charge at the parent would change. */
  charge(deltaBytes: number): number {
    const committedBytes = this.committedBytes;
    const minBytes = this.minBytes;
    const afterBytes = committedBytes + deltaBytes;
    return Math.max(afterBytes, minBytes) - Math.max(committedBytes, minBytes);
  }

  /** Whether `totalBytes` may be committed; looks at the clock only where regrowth is held back. */
  hasRoomFor(totalBytes: number): boolean {
    return totalBytes <= this.openBytes || (this.regrowth !== null && totalBytes <= this.refreshOpen());
  }

  /**
   * Whether `bytes` that were set aside before may be taken; no only where a limit was lowered under what is
   * committed.
   */
  hasRoomForClaim(bytes: number): boolean {
    return this.reservedBytes + bytes <= this.limitBytes && !this.isClosed;
  }

  /** What is committed above its own limit. */
  get excessBytes(): number {
    return Math.max(0, this.committedBytes - this.limitBytes);
  }

  /** Sets the limit; one below what is committed counts as pressure. */
  setLimit(limitBytes: number): void {
    const beforeBytes = this.effectiveLimitBytes;
    this.refreshOpen();
    this.limitBytes = limitBytes;
    if (limitBytes < this.committedBytes) this.restrain({ ceilingBytes: limitBytes, goalBytes: beforeBytes });
    this.refreshOpen();
  }

  /** From now on what is committed here may rise above `ceilingBytes` only slowly, until `goalBytes` is reached. */
  restrain(options: { ceilingBytes: number; goalBytes: number }): void {
    const { clock, regrowthBytesPerSecond } = this.tree;
    if (regrowthBytesPerSecond === Number.POSITIVE_INFINITY) return;
    this.regrowth ??= new Regrowth({ clock, bytesPerSecond: regrowthBytesPerSecond });
    this.regrowth.restrain(options);
    this.refreshOpen();
  }

  /** Lets nothing in any more, not even those who wait. */
  close(): void {
    this.isClosed = true;
    this.regrowth?.cancel();
    this.regrowth = null;
    this.refreshOpen();
  }

  /** Brings `openBytes` up to date with the limit and the clock. */
  refreshOpen(): number {
    this.openBytes = this.isClosed ? NOTHING_OPEN_BYTES : this.limitBytes;
    if (this.regrowth !== null) {
      this.openBytes = this.regrowth.openBytes(this.limitBytes);
      // While somebody waits it stays: its timer is what serves him.
      if (this.regrowth.isOver && this.line.head === null) {
        this.regrowth.cancel();
        this.regrowth = null;
      }
    }
    return this.openBytes;
  }
}

/**
 * What the heap holds of all consumers, against a limit of its own: V8's may be far below the container's, and a process that reaches
 * it dies whatever else is free. It stands beside the tree, not in it. A consumer on the heap is charged here what it is charged at its
 * parent: max(committed, minimum).
 */
export class HeapAccount extends Account {
  readonly #leaves = new Set<Leaf>();
  #floorBytes = 0;

  constructor(tree: Tree, name: string) {
    super({ tree, parent: null, name, limitBytes: NO_LIMIT_BYTES, minBytes: 0, weight: 1 });
  }

  get floorBytes(): number {
    return this.#floorBytes;
  }

  leaves(): Iterable<Leaf> {
    return this.#leaves;
  }

  attach(leaf: Leaf): void {
    this.#leaves.add(leaf);
    this.#floorBytes += leaf.minBytes;
    this.commit(leaf.minBytes);
  }

  detach(leaf: Leaf): void {
    this.#leaves.delete(leaf);
    this.#floorBytes -= leaf.minBytes;
    this.commit(-leaf.minBytes);
  }
}

/** A consumer's account. */
export class Leaf extends Account {
  readonly consumer: Consumer;
  readonly where: Residence;
  /** Null where its bytes live elsewhere. */
  readonly heap: HeapAccount | null;
  readonly priority: number;
  readonly trust = new Trust();
  /**
   * Where it stands in being asked to give: its `reclaim` has been called and has not returned, or has returned a promise that is
   * pending.
   */
  asked: 'no' | 'called' | 'answering' = 'no';
  /** It was given up on and has still not answered; nobody asks it again before it has. */
  isUnanswered = false;
  /** All bytes ever given back: what a reclaim has freed is the difference. */
  releasedBytes = 0;

  constructor(options: AccountOptions & { consumer: Consumer }) {
    super(options);
    this.consumer = options.consumer;
    this.where = options.consumer.where;
    this.heap = this.where === 'heap' ? this.tree.heap : null;
    this.priority = options.consumer.priority;
  }

  get floorBytes(): number {
    return this.minBytes;
  }
}

/** A budget's account. */
export class Branch extends Account {
  readonly children = new Map<string, Branch | Leaf>();
  #childFloorBytes = 0;

  get floorBytes(): number {
    return Math.max(this.minBytes, this.#childFloorBytes);
  }

  /** Sum of the minimums under this account, without its own. */
  get childFloorBytes(): number {
    return this.#childFloorBytes;
  }

  /**
   * The first account, from here up, in which minimums could not fit if those of a child rose by `deltaBytes`; null
   * if there is none.
   */
  minimumsTooLargeAt(deltaBytes: number): Branch | null {
    if (this.#childFloorBytes + deltaBytes > this.limitBytes) return this;
    const floorBytes = Math.max(this.minBytes, this.#childFloorBytes + deltaBytes);
    return this.parent?.minimumsTooLargeAt(floorBytes - this.floorBytes) ?? null;
  }

  /** Adds a child and sets its minimum aside, in every account up to the root. */
  attach(child: Branch | Leaf): void {
    this.children.set(child.name, child);
    if (child instanceof Leaf) child.heap?.attach(child);
    this.#changeFloor(child.floorBytes);
    this.#setAside(child.minBytes);
  }

  /** Removes a child that holds nothing any more. */
  detach(child: Branch | Leaf): void {
    this.children.delete(child.name);
    if (child instanceof Leaf) child.heap?.detach(child);
    this.#changeFloor(-child.floorBytes);
    this.#setAside(-child.minBytes);
  }

  /** Every consumer under this account, depth first, in order of registration. */
  *leaves(): Generator<Leaf> {
    for (const child of this.children.values()) {
      if (child instanceof Leaf) yield child;
      else yield* child.leaves();
    }
  }

  #changeFloor(deltaBytes: number): void {
    const beforeBytes = this.floorBytes;
    this.#childFloorBytes += deltaBytes;
    if (this.parent !== null) this.parent.#changeFloor(this.floorBytes - beforeBytes);
  }

  #setAside(deltaBytes: number): void {
    const chargedBytes = this.commit(deltaBytes);
    if (this.parent !== null) this.parent.#setAside(chargedBytes);
  }
}
