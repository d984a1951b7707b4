/** Are the hints honest: does whoever comes back when told to find room, and does he not come back long after there was some? */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../base/random.ts';
import { Budget } from '../../budget/budget.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { Admission } from './admission.ts';
import { RetryHints } from './retry-hints.ts';
import type { Ticket } from './ticket.ts';

describe('the hint of a full budget', () => {
  it.each([20, 100, 400])(
    'is right to within a factor of two where a ticket comes free every %s ms',
    async (everyMs) => {
      const clock = new ManualClock();
      const budget = new Budget({ limitBytes: 1_000, clock });
      const admission = new Admission({ budget, clock, random: seededRandom(1), circuit: false });
      const tickets: Ticket[] = [];
      const take = () => {
        const outcome = admission.tryAdmit(10);
        if (outcome.admitted) tickets.push(outcome);
        return outcome;
      };
      while (take().admitted);
      // A steady state: whatever comes free is taken again at once.
      for (let ms = 0; ms < 12_000; ms += everyMs) {
        await clock.advance(everyMs);
        tickets.shift()?.release();
        take();
      }
      const wantedBytes = 100;
      const refusal = admission.tryAdmit(wantedBytes);
      if (refusal.admitted) throw new Error('There was room.');
      const honestMs = (wantedBytes / 10) * everyMs;
      expect(refusal.retryAfterMs).toBeGreaterThan(honestMs / 2);
      expect(refusal.retryAfterMs).toBeLessThan(honestMs * 2);
      // Nobody else comes: it must be room enough when the time is over.
      for (let ms = 0; ms < refusal.retryAfterMs! * 1.25; ms += everyMs) {
        await clock.advance(everyMs);
        tickets.shift()?.release();
      }
      const again = admission.tryAdmit(wantedBytes);
      expect(again.admitted).toBe(true);
      if (again.admitted) again.release();
      for (const ticket of tickets) ticket.release();
      admission.close();
      expect(budget.close()).toMatchObject({ leakedBytes: 0 });
      expect(clock.pendingTimers).toBe(0);
    },
  );
});

describe('a hint', () => {
  it('is bounded, whatever was measured, and lengthened by a third at most', () => {
    const amount = fc.oneof(fc.nat(), fc.constant(0), fc.constant(2 ** 52));
    fc.assert(
      fc.property(
        fc.array(fc.record({ ms: fc.nat(100_000), amount })),
        amount,
        fc.integer(),
        (samples, lackBytes, seed) => {
          const hints = new RetryHints(seededRandom(seed));
          let [nowMs, releasedBytes] = [0, 0];
          for (const each of samples) {
            nowMs += each.ms;
            releasedBytes += each.amount;
            hints.sample(nowMs, { releasedBytes, releasedTickets: each.amount, roomBytes: 0 });
          }
          const all = [
            hints.forBudget({ lackBytes, elapsedMs: nowMs }),
            hints.forQuota({ openTickets: lackBytes, elapsedMs: nowMs }),
            hints.forPressure({ elapsedMs: nowMs, meanMs: lackBytes }),
            hints.forPause(lackBytes),
          ];
          for (const hint of all) {
            expect(Number.isInteger(hint)).toBe(true);
            expect(hint).toBeGreaterThanOrEqual(50);
            expect(hint).toBeLessThanOrEqual(60_000);
          }
        },
      ),
    );
  });

  it('spreads those who were refused together', () => {
    const hints = new RetryHints(seededRandom(7));
    const all = Array.from({ length: 1_000 }, () => hints.forPause(3_000));
    expect(Math.min(...all)).toBeGreaterThanOrEqual(3_000);
    expect(Math.max(...all)).toBeLessThanOrEqual(4_000);
    expect(new Set(all).size).toBeGreaterThan(400);
  });

  it('of pressure knows how long pressure lasts', () => {
    const hints = new RetryHints(() => 0);
    expect(hints.forPressure({ elapsedMs: 0, meanMs: 0 })).toBe(5_000);
    expect(hints.forPressure({ elapsedMs: 5_000, meanMs: 20_000 })).toBe(15_000);
    expect(hints.forPressure({ elapsedMs: 19_000, meanMs: 20_000 })).toBe(5_000);
    expect(hints.forPressure({ elapsedMs: 30_000, meanMs: 20_000 })).toBe(30_000);
  });

  it('takes room that others make for room, and room that others take for none', () => {
    const hints = new RetryHints(() => 0);
    for (let second = 0; second <= 10; second++) {
      hints.sample(second * 1_000, { releasedBytes: 0, releasedTickets: 0, roomBytes: second * 500 });
    }
    expect(hints.forBudget({ lackBytes: 1_000, elapsedMs: 0 })).toBe(2_000);
    const taken = new RetryHints(() => 0);
    for (let second = 0; second <= 10; second++) {
      taken.sample(second * 1_000, { releasedBytes: second * 500, releasedTickets: second, roomBytes: -second * 500 });
    }
    expect(taken.forBudget({ lackBytes: 1_000, elapsedMs: 7_000 })).toBe(7_000);
  });
});
