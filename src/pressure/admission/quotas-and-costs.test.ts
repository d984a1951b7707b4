/** What an owner may hold, and what a kind of work is taken to cost. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClosedError } from '../../base/errors.ts';
import { Budget } from '../../budget/budget.ts';
import { Quotas } from '../../budget/quota.ts';
import { refusalOf, ticketOf } from '../../testing/admission-outcomes.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { Admission } from './admission.ts';
import type { AdmissionOptions } from './admission-options.ts';

let clock: ManualClock;
let budget: Budget;
let open: Admission[];

function admissionWith(options: Partial<AdmissionOptions> = {}): Admission {
  const admission = new Admission({ budget, clock, ...options });
  open.push(admission);
  return admission;
}

beforeEach(() => {
  clock = new ManualClock();
  open = [];
  budget = new Budget({ name: 'node', limitBytes: 1_000, clock });
});

afterEach(() => {
  for (const admission of open) {
    expect(admission.statistics()).toMatchObject({ openTickets: 0, openBytes: 0 });
    admission.close();
  }
  expect(budget.close()).toMatchObject({ leakedBytes: 0 });
  expect(clock.pendingTimers).toBe(0);
});

describe('quotas', () => {
  it('are whole when a ticket grows after its budget was closed', () => {
    const closed = new Budget({ limitBytes: 1_000, clock });
    const owners = new Quotas();
    const admission = admissionWith({ budget: closed, quota: owners });
    const ticket = ticketOf(admission, 100, { tenant: 'acme' });
    closed.close();
    expect(() => ticket.adjust(300)).toThrow(ClosedError);
    expect(owners.usedBytes('acme')).toBe(100);
    ticket.release();
    expect(owners.usedBytes('acme')).toBe(0);
  });

  const quota = (limitBytes: number) => {
    const charged = new Map<string, number>();
    return {
      charged,
      tryCharge(owner: string, bytes: number) {
        const total = (charged.get(owner) ?? 0) + bytes;
        if (total > limitBytes) return false;
        charged.set(owner, total);
        return true;
      },
      refund(owner: string, bytes: number) {
        charged.set(owner, charged.get(owner)! - bytes);
      },
    };
  };

  it('hold back one owner and nobody else, and get every byte back', async () => {
    const held = quota(300);
    const admission = admissionWith({ quota: held });
    const first = ticketOf(admission, 200, { tenant: 'acme' });
    for (let time = 0; time < 9; time++) {
      expect(refusalOf(admission, 101, { tenant: 'acme' }).reason).toBe('quota');
    }
    const second = ticketOf(admission, 300, { tenant: 'globex' });
    const third = ticketOf(admission, 400);
    expect(held.charged).toEqual(
      new Map([
        ['acme', 200],
        ['globex', 300],
      ]),
    );
    expect(first.adjust(301)).toBe(false);
    expect(first.adjust(150)).toBe(true);
    expect(held.charged.get('acme')).toBe(150);
    // The quota would allow it, the budget does not.
    expect(refusalOf(admission, 151, { tenant: 'acme' }).reason).toBe('quota');
    expect(refusalOf(admission, 150 + 1, { tenant: 'initech' }).reason).toBe('budget');
    expect(refusalOf(admission, 1_001).reason).toBe('too_large');
    expect(held.charged.get('initech')).toBe(0);
    expect(first.adjust(300)).toBe(true);
    for (const ticket of [first, second, third]) ticket.release();
    expect([...held.charged.values()]).toEqual([0, 0, 0]);
    expect(admission.statistics().circuit).toBe('closed');
  });

  it('are charged nothing for a growth that the budget has no room for', () => {
    const held = quota(900);
    const admission = admissionWith({ quota: held });
    const other = ticketOf(admission, 700);
    const ticket = ticketOf(admission, 200, { tenant: 'acme' });
    expect(ticket.adjust(400)).toBe(false);
    expect(ticket.addBody(200)).toBe(false);
    expect(held.charged.get('acme')).toBe(200);
    for (const each of [ticket, other]) each.release();
    expect(held.charged.get('acme')).toBe(0);
  });

  it('that throw leave nothing behind', () => {
    const admission = admissionWith({
      quota: {
        tryCharge: () => {
          throw new Error('broken quota');
        },
        refund: () => {},
      },
    });
    expect(() => admission.tryAdmit(10, { tenant: 'acme' })).toThrow('broken quota');
    ticketOf(admission, 10).release();
  });

  it('are refunded when the budget was closed first', () => {
    const held = quota(300);
    const admission = admissionWith({ quota: held });
    const ticket = ticketOf(admission, 100, { tenant: 'acme' });
    expect(budget.close()).toMatchObject({ leakedBytes: 100 });
    expect(() => admission.tryAdmit(10, { tenant: 'acme' })).toThrow(expect.objectContaining({ code: 'CLOSED' }));
    ticket.release();
    expect(held.charged.get('acme')).toBe(0);
  });
});

describe('estimates', () => {
  it('come from what tickets of a kind were adjusted to, less the body', () => {
    const admission = admissionWith({ defaultEstimateBytes: 10 });
    budget.setLimit(10_000_000);
    for (let sample = 1; sample <= 20; sample++) {
      using ticket = ticketOf(admission, 10, { kind: 'ask', bodyBytes: 1_000_000 });
      ticket.adjust(1_000_000 + sample * 1_000);
      ticket.adjust(5);
    }
    for (let sample = 0; sample < 20; sample++) ticketOf(admission, 500_000, { kind: 'silent' }).release();
    expect(admission.estimate('ask')).toBeGreaterThanOrEqual(18_000);
    expect(admission.estimate('ask')).toBeLessThan(20_000 * 1.2);
    expect(admission.estimate('silent')).toBe(10);
    expect(admission.estimate('unknown')).toBe(10);
  });

  it('learn the truth also from work that had no room for it', () => {
    const admission = admissionWith({ defaultEstimateBytes: 10 });
    for (let sample = 0; sample < 8; sample++) {
      using ticket = ticketOf(admission, 10, { kind: 'ask' });
      expect(ticket.adjust(1_000_000)).toBe(false);
    }
    expect(admission.estimate('ask')).toBeGreaterThanOrEqual(1_000_000);
    expect(admission.statistics().overruns).toBe(8);
  });
});
