import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LEVELS, type Level } from '../../base/levels.ts';
import { Budget } from '../../budget/budget.ts';
import { refusalOf, ticketOf } from '../../testing/admission-outcomes.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { ScriptedConsumer } from '../../testing/scripted-consumer.ts';
import { Admission } from './admission.ts';
import type { AdmissionEvent } from './admission-events.ts';
import type { AdmissionOptions } from './admission-options.ts';
import { AdmissionRefusedError } from './refusal.ts';

let clock: ManualClock;
let budget: Budget;
let events: AdmissionEvent[];
let pressure: { shedding: boolean; last: { assessment: { level: Level } } | null };
let open: Admission[];

function admissionWith(options: Partial<AdmissionOptions> = {}): Admission {
  const admission = new Admission({ budget, pressure, clock, events: (event) => events.push(event), ...options });
  open.push(admission);
  return admission;
}

beforeEach(() => {
  clock = new ManualClock();
  events = [];
  open = [];
  pressure = { shedding: false, last: null };
  budget = new Budget({ name: 'node', limitBytes: 1_000, clock });
});

afterEach(() => {
  for (const admission of open) {
    expect(admission.statistics()).toMatchObject({ openTickets: 0, openBytes: 0, waiting: 0 });
    admission.close();
    admission.close();
  }
  expect(budget.close()).toMatchObject({ leakedBytes: 0 });
  expect(budget.reservedBytes).toBe(0);
  expect(clock.pendingTimers).toBe(0);
});

describe('a ticket', () => {
  it('holds its bytes until it is released, once', () => {
    const admission = admissionWith();
    const ticket = ticketOf(admission, 400, { kind: 'ask', tenant: 'acme' });
    expect(ticket).toMatchObject({ bytes: 400, kind: 'ask', tenant: 'acme', isOpen: true });
    expect(budget.snapshot().consumers).toMatchObject([{ name: 'admitted requests', bytes: 400, priority: 0 }]);
    ticket.release();
    ticket.release();
    ticket[Symbol.dispose]();
    expect(ticket).toMatchObject({ bytes: 0, isOpen: false });
    expect(ticket.adjust(500)).toBe(false);
    expect(ticket.addBody(500)).toBe(false);
    expect(budget.reservedBytes).toBe(0);
    expect(admission.statistics()).toMatchObject({ admitted: 1, openTickets: 0 });
  });

  it('is released at the end of a using block, also when that throws', () => {
    const admission = admissionWith();
    expect(() => {
      using ticket = ticketOf(admission, 100);
      expect(budget.reservedBytes).toBe(ticket.bytes);
      throw new Error('the work failed');
    }).toThrow('the work failed');
    expect(budget.reservedBytes).toBe(0);
  });

  it('may turn out larger or smaller than was thought', () => {
    const admission = admissionWith();
    const ticket = ticketOf(admission, 100);
    expect(ticket.adjust(700)).toBe(true);
    expect([ticket.bytes, budget.reservedBytes]).toEqual([700, 700]);
    expect(ticket.adjust(1_001)).toBe(false);
    expect([ticket.bytes, budget.reservedBytes]).toEqual([700, 700]);
    expect(ticket.adjust(0)).toBe(true);
    expect([ticket.bytes, ticket.isOpen, budget.reservedBytes]).toEqual([0, true, 0]);
    expect(ticket.addBody(50)).toBe(true);
    expect(ticket.bytes).toBe(50);
    expect(admission.statistics().overruns).toBe(1);
    ticket.release();
  });

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '5' as unknown as number])(
    'is not to be had, or changed, for %s bytes',
    async (bytes) => {
      const admission = admissionWith();
      const invalid = expect.objectContaining({ code: 'INVALID_ARGUMENT' });
      expect(() => admission.tryAdmit(bytes)).toThrow(invalid);
      await expect(admission.admit(bytes)).rejects.toThrow(invalid);
      using ticket = ticketOf(admission, 10);
      expect(() => ticket.adjust(bytes)).toThrow(invalid);
      expect(() => ticket.addBody(bytes)).toThrow(invalid);
      expect(() => admission.tryAdmit(1, { bodyBytes: bytes })).toThrow(invalid);
      expect(ticket.bytes).toBe(10);
    },
  );

  it.each([-1, 11, 1.5, Number.NaN])('is not to be had with priority %s', (priority) => {
    expect(() => admissionWith().tryAdmit(1, { priority })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });

  it('may be for nothing at all', () => {
    const admission = admissionWith();
    const full = ticketOf(admission, 1_000);
    const nothing = ticketOf(admission, 0);
    for (const ticket of [full, nothing]) ticket.release();
  });
});

describe('a refusal', () => {
  it('for want of room says so, and leaves no trace', () => {
    const vectors = new ScriptedConsumer(budget, { name: 'vectors', bytes: 700, onReclaim: () => 0 });
    const admission = admissionWith();
    const ticket = ticketOf(admission, 200);
    const refusal = refusalOf(admission, 101);
    expect(refusal).toMatchObject({ reason: 'budget', requestBytes: 101 });
    expect(refusal.retryAfterMs).toBeGreaterThanOrEqual(50);
    const error = refusal.toError();
    expect(error).toBeInstanceOf(AdmissionRefusedError);
    expect(error).toMatchObject({
      code: 'ADMISSION_REFUSED',
      reason: 'budget',
      holders: [
        { path: 'vectors', bytes: 700 },
        { path: 'admitted requests', bytes: 200 },
      ],
    });
    expect(error.message).toContain('vectors 700 B');
    expect(budget.reservedBytes).toBe(900);
    ticket.release();
    expect(admission.statistics().refused).toEqual({
      ...{ pressure: 0, budget: 1, quota: 0, circuit_open: 0, too_large: 0 },
    });
    vectors.reservation.free();
  });

  it('for what could never fit has no hint and does not open the circuit', () => {
    const admission = admissionWith({ maxBytes: 600 });
    for (let time = 0; time < 10; time++) {
      expect(refusalOf(admission, 601)).toMatchObject({ reason: 'too_large', retryAfterMs: null });
    }
    expect(admission.statistics()).toMatchObject({ circuit: 'closed', refused: { too_large: 10 } });
    using _ticket = ticketOf(admission, 600);
    expect(refusalOf(admission, 600).reason).toBe('budget');
  });

  it('leaves the minimums of others aside', () => {
    new ScriptedConsumer(budget, { name: 'core', minBytes: 300 });
    const admission = admissionWith({ minBytes: 100 });
    expect(refusalOf(admission, 701).reason).toBe('too_large');
    ticketOf(admission, 700).release();
  });

  it('while the process sheds is for pressure, but for work of priority 0', () => {
    const admission = admissionWith();
    pressure.shedding = true;
    for (let time = 0; time < 10; time++) expect(refusalOf(admission, 1).reason).toBe('pressure');
    ticketOf(admission, 1, { priority: 0 }).release();
    pressure.shedding = false;
    ticketOf(admission, 1).release();
    expect(admission.statistics()).toMatchObject({ circuit: 'closed', refused: { pressure: 10 } });
  });

  it('at level high meets low priorities where that was asked for', () => {
    const admission = admissionWith({ lowPriorityFrom: 8 });
    const other = admissionWith({ name: 'other requests' });
    for (const level of LEVELS) {
      pressure.last = { assessment: { level } };
      const low = admission.tryAdmit(0, { priority: 8 });
      expect(low.admitted).toBe(level === 'low' || level === 'moderate');
      if (low.admitted) low.release();
      ticketOf(admission, 0, { priority: 7 }).release();
      ticketOf(other, 0, { priority: 10 }).release();
    }
  });

  it('comes without asking for room once the circuit is open, and a probe closes it', async () => {
    const holder = new ScriptedConsumer(budget, { name: 'holder', bytes: 1_000, onReclaim: () => 0 });
    let asked = 0;
    const watched: AdmissionOptions['budget'] = {
      register: (consumer) => budget.register(consumer),
      reclaim: (options) => budget.reclaim(options),
      snapshot: () => budget.snapshot(),
      get availableBytes() {
        asked++;
        return budget.availableBytes;
      },
      get limitBytes() {
        asked++;
        return budget.limitBytes;
      },
      get minimumsBytes() {
        asked++;
        return budget.minimumsBytes;
      },
    };
    const admission = admissionWith({ budget: watched });
    for (let time = 0; time < 5; time++) expect(refusalOf(admission, 10).reason).toBe('budget');
    const askedBefore = asked;
    const refusal = refusalOf(admission, 10);
    expect(refusal.reason).toBe('circuit_open');
    expect(refusal.retryAfterMs).toBeGreaterThanOrEqual(500);
    expect(refusal.retryAfterMs).toBeLessThanOrEqual(667);
    expect(asked).toBe(askedBefore);
    ticketOf(admission, 0).release();
    expect(admission.statistics().circuit).toBe('open');
    await clock.advance(500);
    holder.reservation.shrink(10);
    ticketOf(admission, 10).release();
    expect(admission.statistics().circuit).toBe('closed');
    holder.reservation.free();
  });

  it('does not outlast the want of room, whatever is left of the pause', () => {
    const holder = new ScriptedConsumer(budget, { name: 'holder', bytes: 1_000, onReclaim: () => 0 });
    const admission = admissionWith();
    for (let time = 0; time < 6; time++) refusalOf(admission, 10);
    expect(admission.statistics()).toMatchObject({ circuit: 'open', refused: { budget: 5, circuit_open: 1 } });
    holder.reservation.shrink(50);
    expect(refusalOf(admission, 100).reason).toBe('circuit_open');
    ticketOf(admission, 10).release();
    expect(admission.statistics().circuit).toBe('closed');
    holder.reservation.free();
  });

  it('pauses for two seconds at most', async () => {
    const holder = new ScriptedConsumer(budget, { name: 'holder', bytes: 1_000, onReclaim: () => 0 });
    const admission = admissionWith();
    for (let time = 0; time < 5; time++) refusalOf(admission, 10);
    for (let probe = 0; probe < 6; probe++) {
      await clock.advance(2_000);
      expect(refusalOf(admission, 10).reason).toBe('budget');
    }
    expect(refusalOf(admission, 10).retryAfterMs).toBeLessThanOrEqual(2_667);
    holder.reservation.free();
  });

  it('is never for a circuit when there is none', () => {
    const holder = new ScriptedConsumer(budget, { bytes: 1_000, onReclaim: () => 0 });
    const admission = admissionWith({ circuit: false });
    for (let time = 0; time < 50; time++) expect(refusalOf(admission, 10).reason).toBe('budget');
    holder.reservation.free();
  });

  it('when it observes is only counted', async () => {
    const holder = new ScriptedConsumer(budget, { bytes: 1_000, onReclaim: () => 0 });
    const admission = admissionWith({ observeOnly: () => true });
    pressure.shedding = true;
    const tickets = [ticketOf(admission, 10), await admission.admit(5_000)];
    pressure.shedding = false;
    tickets.push(ticketOf(admission, 10), await admission.admit(10));
    expect(tickets.map((ticket) => ticket.adjust(2_000))).toEqual([true, true, true, true]);
    expect(budget.reservedBytes).toBe(1_000);
    expect(admission.statistics()).toMatchObject({ admitted: 4, wouldHaveRefused: 4, refused: { pressure: 0 } });
    for (const ticket of tickets) ticket.release();
    holder.reservation.free();
  });
});

describe('what it tells', () => {
  it('is a spell of refusals, not each of them', async () => {
    const holder = new ScriptedConsumer(budget, { name: 'vectors', bytes: 1_000, onReclaim: () => 0 });
    const admission = admissionWith({ circuit: false });
    for (let time = 0; time < 30; time++) {
      refusalOf(admission, 10, { kind: 'ask' });
      await clock.advance(100);
    }
    expect(events).toMatchObject([
      { type: 'admission.refusing', reason: 'budget', kind: 'ask', requestBytes: 10, holders: ['vectors 1000 B'] },
    ]);
    holder.reservation.free();
    await clock.advance(12_000);
    expect(events.slice(1)).toMatchObject([
      { type: 'admission.resumed', reason: 'budget', refused: 30, lastedMs: 2_900 },
    ]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is a change of the circuit', () => {
    const holder = new ScriptedConsumer(budget, { bytes: 1_000, onReclaim: () => 0 });
    const admission = admissionWith();
    for (let time = 0; time < 7; time++) refusalOf(admission, 10);
    expect(events.map(({ type }) => type)).toEqual(['admission.refusing', 'admission.circuit_changed']);
    holder.reservation.free();
  });

  it('is a bad estimate, once until it is good again', () => {
    const admission = admissionWith();
    for (const problem of ['NaN is no size', 'threw', null, 'threw again']) admission.noteEstimate('ask', problem);
    expect(events).toMatchObject([{ message: 'NaN is no size' }, { message: 'threw again' }]);
  });
});

describe('close', () => {
  it('reports tickets still open as a leak, and makes them inert', () => {
    const admission = admissionWith();
    const ticket = ticketOf(admission, 100);
    admission.close();
    expect(budget.reservedBytes).toBe(0);
    expect([ticket.isOpen, ticket.bytes, ticket.adjust(5)]).toEqual([false, 0, false]);
    ticket.release();
    expect(() => admission.tryAdmit(1)).toThrow(expect.objectContaining({ code: 'CLOSED' }));
  });

  it.each([
    { budget: undefined as unknown as Budget },
    { minBytes: -1 },
    { maxBytes: Number.NaN },
    { maxWaiting: -1 },
    { maxWaiting: 0.5 },
    { defaultEstimateBytes: Number.POSITIVE_INFINITY },
    { heldTooLongMs: Number.NaN },
    { maxHeldMs: 0 },
    { lowPriorityFrom: 0 },
    { lowPriorityFrom: 11 },
    { circuit: { failures: 0 } },
  ])('nothing is left by an admission that could not be made: %j', (options) => {
    expect(() => new Admission({ budget, clock, ...options })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
    expect(budget.snapshot().consumers).toEqual([]);
  });
});

describe('tryAdmit in a budget that caches have filled', () => {
  it('has room made for whoever comes next', async () => {
    const cache = new ScriptedConsumer(budget, { name: 'cache', priority: 9, bytes: 1_000 });
    const admission = admissionWith();
    expect(refusalOf(admission, 300).reason).toBe('budget');
    await clock.advance(0);
    expect(cache.requests).toHaveLength(1);
    const ticket = ticketOf(admission, 300);
    expect(cache.bytes).toBe(700);
    ticket.release();
    cache.reservation.free();
  });

  it('does not ask again and again where there is nothing to be had', async () => {
    const cache = new ScriptedConsumer(budget, { name: 'cache', priority: 9, bytes: 1_000, onReclaim: () => 0 });
    const admission = admissionWith({ circuit: false });
    for (let time = 0; time < 100; time++) {
      refusalOf(admission, 300);
      await clock.advance(5);
    }
    expect(cache.requests.length).toBeLessThanOrEqual(2);
    cache.reservation.free();
  });
});

it('is disturbed by nobody who throws when he is told', async () => {
  const warned = new Promise((resolve) => process.once('warning', resolve));
  const admission = admissionWith({
    events: () => {
      throw new Error('a full disk');
    },
  });
  expect(refusalOf(admission, 2_000).reason).toBe('too_large');
  expect(await warned).toMatchObject({ message: expect.stringContaining('a full disk') });
  ticketOf(admission, 100).release();
  expect(budget.reservedBytes).toBe(0);
});
