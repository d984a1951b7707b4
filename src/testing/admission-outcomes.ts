/** For tests of admission: what came of asking, where only one thing may come of it. */
import { expect } from 'vitest';
import type { Admission } from '../pressure/admission/admission.ts';
import type { AdmitOptions } from '../pressure/admission/admission-options.ts';
import type { Refusal } from '../pressure/admission/refusal.ts';
import type { Ticket } from '../pressure/admission/ticket.ts';

export function ticketOf(admission: Admission, bytes: number, options?: AdmitOptions): Ticket {
  const outcome = admission.tryAdmit(bytes, options);
  expect(outcome.admitted).toBe(true);
  return outcome as Ticket;
}

export function refusalOf(admission: Admission, bytes: number, options?: AdmitOptions): Refusal {
  const outcome = admission.tryAdmit(bytes, options);
  expect(outcome.admitted).toBe(false);
  return outcome as Refusal;
}
