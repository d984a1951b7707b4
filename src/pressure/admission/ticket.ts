/**
 * Leave to work, and the bytes set aside for it.
 *
 * Whoever gets a ticket releases it when the work is over, also when it failed: `using` does. Releasing twice is harmless, for a
 * request ends in more than one way at once. What is known better during the work is said with `adjust`.
 */
import { requireBytes } from '../../base/bytes.ts';
import type { Reservation } from '../../budget/reservation.ts';

/** Who keeps the books of tickets. */
export interface TicketBook {
  /** Makes the ticket hold `bytes`; false when there is no room for more. */
  resize(ticket: Ticket, bytes: number): boolean;
  release(ticket: Ticket): void;
}

/** What a ticket is opened with. */
export interface TicketFacts {
  readonly kind: string;
  readonly tenant: string | undefined;
  readonly bytes: number;
  /** The part that is known beforehand and not to be learned. */
  readonly bodyBytes: number;
  readonly openedMs: number;
  /** Where its bytes are reserved; null when nothing is reserved for it. */
  readonly reservation: Reservation | null;
}

/** What outlives a ticket that was never released; nothing here leads back to it. */
export interface Remains {
  readonly kind: string;
  readonly tenant: string | undefined;
  readonly openedMs: number;
  readonly reservation: Reservation | null;
  bytes: number;
  /** Its bytes have been taken back: the ticket is not open any more. */
  isOver: boolean;
  /** It has been told that it is held for long. */
  isTold: boolean;
}

/** Made by `Admission`. */
export class Ticket implements Disposable {
  readonly kind: string;
  readonly tenant: string | undefined;
  /** @internal */ bodyBytes: number;
  /** Monotonic, to within a second. @internal */ readonly openedMs: number;
  /** @internal */ readonly reservation: Reservation | null;
  /** The most it was said to use; 0 until something was said. @internal */ usedBytes = 0;
  /** Neighbours among the young tickets; written by `OpenTickets` alone. @internal */ previous: Ticket | null = null;
  /** @internal */ next: Ticket | null = null;
  /** Set once it is no longer young. @internal */ remains: Remains | null = null;
  readonly #book: TicketBook;
  #bytes: number;
  #isOpen = true;

  /** @internal */
  constructor(book: TicketBook, facts: TicketFacts) {
    this.#book = book;
    this.kind = facts.kind;
    this.tenant = facts.tenant;
    this.bodyBytes = facts.bodyBytes;
    this.openedMs = facts.openedMs;
    this.reservation = facts.reservation;
    this.#bytes = facts.bytes;
  }

  /** Tells a ticket from a refusal. */
  get admitted(): true {
    return true;
  }

  /** Bytes it holds; 0 once released. */
  get bytes(): number {
    return this.remains === null ? this.#bytes : this.remains.bytes;
  }

  /** False once released, also by a client that went away, or when the ticket was taken for lost. */
  get isOpen(): boolean {
    return this.#isOpen && this.remains?.isOver !== true;
  }

  /**
   * Says what the work really holds, all in all; what tickets of this kind use is learned from it.
   *
   * Returns true when the books show it. False when there is no room for so much (the books stay as they were: it is time to stop, or
   * to hold less), and when the ticket is no longer open (a client may go away at any moment, so that is no error).
   *
   * @throws InvalidArgumentError for anything but a whole number of bytes, 0 or more.
   */
  adjust(actualBytes: number): boolean {
    requireBytes(actualBytes, 'actualBytes');
    if (!this.isOpen) return false;
    if (actualBytes > this.usedBytes) this.usedBytes = actualBytes;
    return this.#book.resize(this, actualBytes);
  }

  /**
   * A body of unknown length has brought `bytes` more: they are set aside, and not learned from. False as for `adjust`.
   *
   * @throws InvalidArgumentError for anything but a whole number of bytes, 0 or more.
   */
  addBody(bytes: number): boolean {
    requireBytes(bytes, 'bytes');
    if (!this.isOpen) return false;
    this.bodyBytes += bytes;
    return this.#book.resize(this, this.bytes + bytes);
  }

  /** Gives its bytes back. Releasing twice is harmless. */
  release(): void {
    if (!this.isOpen) return;
    this.#isOpen = false;
    this.#book.release(this);
    this.holds(0);
  }

  [Symbol.dispose](): void {
    this.release();
  }

  /** The books have changed. @internal */
  holds(bytes: number): void {
    this.#bytes = bytes;
    if (this.remains !== null) this.remains.bytes = bytes;
  }
}
