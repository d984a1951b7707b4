/**
 * A consumer's place in the budget: from here it reserves, and here its books are closed.
 */
import { requireBytes } from '../base/bytes.ts';
import { ClosedError, InvalidArgumentError } from '../base/errors.ts';
import type { Leaf } from './account.ts';
import { servePath } from './granting.ts';
import { Reservation } from './reservation.ts';

/** Bytes a consumer still held when it was closed. */
export interface Leak {
  readonly path: string;
  readonly bytes: number;
  /** How many reservations held them. */
  readonly reservations: number;
}

/** Made by `Budget.register()`. Close it when the holder closes, after its reservations are freed. */
export class Registration implements Disposable {
  readonly #leaf: Leaf;
  readonly #onClose: () => void;
  readonly #reservations = new Set<Reservation>();

  /** @internal */
  constructor(leaf: Leaf, onClose: () => void) {
    this.#leaf = leaf;
    this.#onClose = onClose;
  }

  get name(): string {
    return this.#leaf.name;
  }

  /** Names from the root down to the consumer, joined by `/`. */
  get path(): string {
    return this.#leaf.path;
  }

  get reservedBytes(): number {
    return this.#leaf.reservedBytes;
  }

  /** The most it ever held. */
  get peakBytes(): number {
    return this.#leaf.peakBytes;
  }

  /** How often bytes were granted to it. */
  get grantCount(): number {
    return this.#leaf.grantCount;
  }

  /** True after `close`, its own or its budget's. */
  get isClosed(): boolean {
    return this.#leaf.isClosed;
  }

  /**
   * Changes the most it may hold. Below what it holds nothing is taken away: it grows no more until it holds less.
   *
   * @throws InvalidArgumentError for anything but a whole number of bytes, or less than its minimum; ClosedError after close.
   */
  setMaxBytes(maxBytes: number): void {
    const leaf = this.#leaf;
    if (leaf.isClosed) throw new ClosedError(`The registration ${this.path}`);
    requireBytes(maxBytes, 'maxBytes');
    if (maxBytes < leaf.minBytes) {
      throw new InvalidArgumentError('maxBytes', `must not be below the minimum of ${this.path}, ${leaf.minBytes}.`);
    }
    leaf.limitBytes = maxBytes;
    leaf.refreshOpen();
    servePath(leaf);
  }

  /**
   * An empty reservation; a consumer may have as many as it likes.
   *
   * @throws ClosedError after close.
   */
  reserve(): Reservation {
    if (this.#leaf.isClosed) throw new ClosedError(`The registration ${this.path}`);
    const reservation = new Reservation(this.#leaf, (freed) => this.#reservations.delete(freed));
    this.#reservations.add(reservation);
    return reservation;
  }

  /**
   * Takes the consumer out of the budget. Bytes it still holds are a leak: they leave the books, are reported as
   * `budget.leaked`, and are returned. Requests still waiting are rejected with `ClosedError`. Closing twice is
   * harmless; the second time there is no leak.
   */
  close(): Leak | null {
    const leaf = this.#leaf;
    if (leaf.isClosed) return null;
    leaf.close();
    const { path, tree } = leaf;
    const bytes = leaf.reservedBytes;
    const reservations = [...this.#reservations].filter((reservation) => reservation.bytes > 0).length;
    for (const reservation of this.#reservations) reservation[Symbol.dispose]();
    leaf.parent?.detach(leaf);
    if (leaf.parent) servePath(leaf.parent);
    this.#onClose();
    if (bytes === 0) return null;
    tree.emit({ type: 'budget.leaked', atMs: tree.clock.nowMs(), path, bytes, reservations });
    return { path, bytes, reservations };
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
