/** `admit`: waiting for room, and every way in which a wait can end. */
import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Budget } from '../../budget/budget.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { ScriptedConsumer } from '../../testing/scripted-consumer.ts';
import { Admission } from './admission.ts';
import type { AdmissionOptions } from './admission-options.ts';
import type { Ticket } from './ticket.ts';

let clock: ManualClock;
let budget: Budget;
let holder: ScriptedConsumer;
let pressure: { shedding: boolean };
let charged: number;
let admission: Admission;

const quota = {
  tryCharge(_owner: string, bytes: number) {
    charged += bytes;
    return true;
  },
  refund(_owner: string, bytes: number) {
    charged -= bytes;
  },
};

function make(options: Partial<AdmissionOptions> = {}): void {
  admission?.close();
  admission = new Admission({ budget, pressure, quota, clock, ...options });
}

beforeEach(() => {
  clock = new ManualClock();
  charged = 0;
  pressure = { shedding: false };
  budget = new Budget({ name: 'node', limitBytes: 1_000, clock });
  holder = new ScriptedConsumer(budget, { name: 'holder', bytes: 1_000, onReclaim: () => 0 });
  make();
});

afterEach(() => {
  expect(admission.statistics()).toMatchObject({ openTickets: 0, openBytes: 0, waiting: 0 });
  expect(charged).toBe(0);
  admission.close();
  holder.reservation[Symbol.dispose]();
  expect(budget.close()).toMatchObject({ leakedBytes: 0 });
  expect(budget.reservedBytes).toBe(0);
  expect(clock.pendingTimers).toBe(0);
});

describe('admit', () => {
  it('waits for room, oldest first, and nobody overtakes', async () => {
    const order: string[] = [];
    const work = async (name: string, bytes: number) => {
      const ticket = await admission.admit(bytes, { tenant: 'acme' });
      order.push(name);
      return ticket;
    };
    const waiting = [work('first', 300), work('second', 100), work('third', 100)];
    await clock.advance(10);
    expect(admission.statistics()).toMatchObject({ waiting: 3, openTickets: 0 });
    expect(charged).toBe(500);
    holder.reservation.shrink(200);
    expect(admission.tryAdmit(1).admitted).toBe(false);
    holder.reservation.shrink(100);
    await clock.advance(0);
    expect(order).toEqual(['first']);
    holder.reservation.shrink(200);
    const tickets = await Promise.all(waiting);
    expect(order).toEqual(['first', 'second', 'third']);
    expect(budget.reservedBytes).toBe(1_000);
    expect(tickets[0]?.adjust(200)).toBe(true);
    expect(tickets[1]?.adjust(200)).toBe(true);
    for (const ticket of tickets) ticket.release();
    expect(budget.reservedBytes).toBe(500);
  });

  it('has consumers asked for room, and takes what they give', async () => {
    holder.onReclaim = ({ targetBytes }) => holder.give(targetBytes);
    using ticket = await admission.admit(400);
    expect([ticket.bytes, holder.bytes]).toEqual([400, 600]);
  });

  it('refuses after its time', async () => {
    const refused = admission.admit(10, { timeoutMs: 200, tenant: 'acme' }).catch((error: unknown) => error);
    await clock.advance(199);
    expect(admission.statistics().waiting).toBe(1);
    await clock.advance(1);
    expect(await refused).toMatchObject({ code: 'ADMISSION_REFUSED', reason: 'budget', requestBytes: 10 });
  });

  it('refuses at once what could never fit, and when there is no time to wait', async () => {
    await expect(admission.admit(1_001)).rejects.toMatchObject({ reason: 'too_large', retryAfterMs: null });
    await expect(admission.admit(1, { timeoutMs: 0 })).rejects.toMatchObject({ reason: 'budget' });
  });

  it('finds out while it waits that it could never fit any more', async () => {
    const refused = admission.admit(600).catch((error: unknown) => error);
    await clock.advance(1);
    budget.setLimit(500);
    holder.onReclaim = ({ targetBytes }) => holder.give(targetBytes);
    await clock.advance(1_000);
    expect(await refused).toMatchObject({ code: 'ADMISSION_REFUSED' });
  });

  it('ends with its signal: before, while it waits, and between grant and answer', async () => {
    const reason = new Error('no longer wanted');
    await expect(admission.admit(1, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const options = { signal: controller.signal, tenant: 'acme', timeoutMs: 100 };
    const waiting = admission.admit(10, options);
    await clock.advance(5);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);

    const second = new AbortController();
    const granted = admission.admit(10, { signal: second.signal, tenant: 'acme' });
    holder.reservation.shrink(10);
    second.abort(reason);
    await expect(granted).rejects.toBe(reason);
    expect(budget.reservedBytes).toBe(990);
    expect(getEventListeners(second.signal, 'abort')).toEqual([]);
    expect(admission.statistics()).toMatchObject({ circuit: 'closed', refused: { budget: 0 } });
  });

  it('refuses for pressure that came while it waited', async () => {
    const refused = admission.admit(10, { tenant: 'acme' }).catch((error: unknown) => error);
    const rescued = admission.admit(10, { tenant: 'acme', priority: 0 });
    await clock.advance(1);
    pressure.shedding = true;
    holder.reservation.shrink(20);
    expect(await refused).toMatchObject({ reason: 'pressure' });
    (await rescued).release();
  });

  it('rejects who waits when it closes, and when the budget does', async () => {
    const closed = expect.objectContaining({ code: 'CLOSED' });
    const first = admission.admit(10, { tenant: 'acme' });
    await clock.advance(1);
    admission.close();
    await expect(first).rejects.toThrow(closed);
    make();
    const second = admission.admit(10, { tenant: 'acme' });
    const granted = admission.admit(0, { tenant: 'acme' });
    await clock.advance(1);
    (await granted).release();
    budget.close();
    await expect(second).rejects.toThrow(closed);
    await expect(admission.admit(1, { tenant: 'acme' })).rejects.toThrow(closed);
  });

  it('counts waits that were in vain for the circuit, and probes by waiting', async () => {
    const waits = Array.from({ length: 5 }, () => admission.admit(10, { timeoutMs: 100 }).catch(() => 'refused'));
    await clock.advance(100);
    expect(await Promise.all(waits)).toEqual(Array(5).fill('refused'));
    expect(admission.statistics().circuit).toBe('open');
    await expect(admission.admit(10)).rejects.toMatchObject({ reason: 'circuit_open' });
    await clock.advance(1_000);
    const probe = admission.admit(10);
    await expect(admission.admit(10)).rejects.toMatchObject({ reason: 'circuit_open' });
    holder.reservation.shrink(10);
    (await probe).release();
    expect(admission.statistics().circuit).toBe('closed');
  });

  it.each([-1, Number.NaN, 2 ** 31])('rejects %s as a time', async (timeoutMs) => {
    await expect(admission.admit(1, { timeoutMs })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('ten thousand', () => {
  it('wait, and are served in order', async () => {
    make({ maxWaiting: 10_000 });
    const order: number[] = [];
    const all = Array.from({ length: 10_000 }, async (_, index) => {
      using ticket = await admission.admit(10, { tenant: 'acme', timeoutMs: 60_000 });
      order.push(index);
      expect(ticket.bytes).toBe(10);
    });
    await clock.advance(10);
    expect(admission.statistics().waiting).toBe(10_000);
    await expect(admission.admit(10)).rejects.toMatchObject({ reason: 'budget' });
    holder.reservation.shrink(1_000);
    await Promise.all(all);
    expect(order).toEqual(Array.from({ length: 10_000 }, (_, index) => index));
  });

  it('are rejected when it closes, without a trace', async () => {
    make({ maxWaiting: 10_000 });
    const all = Array.from({ length: 10_000 }, () => admission.admit(10, { tenant: 'acme' }));
    const settled = Promise.allSettled(all);
    await clock.advance(1);
    admission.close();
    const codes = (await settled).map((each) => (each.status === 'rejected' ? each.reason.code : 'granted'));
    expect(new Set(codes)).toEqual(new Set(['CLOSED']));
  });

  it('are too many by default: the first thousand wait, the others are told at once', async () => {
    make({ circuit: false });
    const outcomes = Array.from({ length: 10_000 }, () => admission.admitOrRefuse(1, { timeoutMs: 100 }));
    expect(outcomes.filter((outcome) => outcome instanceof Promise)).toHaveLength(1_000);
    expect(admission.statistics()).toMatchObject({ waiting: 1_000, refused: { budget: 9_000 } });
    await clock.advance(100);
    await Promise.all(outcomes);
    expect(admission.statistics().refused.budget).toBe(10_000);
  });
});

it('reads the signal only when there is something to wait for', async () => {
  let reads = 0;
  const options = {
    timeoutMs: 50,
    get signal() {
      reads++;
      return new AbortController().signal;
    },
  };
  (admission.admitOrRefuse(0, options) as Ticket).release();
  expect(reads).toBe(0);
  const waiting = admission.admitOrRefuse(1, options);
  expect(reads).toBe(1);
  await clock.advance(50);
  expect((await waiting).admitted).toBe(false);
});
