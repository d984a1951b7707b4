/**
 * A session in memory: its present state, what that costs, how long it lives, and what the disk does not have yet.
 *
 * Its time is monotonic: a wall clock that jumps must not end a session somebody is using. The disk knows wall time, so both are kept.
 */
import { estimateBytes } from '../../budget/estimator.ts';
import type { Session } from './session.ts';

/** The entry itself, its id, its places in the orders. */
const OVERHEAD_BYTES = 600;

/** A change, encoded: what is left out stays. */
export interface Change<V, I> {
  readonly value?: { readonly bytes: Uint8Array; readonly value: V } | undefined;
  readonly append?: { readonly bytes: Uint8Array; readonly value: readonly I[] } | undefined;
  readonly keepLast?: number | undefined;
}

/** Changes that the disk does not have yet. */
export interface Unwritten<I> {
  /** What the disk has. */
  readonly fromVersion: number;
  hasValue: boolean;
  /** Items were dropped at the beginning. */
  isTrimmed: boolean;
  readonly append: I[];
}

export interface LiveSessionOptions<V, I> {
  readonly id: string;
  readonly owner: string | null;
  readonly version: number;
  readonly value: V;
  readonly valueBytes: number;
  readonly items: readonly I[];
  readonly itemsBytes: number;
  readonly createdAtMs: number;
  readonly ttlMs: number;
  readonly expiresAtMs: number;
  /** Monotonic. */
  readonly nowMs: number;
  readonly deadlineMs: number;
  readonly mark: string | null;
  /** All of it is on the disk in its smallest form. */
  readonly isPacked: boolean;
}

export class LiveSession<V, I> {
  readonly id: string;
  readonly owner: string | null;
  readonly createdAtMs: number;
  version: number;
  value: V;
  items: readonly I[];
  /** Encoded and not packed. */
  valueBytes: number;
  itemsBytes: number;
  isPacked: boolean;
  /** What its owner and the budget are charged while it is kept. */
  heapBytes = 0;
  ttlMs: number;
  /** Monotonic time of its end, and of its last use. */
  deadlineMs: number;
  usedMs: number;
  /** What the disk says of its end; wall time. */
  storedExpiresAtMs: number;
  /** The store's change mark up to which it is known to be the newest; null when that is unknown. */
  mark: string | null;
  unwritten: Unwritten<I> | null = null;
  isKept = false;
  /** Handles that are open on it. */
  pins = 0;
  #valueHeapBytes: number;
  #itemsHeapBytes: number;

  constructor(options: LiveSessionOptions<V, I>) {
    this.id = options.id;
    this.owner = options.owner;
    this.createdAtMs = options.createdAtMs;
    this.version = options.version;
    this.value = options.value;
    this.items = options.items;
    this.valueBytes = options.valueBytes;
    this.itemsBytes = options.itemsBytes;
    this.isPacked = options.isPacked;
    this.ttlMs = options.ttlMs;
    this.deadlineMs = options.deadlineMs;
    this.usedMs = options.nowMs;
    this.storedExpiresAtMs = options.expiresAtMs;
    this.mark = options.mark;
    this.#valueHeapBytes = estimateBytes(this.value);
    this.#itemsHeapBytes = estimateBytes(this.items);
  }

  /** What it takes in memory, estimated. */
  get neededBytes(): number {
    return OVERHEAD_BYTES + 2 * this.id.length + this.#valueHeapBytes + this.#itemsHeapBytes;
  }

  /** The version that is on the disk. */
  get storedVersion(): number {
    return this.unwritten?.fromVersion ?? this.version;
  }

  snapshot(clock: { nowMs(): number; monotonicMs(): number }): Session<V, I> {
    const { id, owner, version, value, items, createdAtMs } = this;
    const expiresAtMs = Math.round(clock.nowMs() + this.deadlineMs - clock.monotonicMs());
    return { id, owner, version, value, items, createdAtMs, expiresAtMs };
  }

  /** What it would take encoded with `change`. */
  bytesWith({ value, append }: Change<V, I>): number {
    return (value?.bytes.byteLength ?? this.valueBytes) + this.itemsBytes + (append?.bytes.byteLength ?? 0);
  }

  /** Becomes what `change` makes of it. */
  adopt({ value, append, keepLast }: Change<V, I>, version: number): void {
    this.version = version;
    this.isPacked = false;
    if (value) {
      this.value = value.value;
      this.valueBytes = value.bytes.byteLength;
      this.#valueHeapBytes = estimateBytes(value.value);
    }
    if (append) {
      this.items = Object.freeze([...this.items, ...append.value]);
      this.itemsBytes += append.bytes.byteLength;
      this.#itemsHeapBytes += estimateBytes(append.value);
    }
    if (keepLast === undefined || this.items.length <= keepLast) return;
    // What each of the dropped ones took is not known; they are taken to be like the others.
    const share = keepLast / this.items.length;
    this.items = Object.freeze(this.items.slice(this.items.length - keepLast));
    this.itemsBytes = Math.round(this.itemsBytes * share);
    this.#itemsHeapBytes = Math.round(this.#itemsHeapBytes * share);
    // Nor need the disk ever hear of them: while it fails, they would pile up.
    const pending = this.unwritten?.append;
    pending?.splice(0, pending.length - this.items.length);
  }

  /** Whether `other` is a reading of this session, and not of another that was made later under its id. */
  isSameAs(other: LiveSession<V, I>): boolean {
    return this.createdAtMs === other.createdAtMs && this.owner === other.owner;
  }

  /** Becomes what another reading of the same session is. */
  become(other: LiveSession<V, I>): void {
    this.version = other.version;
    this.value = other.value;
    this.valueBytes = other.valueBytes;
    this.items = other.items;
    this.itemsBytes = other.itemsBytes;
    this.isPacked = other.isPacked;
    this.mark = other.mark;
    this.#valueHeapBytes = other.#valueHeapBytes;
    this.#itemsHeapBytes = other.#itemsHeapBytes;
  }

  /** Remembers that the disk does not have `change` yet; before it is adopted. */
  noteUnwritten({ value, append, keepLast }: Change<V, I>): void {
    this.unwritten ??= { fromVersion: this.version, hasValue: false, isTrimmed: false, append: [] };
    const { unwritten } = this;
    unwritten.hasValue ||= value !== undefined;
    unwritten.isTrimmed ||= keepLast !== undefined;
    for (const item of append?.value ?? []) unwritten.append.push(item);
  }
}
