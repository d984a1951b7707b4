/**
 * Whether new work is taken: a ticket with its bytes set aside, or a refusal that says when to come again (BUD-8).
 *
 * A server that takes every request holds the bytes of all of them at once, and dies of the sum. Here each piece of work says
 * beforehand what it may hold, and is taken only if that fits in the budget beside all else. What is refused costs next to nothing and
 * can be tried again; what is killed half-way has cost its memory and is lost.
 *
 * **The order of the questions**, cheapest first, and who is asked matters: (1) *pressure*: while the process sheds, nothing is taken but
 * work of priority 0, which gives memory back or is the last resort; at level high, work of low priority is refused where told so.
 * (2) the *quota* of the tenant. (3) the *budget*, as it is now. (4) the *circuit*: when room was lacking repeatedly, nobody waits and
 * nobody is asked to make room for a while; what fits as it is, is taken all the same, and closes it. Only a lack of room counts for the circuit: pressure costs nothing to ask for and ends when it ends, and a quota or a
 * size is the matter of one caller, who must not close the door to others.
 *
 * **Promises.** `tryAdmit` never waits and, with `release`, takes a fraction of a microsecond. The sum of all open tickets is in the books as
 * the consumer `admitted requests`, which is asked for nothing: work that has begun is not taken back. A refusal leaves no trace in budget or
 * quota. Bytes of a ticket that is never released come back (`open-tickets.ts`). When it is closed, nothing waits and no timer is left.
 *
 * **Room.** Caches fill a budget, so "no room" mostly means that nobody has asked them yet. `admit` waits in the budget's line, which asks
 * them. `tryAdmit` cannot wait; when it finds no room it has it made in the background, for whoever comes next.
 */
import { requireBytes } from '../../base/bytes.ts';
import { type Clock, checkedDelay, systemClock, type Timer } from '../../base/clock.ts';
import { ClosedError } from '../../base/errors.ts';
import { type EventSink, guardedSink } from '../../base/events.ts';
import { isAtLeast } from '../../base/levels.ts';
import { seededRandom } from '../../base/random.ts';
import { BudgetExceededError } from '../../budget/budget-errors.ts';
import type { Reservation } from '../../budget/reservation.ts';
import type { AdmissionEvent, CircuitState, RefusalReason } from './admission-events.ts';
import {
  type AdmissionOptions,
  type AdmitOptions,
  checkedOptions,
  DEFAULT_KIND,
  DEFAULT_PRIORITY,
  DEFAULT_TIMEOUT_MS,
  requirePriority,
  type WaitOptions,
} from './admission-options.ts';
import { CircuitBreaker, type CircuitOptions, type Pass } from './circuit-breaker.ts';
import { LearnedCosts } from './learned-costs.ts';
import type { Refusal } from './refusal.ts';
import { Refusals } from './refusals.ts';
import { RoomMaker } from './room-maker.ts';
import type { Remains, Ticket } from './ticket.ts';
import { TicketBooks, type Wanted } from './ticket-books.ts';

const SWEEP_MS = 1_000;
/** Room comes free within moments, when other work ends: not as a dead server comes back. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 2_000;
const NO_OPTIONS: AdmitOptions = {};
/** Where no circuit has a say. */
const ALWAYS: Pass = { succeeded() {}, failed() {}, abandoned() {} };

/** Counts since it was made, and the state of now. */
export interface AdmissionStatistics {
  readonly admitted: number;
  readonly refused: Readonly<Record<RefusalReason, number>>;
  /** Taken only because it observes. */
  readonly wouldHaveRefused: number;
  readonly openTickets: number;
  /** Held by open tickets. */
  readonly openBytes: number;
  /** Waiting for room. */
  readonly waiting: number;
  /** Tickets that were never released. */
  readonly lost: number;
  /** How often work said it held more than there was room for. */
  readonly overruns: number;
  readonly circuit: CircuitState;
}

/**
 * Takes work, or refuses it.
 *
 * @example
 * ```ts
 * const admission = new Admission({ budget: tenure.budget, pressure: tenure.monitor });
 * using ticket = await admission.admit(2_000_000, { kind: 'summarize', signal });
 * const document = await load();
 * ticket.adjust(document.byteLength * 3);
 * ```
 */
export class Admission implements Disposable {
  readonly #clock: Clock;
  readonly #events: EventSink<AdmissionEvent>;
  readonly #options: AdmissionOptions;
  readonly #limits: ReturnType<typeof checkedOptions>;
  readonly #costs: LearnedCosts;
  readonly #books: TicketBooks;
  readonly #circuit: CircuitBreaker | null;
  readonly #refusals: Refusals;
  readonly #room: RoomMaker;
  /** Kinds whose estimate by the user was bad the last time. */
  readonly #badEstimates = new Set<string>();
  #wouldHaveRefused = 0;
  #lost = 0;
  #waiting = 0;
  #waitingBytes = 0;
  #timer: Timer | null = null;
  #isClosed = false;

  /** @throws InvalidArgumentError for an option outside its range; NameTakenError, MinimumsExceedLimitError, ClosedError of the budget. */
  constructor(options: AdmissionOptions) {
    const { budget, quota, clock = systemClock, circuit = {} } = options;
    const events = guardedSink(options.events);
    this.#limits = checkedOptions(options);
    this.#options = options;
    this.#clock = clock;
    this.#events = events;
    const { name, minBytes, maxBytes, heldTooLongMs, maxHeldMs, defaultEstimateBytes } = this.#limits;
    this.#circuit = circuit === false ? null : new CircuitBreaker({ ...withPauses(circuit), name, clock, events });
    this.#costs = new LearnedCosts({ defaultBytes: defaultEstimateBytes });
    this.#books = new TicketBooks({
      ...{ budget, name, minBytes, maxBytes, quota, costs: this.#costs, heldTooLongMs, maxHeldMs },
      onLost: (remains, bytes, cause) => this.#tellLost(remains, bytes, cause),
    });
    this.#room = new RoomMaker({ budget, clock });
    this.#refusals = new Refusals({
      ...{ budget, books: this.#books, clock, events, random: options.random ?? seededRandom(clock.nowMs()) },
      waitingBytes: () => this.#waitingBytes,
      circuitMs: () => this.#circuit?.retryAfterMs ?? 0,
    });
  }

  /**
   * A ticket for work that may hold `estimatedBytes`, or a refusal, at once. Never waits.
   *
   * @throws InvalidArgumentError for a bad size or priority; ClosedError.
   */
  tryAdmit(estimatedBytes: number, options: AdmitOptions = NO_OPTIONS): Ticket | Refusal {
    return this.#enter(estimatedBytes, options, 0) as Ticket | Refusal;
  }

  /**
   * A ticket for work that may hold `estimatedBytes`; waits a while for room, oldest first, and has consumers asked for it.
   *
   * @throws AdmissionRefusedError when it is not taken; InvalidArgumentError for a bad size, priority or time; ClosedError, also while it
   * waits; the signal's reason.
   */
  async admit(estimatedBytes: number, options: WaitOptions = NO_OPTIONS): Promise<Ticket> {
    options.signal?.throwIfAborted();
    const outcome = await this.admitOrRefuse(estimatedBytes, options);
    if (outcome.admitted) return outcome;
    throw outcome.toError();
  }

  /**
   * As `admit`, for those who turn a refusal into an answer themselves: nothing is thrown for it, and there is a promise only where there is
   * something to wait for. The signal is read only then, so it may be a getter that makes one.
   *
   * @throws as `admit`, but for AdmissionRefusedError; what is thrown after a wait comes as a rejection.
   */
  admitOrRefuse(
    estimatedBytes: number,
    options: WaitOptions = NO_OPTIONS,
  ): Ticket | Refusal | Promise<Ticket | Refusal> {
    const { timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    checkedDelay(timeoutMs);
    return this.#enter(estimatedBytes, options, timeoutMs);
  }

  /** What work of `kind` may be expected to hold, in bytes: the 90th percentile of what its tickets came to, or the default before that. */
  estimate(kind: string): number {
    return this.#costs.of(kind);
  }

  /** Tells that an estimate made by the user was good (null), or how it was bad; for faces that ask for one. */
  noteEstimate(kind: string, problem: string | null): void {
    if (problem === null) {
      if (this.#badEstimates.size > 0) this.#badEstimates.delete(kind);
    } else if (!this.#badEstimates.has(kind)) {
      this.#badEstimates.add(kind);
      this.#events({ type: 'admission.estimate_failed', atMs: this.#clock.nowMs(), kind, message: problem });
    }
  }

  /** Counts since it was made, and the state of now. Constant time. */
  statistics(): AdmissionStatistics {
    const { admittedTickets, openTickets, openBytes, overruns } = this.#books;
    return {
      admitted: admittedTickets,
      refused: this.#refusals.counts,
      wouldHaveRefused: this.#wouldHaveRefused,
      openTickets,
      openBytes,
      waiting: this.#waiting,
      lost: this.#lost,
      overruns,
      circuit: this.#circuit?.state ?? 'closed',
    };
  }

  /**
   * Takes nothing any more. Who waits is rejected with `ClosedError`; bytes of tickets still open leave the budget as a leak, which it
   * reports. Closing twice is harmless.
   */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#timer = null;
    this.#room[Symbol.dispose]();
    this.#books.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #enter(bytes: number, options: WaitOptions, timeoutMs: number): Ticket | Refusal | Promise<Ticket | Refusal> {
    const { kind = DEFAULT_KIND, tenant, priority = DEFAULT_PRIORITY, bodyBytes = 0 } = options;
    if (!(bytes >= 0 && Number.isSafeInteger(bytes))) requireBytes(bytes, 'estimatedBytes');
    if (!(priority >= 0 && priority <= 10 && Number.isInteger(priority))) requirePriority(priority);
    if (bodyBytes !== 0) requireBytes(bodyBytes, 'bodyBytes');
    if (this.#isClosed) throw new ClosedError('The admission');
    const wanted: Wanted = { kind, tenant, bytes, bodyBytes };
    if (this.#timer === null) this.#startSweeping();
    if (this.#isUnderPressure(priority)) return this.#refuse('pressure', wanted);
    // Who wants no room learns nothing about it, and needs none.
    const pass = this.#circuit === null || bytes === 0 ? ALWAYS : this.#circuit.tryPass();
    if (!this.#isCharged(wanted, pass ?? ALWAYS)) return this.#refuse('quota', wanted);
    const ticket = this.#books.tryOpen(wanted);
    if (ticket !== null) {
      if (pass === null) this.#circuit!.close('there is room again');
      else pass.succeeded();
      return ticket;
    }
    if (pass === null) {
      this.#books.refund(tenant, bytes);
      return this.#refuse('circuit_open', wanted);
    }
    if (!this.#books.couldHold(bytes)) {
      this.#books.refund(tenant, bytes);
      pass.abandoned();
      return this.#refuse('too_large', wanted);
    }
    const mayWait = timeoutMs > 0 && this.#waiting < this.#limits.maxWaiting && !this.#options.observeOnly?.();
    if (mayWait) return this.#wait(wanted, { priority, pass, timeoutMs, signal: options.signal });
    this.#books.refund(tenant, bytes);
    pass.failed();
    this.#room.wake(bytes);
    return this.#refuse('budget', wanted);
  }

  #isUnderPressure(priority: number): boolean {
    const { pressure } = this.#options;
    if (pressure === undefined || priority === 0) return false;
    if (pressure.shedding) return true;
    if (priority < this.#limits.lowPriorityFrom || !pressure.last) return false;
    return isAtLeast(pressure.last.assessment.level, 'high');
  }

  /** Nothing is known of the circuit when the owner's quota throws or is used up. */
  #isCharged({ tenant, bytes }: Wanted, pass: Pass): boolean {
    let isCharged = false;
    try {
      isCharged = this.#books.tryCharge(tenant, bytes);
    } finally {
      if (!isCharged) pass.abandoned();
    }
    return isCharged;
  }

  /** Its bytes are charged already. */
  async #wait(
    wanted: Wanted,
    options: { priority: number; pass: Pass; timeoutMs: number; signal: AbortSignal | undefined },
  ): Promise<Ticket | Refusal> {
    const { priority, pass, timeoutMs, signal } = options;
    let reservation: Reservation | undefined;
    let refusedFor: RefusalReason = 'budget';
    let ticket: Ticket | null = null;
    this.#waiting++;
    this.#waitingBytes += wanted.bytes;
    try {
      reservation = this.#books.reserve();
      await reservation.grow(wanted.bytes, { timeoutMs, ...(signal && { signal }) });
      signal?.throwIfAborted();
      if (this.#isClosed) throw new ClosedError('The admission');
      pass.succeeded();
      // Pressure may have come while it waited.
      if (this.#isUnderPressure(priority)) refusedFor = 'pressure';
      else ticket = this.#books.open(wanted, reservation);
    } catch (error) {
      if (!(error instanceof BudgetExceededError)) {
        pass.abandoned();
        throw error;
      }
      refusedFor = error.reason === 'too_large' ? 'too_large' : 'budget';
      if (refusedFor === 'budget') pass.failed();
      else pass.abandoned();
    } finally {
      this.#waiting--;
      this.#waitingBytes -= wanted.bytes;
      if (ticket === null) {
        reservation?.[Symbol.dispose]();
        this.#books.refund(wanted.tenant, wanted.bytes);
      }
    }
    return ticket ?? this.#refuse(refusedFor, wanted);
  }

  #refuse(reason: RefusalReason, wanted: Wanted): Ticket | Refusal {
    if (this.#options.observeOnly?.()) {
      this.#wouldHaveRefused++;
      return this.#books.open(wanted, null);
    }
    return this.#refusals.refuse(reason, wanted);
  }

  #startSweeping(): void {
    this.#books.nowMs = this.#clock.monotonicMs();
    this.#timer = this.#clock.after(SWEEP_MS, () => this.#sweep());
  }

  #sweep(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#refusals.sweep(nowMs);
    this.#tellHeld(this.#books.sweep(nowMs), nowMs);
    const isBusy = this.#books.openTickets > 0 || this.#waiting > 0 || this.#refusals.areOn;
    this.#timer = isBusy && !this.#isClosed ? this.#clock.after(SWEEP_MS, () => this.#sweep()) : null;
  }

  #tellHeld(held: readonly Remains[], nowMs: number): void {
    const [first] = held;
    if (first === undefined) return;
    const bytes = held.reduce((sum, remains) => sum + remains.bytes, 0);
    const { kind, openedMs } = first;
    const heldMs = nowMs - openedMs;
    this.#events({
      type: 'admission.tickets_held',
      atMs: this.#clock.nowMs(),
      tickets: held.length,
      bytes,
      kind,
      heldMs,
    });
  }

  #tellLost(remains: Remains, bytes: number, cause: 'collected' | 'expired'): void {
    this.#lost++;
    const { kind, tenant = null, openedMs } = remains;
    const heldMs = this.#clock.monotonicMs() - openedMs;
    this.#events({ type: 'admission.ticket_lost', atMs: this.#clock.nowMs(), cause, kind, tenant, bytes, heldMs });
  }
}

function withPauses(circuit: CircuitOptions): CircuitOptions {
  const { firstPauseMs = FIRST_PAUSE_MS } = circuit;
  return { firstPauseMs, longestPauseMs: Math.max(firstPauseMs, LONGEST_PAUSE_MS), ...circuit };
}
