/**
 * Fault injection: a function of the user's that fails by chance, and always the same way for the same seed.
 *
 * Everything Tenure calls that others wrote — factories, validators, destroyers, loaders, reclaims — may throw, reject, hang or come late. `faulty`
 * wraps such a function so that it does, at the rates a test chooses. The faults are drawn from the `Random` handed in, one draw for each
 * call: a failing run is replayed by its seed. Late is told in the time of the clock handed in, so a simulation never sleeps.
 */
import { type Clock, wait } from '../base/clock.ts';
import type { Random } from '../base/random.ts';

/** What a faulty call may do. `ok` is to do its work. */
export type Fault = 'ok' | 'throws' | 'rejects' | 'hangs' | 'late';

/** Chances from 0 to 1, together at most 1; what is left of 1 is for calls that do their work. */
export interface FaultRates {
  /** Throws within the call. */
  readonly throws?: number;
  /** Returns a promise that rejects. */
  readonly rejects?: number;
  /** Returns a promise that never settles. */
  readonly hangs?: number;
  /** Does its work, and answers after `lateMs`. Needs `clock`. */
  readonly late?: number;
  /** How late: a number, or a range drawn from. 1,000 ms by default. */
  readonly lateMs?: number | { readonly low: number; readonly high: number };
  readonly clock?: Clock;
  /** Hears what each call does, in order: for tests that count. */
  readonly onCall?: (fault: Fault) => void;
  /** Off for as long as this says so: for tests that end in calm. */
  readonly isOn?: () => boolean;
}

/** What a faulty function throws or rejects with. */
export class InjectedFault extends Error {
  override readonly name = 'InjectedFault';
}

/**
 * `work`, made unreliable. The answer of a call that is not to fail is what `work` answers, in the same form.
 *
 * @example
 * const random = seededRandom(7);
 * const create = faulty(random, () => new Connection(), { throws: 0.1, hangs: 0.05, late: 0.1, clock });
 */
export function faulty<A extends unknown[], R>(
  random: Random,
  work: (...args: A) => R | PromiseLike<R>,
  rates: FaultRates,
): (...args: A) => R | Promise<R> {
  const { throws = 0, rejects = 0, hangs = 0, late = 0, lateMs = 1_000, clock, onCall, isOn } = rates;
  const sum = throws + rejects + hangs + late;
  if (!(Math.min(throws, rejects, hangs, late) >= 0 && sum <= 1)) {
    throw new RangeError(`Chances must not be negative, nor together above 1; got ${sum}.`);
  }
  if (late > 0 && clock === undefined) throw new RangeError('To be late needs a clock.');
  const draw = (): Fault => {
    let left = random();
    if (isOn && !isOn()) return 'ok';
    for (const [fault, chance] of Object.entries({ throws, rejects, hangs, late }) as [Fault, number][]) {
      if (left < chance) return fault;
      left -= chance;
    }
    return 'ok';
  };
  return (...args) => {
    const fault = draw();
    onCall?.(fault);
    switch (fault) {
      case 'throws':
        throw new InjectedFault('thrown by chance');
      case 'rejects':
        return Promise.reject(new InjectedFault('rejected by chance'));
      case 'hangs':
        return new Promise(() => {});
      case 'late': {
        const delayMs = typeof lateMs === 'number' ? lateMs : lateMs.low + random() * (lateMs.high - lateMs.low);
        return wait(clock!, delayMs).then(() => work(...args));
      }
      default:
        return work(...args) as R | Promise<R>;
    }
  };
}
