/**
 * Every refusal passes here: it is counted, gets its honest hint, and is told as part of its spell.
 *
 * Telling each one would fill every log exactly when memory is short, so an event says that a spell has begun, with the largest holders of that
 * moment, and one says what it came to.
 */
import type { Clock } from '../../base/clock.ts';
import type { EventSink } from '../../base/events.ts';
import type { Random } from '../../base/random.ts';
import type { Holding } from '../../budget/budget-errors.ts';
import { consumersOf } from '../budget-port.ts';
import { describeHolders, largestHolders } from '../holders.ts';
import type { AdmissionEvent, RefusalReason } from './admission-events.ts';
import type { AdmissionBudget } from './admission-ports.ts';
import { Refusal } from './refusal.ts';
import { RefusalSpells } from './refusal-spells.ts';
import { RetryHints } from './retry-hints.ts';
import type { TicketBooks } from './ticket-books.ts';

export interface RefusalsOptions {
  readonly budget: AdmissionBudget;
  readonly books: TicketBooks;
  readonly clock: Clock;
  readonly events: EventSink<AdmissionEvent>;
  readonly random: Random;
  /** What those who wait want together. */
  readonly waitingBytes: () => number;
  /** How long the circuit stays open yet. */
  readonly circuitMs: () => number;
}

export class Refusals {
  readonly #options: RefusalsOptions;
  readonly #spells = new RefusalSpells();
  readonly #hints: RetryHints;
  readonly #counts: Record<RefusalReason, number> = {
    ...{ pressure: 0, budget: 0, quota: 0, circuit_open: 0, too_large: 0 },
  };

  constructor(options: RefusalsOptions) {
    this.#options = options;
    this.#hints = new RetryHints(options.random);
  }

  get counts(): Readonly<Record<RefusalReason, number>> {
    return { ...this.#counts };
  }

  /** True while something has been refused of late. */
  get areOn(): boolean {
    return this.#spells.areOn;
  }

  refuse(reason: RefusalReason, { kind, bytes }: { readonly kind: string; readonly bytes: number }): Refusal {
    const { books, clock, events } = this.#options;
    const nowMs = clock.monotonicMs();
    this.#counts[reason]++;
    const spellReason = reason === 'circuit_open' ? 'budget' : reason;
    const isFirst = this.#spells.note(spellReason, nowMs);
    const retryAfterMs = this.#retryAfterMs(reason, bytes, nowMs);
    const { openTickets, openBytes } = books;
    if (isFirst) {
      events({
        type: 'admission.refusing',
        atMs: clock.nowMs(),
        reason: spellReason,
        kind,
        requestBytes: bytes,
        retryAfterMs,
        openTickets,
        openBytes,
        holders: describeHolders(this.#largest()),
      });
    }
    return new Refusal({ reason, requestBytes: bytes, retryAfterMs }, () => this.#holders());
  }

  /** Measures what has come free, and ends spells. */
  sweep(nowMs: number): void {
    const { clock, events } = this.#options;
    this.#sample(nowMs);
    for (const { reason, refused, lastedMs } of this.#spells.endQuiet(nowMs)) {
      events({ type: 'admission.resumed', atMs: clock.nowMs(), reason, refused, lastedMs });
    }
  }

  #retryAfterMs(reason: RefusalReason, bytes: number, nowMs: number): number | null {
    const { budget, books, circuitMs, waitingBytes } = this.#options;
    if (reason === 'too_large') return null;
    if (reason === 'circuit_open') return this.#hints.forPause(circuitMs());
    const elapsedMs = this.#spells.elapsedMs(reason, nowMs);
    if (reason === 'pressure') return this.#hints.forPressure({ elapsedMs, meanMs: this.#spells.meanMs(reason) });
    if (this.#hints.wantsSample(nowMs)) this.#sample(nowMs);
    if (reason === 'quota') return this.#hints.forQuota({ openTickets: books.openTickets, elapsedMs });
    const lackBytes = bytes + waitingBytes() - budget.availableBytes;
    return this.#hints.forBudget({ lackBytes: lackBytes > 0 ? lackBytes : bytes, elapsedMs });
  }

  #sample(nowMs: number): void {
    const { budget, books } = this.#options;
    const { releasedTickets, releasedBytes, openBytes } = books;
    this.#hints.sample(nowMs, { releasedTickets, releasedBytes, roomBytes: openBytes + budget.availableBytes });
  }

  #largest() {
    return largestHolders(consumersOf(this.#options.budget.snapshot()));
  }

  #holders(): readonly Holding[] {
    return this.#largest().map(({ name, bytes }) => ({ path: name, bytes }));
  }
}
