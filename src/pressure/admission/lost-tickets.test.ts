/** Tickets held for long, and tickets nobody will ever release. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Budget } from '../../budget/budget.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { v8Collect } from '../v8-collect.ts';
import { Admission } from './admission.ts';
import type { AdmissionEvent } from './admission-events.ts';
import type { Ticket } from './ticket.ts';

let clock: ManualClock;
let budget: Budget;
let events: AdmissionEvent[];
let admission: Admission;
let chargedBytes: number;

beforeEach(() => {
  clock = new ManualClock();
  budget = new Budget({ name: 'node', limitBytes: 1_000_000, clock });
  events = [];
  chargedBytes = 0;
  const quota = {
    tryCharge(_owner: string, bytes: number) {
      chargedBytes += bytes;
      return true;
    },
    refund(_owner: string, bytes: number) {
      chargedBytes -= bytes;
    },
  };
  const limits = { heldTooLongMs: 60_000, maxHeldMs: 600_000 };
  admission = new Admission({ budget, quota, clock, events: (event) => events.push(event), ...limits });
});

afterEach(() => {
  expect(admission.statistics()).toMatchObject({ openTickets: 0, openBytes: 0 });
  expect(chargedBytes).toBe(0);
  admission.close();
  expect(budget.close()).toMatchObject({ leakedBytes: 0 });
  expect(clock.pendingTimers).toBe(0);
});

function taken(bytes: number, kind = 'ask'): Ticket {
  const outcome = admission.tryAdmit(bytes, { kind, tenant: 'acme' });
  expect(outcome.admitted).toBe(true);
  return outcome as Ticket;
}

/** Its own frame, so that nothing of the ticket is left on the caller's stack. */
function takeAndForget(count: number): void {
  for (let index = 0; index < count; index++) taken(100, 'forgotten');
}

async function collect(until: () => boolean): Promise<void> {
  const gc = v8Collect();
  for (let round = 0; round < 50 && !until(); round++) {
    gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('a ticket nobody released', () => {
  it('is found when it is garbage, and its bytes come back', async () => {
    const kept = taken(500);
    takeAndForget(10);
    await clock.advance(3_000);
    await collect(() => admission.statistics().lost === 10);
    expect(admission.statistics()).toMatchObject({ lost: 10, openTickets: 1, openBytes: 500 });
    expect(chargedBytes).toBe(500);
    expect(budget.reservedBytes).toBe(500);
    expect(events).toHaveLength(10);
    expect(events[0]).toMatchObject({
      ...{ type: 'admission.ticket_lost', cause: 'collected', kind: 'forgotten', tenant: 'acme', bytes: 100 },
    });
    kept.release();
  });

  it('is not taken for lost when it was released in old age', async () => {
    for (let round = 0; round < 3; round++) {
      const tickets = Array.from({ length: 50 }, () => taken(100));
      await clock.advance(5_000);
      for (const ticket of tickets) ticket.release();
    }
    await collect(() => false);
    expect(admission.statistics().lost).toBe(0);
    expect(events).toEqual([]);
  });

  it('is taken for lost after an hour, or whatever was set; its owner is told by the ticket', async () => {
    const ticket = taken(100);
    expect(ticket.adjust(300)).toBe(true);
    await clock.advance(602_000);
    expect(events.at(-1)).toMatchObject({ type: 'admission.ticket_lost', cause: 'expired', bytes: 300 });
    expect([ticket.isOpen, ticket.bytes, ticket.adjust(10)]).toEqual([false, 0, false]);
    ticket.release();
    expect(budget.reservedBytes).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });
});

it('tells once of tickets held for long, together', async () => {
  const tickets = [taken(100, 'slow'), taken(200), taken(300)];
  await clock.advance(300_000);
  expect(events).toMatchObject([{ type: 'admission.tickets_held', tickets: 3, bytes: 600, kind: 'slow' }]);
  const late = taken(50, 'late');
  await clock.advance(100_000);
  expect(events.slice(1)).toMatchObject([{ type: 'admission.tickets_held', tickets: 1, bytes: 50, kind: 'late' }]);
  for (const ticket of [...tickets, late]) ticket.release();
});

it('is not misled by a wall clock that jumps', async () => {
  const ticket = taken(100);
  clock.jumpWallClock(30 * 86_400_000);
  await clock.advance(5_000);
  clock.jumpWallClock(-60 * 86_400_000);
  await clock.advance(5_000);
  expect(events).toEqual([]);
  expect(ticket.isOpen).toBe(true);
  ticket.release();
});

it('keeps an old ticket in the books as it changes', async () => {
  const ticket = taken(100);
  await clock.advance(3_000);
  expect(ticket.adjust(700)).toBe(true);
  expect(ticket.addBody(50)).toBe(true);
  expect([ticket.bytes, budget.reservedBytes, chargedBytes]).toEqual([750, 750, 750]);
  ticket.release();
  expect(ticket.bytes).toBe(0);
});

it('leaves no timer while nothing is open', async () => {
  taken(100).release();
  expect(clock.pendingTimers).toBe(1);
  await clock.advance(2_000);
  expect(clock.pendingTimers).toBe(0);
});
