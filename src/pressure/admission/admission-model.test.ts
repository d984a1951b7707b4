/** Any order of admitting, waiting, adjusting, releasing, closing and going wrong leaves the books as a simple model says. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Budget } from '../../budget/budget.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { ScriptedConsumer } from '../../testing/scripted-consumer.ts';
import { Admission } from './admission.ts';
import type { Ticket } from './ticket.ts';

const LIMIT_BYTES = 1_000;
const QUOTA_BYTES = 600;

const bytes = fc.nat(400);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('try' as const), bytes, tenant: fc.constantFrom('a', 'b') }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('wait' as const), bytes, ms: fc.nat(500), aborts: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('adjust' as const), bytes, which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('body' as const), bytes, which: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('release' as const), which: fc.nat(), times: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.nat(4_000) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('others' as const), bytes: fc.nat(900) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('shed' as const), on: fc.boolean() }) },
);

it('keeps the books', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const clock = new ManualClock();
      const budget = new Budget({ limitBytes: LIMIT_BYTES, clock });
      const others = new ScriptedConsumer(budget, { name: 'others', priority: 9 });
      const charged: Record<string, number> = { a: 0, b: 0 };
      const pressure = { shedding: false };
      const quota = {
        tryCharge(owner: string, more: number) {
          if (charged[owner]! + more > QUOTA_BYTES) return false;
          charged[owner]! += more;
          return true;
        },
        refund(owner: string, back: number) {
          charged[owner]! -= back;
        },
      };
      const circuit = { firstPauseMs: 200, longestPauseMs: 400 };
      const admission = new Admission({ budget, clock, pressure, quota, circuit, maxHeldMs: 20_000, maxWaiting: 3 });
      const tickets: Ticket[] = [];
      const waits: Promise<unknown>[] = [];
      const check = () => {
        const openBytes = tickets.reduce((sum, ticket) => sum + ticket.bytes, 0);
        const { openBytes: told, openTickets, waiting } = admission.statistics();
        expect(told).toBe(openBytes);
        expect(openTickets).toBe(tickets.filter((ticket) => ticket.isOpen).length);
        expect(budget.reservedBytes).toBe(openBytes + others.bytes);
        expect(budget.reservedBytes).toBeLessThanOrEqual(LIMIT_BYTES);
        for (const owner of ['a', 'b']) {
          const ofOwner = tickets
            .filter(({ tenant }) => tenant === owner)
            .reduce((sum, ticket) => sum + ticket.bytes, 0);
          expect(charged[owner]).toBeLessThanOrEqual(QUOTA_BYTES);
          if (owner === 'b' || waiting === 0) expect(charged[owner]).toBe(ofOwner);
          else expect(charged[owner]).toBeGreaterThanOrEqual(ofOwner);
        }
      };
      for (const each of steps) {
        const ticket = 'which' in each ? tickets[each.which % Math.max(1, tickets.length)] : undefined;
        if (each.do === 'try') {
          const outcome = admission.tryAdmit(each.bytes, { tenant: each.tenant });
          if (outcome.admitted) tickets.push(outcome);
        } else if (each.do === 'wait') {
          const controller = new AbortController();
          const { signal } = controller;
          const options = { tenant: 'a', timeoutMs: each.ms, signal };
          waits.push(
            admission.admit(each.bytes, options).then(
              (got) => void tickets.push(got),
              () => undefined,
            ),
          );
          if (each.aborts) clock.after(each.ms / 2, () => controller.abort());
        } else if (each.do === 'adjust') ticket?.adjust(each.bytes);
        else if (each.do === 'body') ticket?.addBody(each.bytes);
        else if (each.do === 'release') for (let time = 0; time < each.times; time++) ticket?.release();
        else if (each.do === 'advance') await clock.advance(each.ms);
        else if (each.do === 'others') {
          others.give(others.bytes);
          others.reservation.tryGrow(each.bytes);
        } else pressure.shedding = each.on;
        await clock.advance(0);
        check();
      }
      await clock.advance(1_000);
      await Promise.all(waits);
      check();
      for (const ticket of tickets) ticket.release();
      check();
      others.give(others.bytes);
      expect(charged).toEqual({ a: 0, b: 0 });
      expect(budget.reservedBytes).toBe(0);
      admission.close();
      expect(budget.close()).toMatchObject({ leakedBytes: 0 });
      expect(clock.pendingTimers).toBe(0);
    }),
    { numRuns: 150 },
  );
});
