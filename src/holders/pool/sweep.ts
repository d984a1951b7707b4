/** What a pool looks after now and then: how often, which idle objects are due for what, how long each may live. */
import type { Entry, EntryList } from './entry.ts';
import type { CheckedOptions } from './pool-options.ts';

const LONGEST_SWEEP_MS = 1_000;
const SHORTEST_SWEEP_MS = 10;

/** Often enough for the shortest time that matters. */
export function sweepIntervalMs<T>(options: CheckedOptions<T>): number {
  const { idleTimeoutMs, maxLifetimeMs, heldTooLongMs, checkIntervalMs, check } = options;
  const ownMs = check ? checkIntervalMs : Number.POSITIVE_INFINITY;
  const shortestMs = Math.min(idleTimeoutMs, maxLifetimeMs, heldTooLongMs, ownMs);
  return Math.min(LONGEST_SWEEP_MS, Math.max(SHORTEST_SWEEP_MS, Math.floor(shortestMs / 4)));
}

/** An idle entry and what it is due for: to be destroyed for a cause, or checked. */
export interface Due<T> {
  readonly entry: Entry<T>;
  readonly what: 'idle' | 'lifetime' | 'check';
}

/**
 * Idle entries that are due, longest idle first. No more than `spare` leave for being idle; at most half of the idle are away for a check at
 * once, `tended` of all being away already.
 */
export function dueOf<T>(
  idle: EntryList<T>,
  options: CheckedOptions<T>,
  now: { nowMs: number; spare: number; tended: number },
): Due<T>[] {
  const { idleTimeoutMs, check, checkIntervalMs } = options;
  const { nowMs } = now;
  let { spare } = now;
  let checks = check === undefined ? 0 : Math.ceil(idle.size / 2) - now.tended;
  const due: Due<T>[] = [];
  for (const entry of idle) {
    if (nowMs - entry.sinceMs >= idleTimeoutMs && spare > 0) {
      spare--;
      due.push({ entry, what: 'idle' });
    } else if (entry.expiresAtMs <= nowMs) {
      spare--;
      due.push({ entry, what: 'lifetime' });
    } else if (nowMs - entry.goodAtMs >= checkIntervalMs && checks > 0) {
      checks--;
      due.push({ entry, what: 'check' });
    }
  }
  return due;
}

/** How long a new object is to live: less than the maximum by chance, so that not all end together. */
export function lifetimeMs<T>({ maxLifetimeMs, lifetimeJitter, random }: CheckedOptions<T>): number {
  return maxLifetimeMs === Number.POSITIVE_INFINITY ? maxLifetimeMs : maxLifetimeMs * (1 - lifetimeJitter * random());
}
