/**
 * The books of all tickets: their bytes in the budget, and what is charged to their owners.
 *
 * One reservation serves every ticket that was taken at once; growing and shrinking it is a few additions, where a reservation for each
 * would be an object to make, to remember and to forget. A ticket that had to wait keeps the reservation it waited with.
 *
 *   reserved under the consumer = Σ bytes of open tickets = Σ charged to quotas (of tickets that have an owner)
 */
import type { Registration } from '../../budget/registration.ts';
import type { Reservation } from '../../budget/reservation.ts';
import type { AdmissionBudget, QuotaPort } from './admission-ports.ts';
import type { LearnedCosts } from './learned-costs.ts';
import { OpenTickets } from './open-tickets.ts';
import { type Remains, Ticket, type TicketBook } from './ticket.ts';

export interface TicketBooksOptions {
  readonly budget: AdmissionBudget;
  /** Of the consumer. */
  readonly name: string;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly quota: QuotaPort | undefined;
  readonly costs: LearnedCosts;
  readonly heldTooLongMs: number;
  readonly maxHeldMs: number;
  /** A ticket was lost; its bytes have come back. */
  readonly onLost: (remains: Remains, bytes: number, cause: 'collected' | 'expired') => void;
}

/** What a ticket is wanted for. */
export interface Wanted {
  readonly kind: string;
  readonly tenant: string | undefined;
  readonly bytes: number;
  readonly bodyBytes: number;
}

export class TicketBooks implements TicketBook {
  /** When the last sweep was: a ticket's age is known to within the time between two. */
  nowMs = 0;
  admittedTickets = 0;
  releasedTickets = 0;
  releasedBytes = 0;
  openBytes = 0;
  /** How often work used more than there was room for. */
  overruns = 0;
  readonly #options: TicketBooksOptions;
  readonly #registration: Registration;
  readonly #shared: Reservation;
  readonly #open: OpenTickets;
  #isClosed = false;

  constructor(options: TicketBooksOptions) {
    const { budget, name, minBytes, maxBytes, heldTooLongMs, maxHeldMs, onLost } = options;
    this.#options = options;
    this.#registration = budget.register({
      ...{ name, minBytes, maxBytes, where: 'heap', priority: 0 },
      reclaimableBytes: () => 0,
      reclaim: () => 0,
    });
    this.#shared = this.#registration.reserve();
    this.#open = new OpenTickets({
      heldTooLongMs,
      maxHeldMs,
      onCollected: (remains) => onLost(remains, this.#takeBack(remains), 'collected'),
    });
  }

  get openTickets(): number {
    return this.#open.count;
  }

  /** True when so much could be granted if all others fell to their minimums. */
  couldHold(bytes: number): boolean {
    const { budget, minBytes, maxBytes } = this.#options;
    return bytes <= Math.min(maxBytes, budget.limitBytes - budget.minimumsBytes + minBytes);
  }

  /** A reservation to wait with. */
  reserve(): Reservation {
    return this.#registration.reserve();
  }

  /** Charges the owner; false when he may hold no more. */
  tryCharge(tenant: string | undefined, bytes: number): boolean {
    const { quota } = this.#options;
    return quota === undefined || tenant === undefined || bytes === 0 || quota.tryCharge(tenant, bytes);
  }

  refund(tenant: string | undefined, bytes: number): void {
    const { quota } = this.#options;
    if (quota !== undefined && tenant !== undefined && bytes > 0) quota.refund(tenant, bytes);
  }

  /** A ticket for bytes already charged; null when there is no room now. @throws ClosedError when the budget is closed; nothing is charged then. */
  tryOpen(wanted: Wanted): Ticket | null {
    try {
      return this.#shared.tryGrow(wanted.bytes) ? this.open(wanted, this.#shared) : null;
    } catch (error) {
      this.refund(wanted.tenant, wanted.bytes);
      throw error;
    }
  }

  /** A ticket for bytes charged and reserved; with `reservation` null one that is in no books. */
  open(wanted: Wanted, reservation: Reservation | null): Ticket {
    const { kind, tenant, bodyBytes } = wanted;
    const bytes = reservation === null ? 0 : wanted.bytes;
    const ticket = new Ticket(this, { kind, tenant, bytes, bodyBytes, openedMs: this.nowMs, reservation });
    this.#open.add(ticket);
    this.openBytes += bytes;
    this.admittedTickets++;
    return ticket;
  }

  resize(ticket: Ticket, bytes: number): boolean {
    const { reservation, tenant } = ticket;
    if (reservation === null) return true;
    const moreBytes = bytes - ticket.bytes;
    if (moreBytes > 0) {
      if (!this.tryCharge(tenant, moreBytes)) return this.#overrun();
      let hasRoom = false;
      try {
        hasRoom = reservation.tryGrow(moreBytes);
      } finally {
        // Also of a budget that was closed first, which throws.
        if (!hasRoom) this.refund(tenant, moreBytes);
      }
      if (!hasRoom) return this.#overrun();
    } else if (moreBytes < 0) {
      reservation.shrink(-moreBytes);
      this.refund(tenant, -moreBytes);
      this.releasedBytes -= moreBytes;
    }
    this.openBytes += moreBytes;
    ticket.holds(bytes);
    return true;
  }

  release(ticket: Ticket): void {
    if (this.#isClosed) return;
    this.#open.remove(ticket);
    if (ticket.usedBytes > 0) {
      this.#options.costs.learn(ticket.kind, Math.max(0, ticket.usedBytes - ticket.bodyBytes));
    }
    this.#giveBack(ticket, ticket.bytes);
  }

  /** Lets tickets age; returns those held for long that have not been told of. */
  sweep(nowMs: number): readonly Remains[] {
    this.nowMs = nowMs;
    const { held, expired } = this.#open.sweep(nowMs);
    for (const remains of expired) this.#options.onLost(remains, this.#takeBack(remains), 'expired');
    return held;
  }

  /** Closes the consumer; tickets still open are its leak, and inert from now on. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#open.clear((tenant, bytes) => this.refund(tenant, bytes));
    this.openBytes = 0;
    this.#registration.close();
  }

  #takeBack(remains: Remains): number {
    const { bytes } = remains;
    remains.isOver = true;
    remains.bytes = 0;
    this.#giveBack(remains, bytes);
    return bytes;
  }

  #giveBack(from: { reservation: Reservation | null; tenant: string | undefined }, bytes: number): void {
    const { reservation, tenant } = from;
    this.openBytes -= bytes;
    this.releasedTickets++;
    this.releasedBytes += bytes;
    this.refund(tenant, bytes);
    if (reservation !== this.#shared) reservation?.[Symbol.dispose]();
    // A budget that was closed before us has freed it, and reported what was in it.
    else if (reservation.bytes >= bytes && bytes > 0) reservation.shrink(bytes);
  }

  #overrun(): false {
    this.overruns++;
    return false;
  }
}
