import { describe, expect, it } from 'vitest';
import { seededRandom } from '../base/random.ts';
import { type Fault, faulty, InjectedFault } from './faulty.ts';
import { ManualClock } from './manual-clock.ts';

const pending = Symbol('pending');
const soon = (promise: unknown) => Promise.race([promise, new Promise((resolve) => setImmediate(resolve, pending))]);

function faultsOf(seed: number): Fault[] {
  const faults: Fault[] = [];
  const rates = { throws: 0.2, rejects: 0.2, hangs: 0.2, late: 0.2, clock: new ManualClock() };
  const call = faulty(seededRandom(seed), () => 1, { ...rates, onCall: (fault) => faults.push(fault) });
  for (let index = 0; index < 500; index++) {
    try {
      Promise.resolve(call()).catch(() => {});
    } catch (error) {
      expect(error).toBeInstanceOf(InjectedFault);
    }
  }
  return faults;
}

describe('faulty', () => {
  it('does each fault about as often as asked, the same for the same seed', () => {
    const faults = faultsOf(1);
    for (const fault of ['ok', 'throws', 'rejects', 'hangs', 'late']) {
      expect(faults.filter((one) => one === fault).length).toBeGreaterThan(60);
    }
    expect(faultsOf(1)).toEqual(faults);
    expect(faultsOf(2)).not.toEqual(faults);
  });

  it('passes arguments and answers on when it does not fail', () => {
    expect(faulty(seededRandom(1), (a: number, b: number) => a + b, {})(1, 2)).toBe(3);
    expect(faulty(seededRandom(1), () => 3, { throws: 1, isOn: () => false })()).toBe(3);
  });

  it('throws, rejects, hangs, and is late by the clock', async () => {
    const clock = new ManualClock();
    const random = seededRandom(1);
    expect(() => faulty(random, () => 1, { throws: 1 })()).toThrow(InjectedFault);
    await expect(faulty(random, () => 1, { rejects: 1 })()).rejects.toThrow(InjectedFault);
    expect(await soon(faulty(random, () => 1, { hangs: 1 })())).toBe(pending);
    const late = faulty(random, () => 1, { late: 1, lateMs: { low: 100, high: 200 }, clock })();
    await clock.advance(99);
    expect(await soon(late)).toBe(pending);
    await clock.advance(101);
    expect(await soon(late)).toBe(1);
  });

  it('refuses chances that are none', () => {
    expect(() => faulty(seededRandom(1), () => 1, { throws: 0.6, hangs: 0.6 })).toThrow(RangeError);
    expect(() => faulty(seededRandom(1), () => 1, { throws: -0.1 })).toThrow(RangeError);
    expect(() => faulty(seededRandom(1), () => 1, { late: 0.5 })).toThrow('clock');
  });
});
