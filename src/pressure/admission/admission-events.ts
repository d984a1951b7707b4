/** What admission tells: one event for each outcome, flat and safe to send. Refusals come by the thousand, so they are told as spells. */
import type { TenureEventBase } from '../../base/events.ts';

/**
 * Why work was not taken: pressure on the process; no room in the budget; the owner's quota; repeated refusals a moment ago; more
 * than could ever fit.
 */
export type RefusalReason = 'pressure' | 'budget' | 'quota' | 'circuit_open' | 'too_large';

/** `closed`: calls pass. `open`: none does. `half_open`: one does, to see. */
export type CircuitState = 'closed' | 'open' | 'half_open';

/** Work is being refused from now on, for a reason for which none was refused in the last while. */
export interface RefusingEvent extends TenureEventBase {
  readonly type: 'admission.refusing';
  readonly reason: Exclude<RefusalReason, 'circuit_open'>;
  readonly kind: string;
  readonly requestBytes: number;
  readonly retryAfterMs: number | null;
  /** Tickets open, and the bytes they hold. */
  readonly openTickets: number;
  readonly openBytes: number;
  /** The largest of the budget, as `vectors 180 MB`. */
  readonly holders: readonly string[];
}

/** For ten seconds nothing was refused for that reason; what the spell came to. */
export interface ResumedEvent extends TenureEventBase {
  readonly type: 'admission.resumed';
  readonly reason: Exclude<RefusalReason, 'circuit_open'>;
  /** Refusals of the whole spell. */
  readonly refused: number;
  /** From the first to the last of them. */
  readonly lastedMs: number;
}

/** Tickets have been open for longer than expected. Told once for each ticket, together for those found together. */
export interface TicketsHeldEvent extends TenureEventBase {
  readonly type: 'admission.tickets_held';
  readonly tickets: number;
  readonly bytes: number;
  /** Of the one open longest. */
  readonly kind: string;
  readonly heldMs: number;
}

/** A ticket was never released; its bytes have come back. */
export interface TicketLostEvent extends TenureEventBase {
  readonly type: 'admission.ticket_lost';
  /** `collected`: nobody could have released it any more; `expired`: it was open for longer than any ticket may be. */
  readonly cause: 'collected' | 'expired';
  readonly kind: string;
  readonly tenant: string | null;
  readonly bytes: number;
  readonly heldMs: number;
}

/** A circuit opened, lets a probe pass, or closed. */
export interface CircuitChangedEvent extends TenureEventBase {
  readonly type: 'admission.circuit_changed';
  readonly circuit: string;
  readonly from: CircuitState;
  readonly to: CircuitState;
  readonly reason: string;
  /** How long it stays open; 0 for other states. */
  readonly pauseMs: number;
}

/** The user's own estimate threw, or was no size; told once until one is good again. The learned one was used instead. */
export interface EstimateFailedEvent extends TenureEventBase {
  readonly type: 'admission.estimate_failed';
  readonly kind: string;
  readonly message: string;
}

/** Everything admission tells, told apart by `type`. */
export type AdmissionEvent =
  | RefusingEvent
  | ResumedEvent
  | TicketsHeldEvent
  | TicketLostEvent
  | CircuitChangedEvent
  | EstimateFailedEvent;
