/**
 * The tickets that are open, and those among them that nobody will ever release.
 *
 *   young ──(open for a sweep or two)──▶ old ──released──▶ gone
 *                                         ├──collected by the garbage collector──▶ lost
 *                                         └──open for longer than any ticket may be──▶ lost
 *
 * A ticket is a whole object only while it is young: almost all are released then, and pay for a place in a list and nothing else. One that grows
 * old leaves the list; what is kept of it (`Remains`) does not lead back to it, so the collector can tell when the last reference to it is
 * gone. Registering every ticket with the collector at birth would cost ten times the admission.
 */
import type { Remains, Ticket } from './ticket.ts';

/** Open for less than this, a ticket is young. */
const YOUNG_MS = 1_000;

export interface OpenTicketsOptions {
  /** From when on a ticket is told to be held for long. */
  readonly heldTooLongMs: number;
  /** From when on it is taken for lost; `Infinity` for never. */
  readonly maxHeldMs: number;
  /** The collector has found that nobody can release it any more. */
  readonly onCollected: (remains: Remains) => void;
}

export class OpenTickets {
  readonly #options: OpenTicketsOptions;
  readonly #old = new Set<Remains>();
  readonly #registry: FinalizationRegistry<Remains>;
  #oldest: Ticket | null = null;
  #youngest: Ticket | null = null;
  #count = 0;

  constructor(options: OpenTicketsOptions) {
    this.#options = options;
    this.#registry = new FinalizationRegistry((remains) => {
      if (remains.isOver || !this.#old.delete(remains)) return;
      this.#count--;
      options.onCollected(remains);
    });
  }

  get count(): number {
    return this.#count;
  }

  add(ticket: Ticket): void {
    const last = this.#youngest;
    if (last === null) this.#oldest = ticket;
    else {
      last.next = ticket;
      ticket.previous = last;
    }
    this.#youngest = ticket;
    this.#count++;
  }

  remove(ticket: Ticket): void {
    this.#count--;
    if (ticket.remains === null) {
      this.#unlink(ticket);
      return;
    }
    this.#old.delete(ticket.remains);
    this.#registry.unregister(ticket.remains);
  }

  /** Lets tickets grow old; returns those to be told of for the first time, and those that are lost and out of the list. */
  sweep(nowMs: number): { readonly held: readonly Remains[]; readonly expired: readonly Remains[] } {
    while (this.#oldest !== null && nowMs - this.#oldest.openedMs >= YOUNG_MS) this.#age(this.#oldest);
    const { heldTooLongMs, maxHeldMs } = this.#options;
    const held: Remains[] = [];
    const expired: Remains[] = [];
    // In order of age: the first that is not old enough ends both.
    for (const remains of this.#old) {
      const heldMs = nowMs - remains.openedMs;
      if (heldMs < Math.min(heldTooLongMs, maxHeldMs)) break;
      if (heldMs >= maxHeldMs) {
        this.#forget(remains);
        expired.push(remains);
      } else if (!remains.isTold) {
        remains.isTold = true;
        held.push(remains);
      }
    }
    return { held, expired };
  }

  /** Forgets all of them, telling what each held for whom; none of them is open any more. */
  clear(onCleared: (tenant: string | undefined, bytes: number) => void): void {
    while (this.#oldest !== null) this.#age(this.#oldest);
    for (const remains of this.#old) {
      this.#forget(remains);
      onCleared(remains.tenant, remains.bytes);
      remains.isOver = true;
      remains.bytes = 0;
    }
  }

  #forget(remains: Remains): void {
    this.#old.delete(remains);
    this.#registry.unregister(remains);
    this.#count--;
  }

  #age(ticket: Ticket): void {
    this.#unlink(ticket);
    const { kind, tenant, openedMs, reservation, bytes } = ticket;
    const remains: Remains = { kind, tenant, openedMs, reservation, bytes, isOver: false, isTold: false };
    ticket.remains = remains;
    this.#old.add(remains);
    this.#registry.register(ticket, remains, remains);
  }

  #unlink(ticket: Ticket): void {
    const { previous, next } = ticket;
    if (previous === null) this.#oldest = next;
    else previous.next = next;
    if (next === null) this.#youngest = previous;
    else next.previous = previous;
    ticket.previous = null;
    ticket.next = null;
  }
}
