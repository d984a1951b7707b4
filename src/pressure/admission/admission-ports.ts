/** What admission needs of others: room, the state of the process, and what an owner may hold. */
import type { Level } from '../../base/levels.ts';
import type { Budget } from '../../budget/budget.ts';

/** Where bytes are reserved; a `Budget` as it is. */
export type AdmissionBudget = Pick<
  Budget,
  'register' | 'reclaim' | 'snapshot' | 'availableBytes' | 'limitBytes' | 'minimumsBytes'
>;

/** How the process is; a `Monitor` has this shape as it is. Read for every request, so it must be cheap. */
export interface PressurePort {
  /** New work is to be refused. */
  readonly shedding: boolean;
  /** The last assessment; without it the level counts as `low`. */
  readonly last?: { readonly assessment: { readonly level: Level } } | null;
}

/** What a tenant or an agent may hold (BUD-11). */
export interface QuotaPort {
  /** Charges `bytes` to `owner`, or changes nothing and returns false. */
  tryCharge(owner: string, bytes: number): boolean;
  /** Takes back what was charged. Must not throw. */
  refund(owner: string, bytes: number): void;
}
