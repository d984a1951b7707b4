/**
 * How we wait for a lock that another process holds: hardly in SQLite, which would block the event loop, and then on the
 * clock, with pauses that grow and are drawn at random so that waiting processes do not meet again (exponential back-off with
 * jitter).
 */
import { type Clock, wait } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import { StoreLockedError } from '../storage-errors.ts';
import { isBusy } from './sqlite-errors.ts';

const LONGEST_PAUSE_MS = 50;

/** The pause before attempt number `attempt` (from 0): 1 to 50 ms. */
export function lockPauseMs(attempt: number, random: Random): number {
  return 1 + random() * Math.min(LONGEST_PAUSE_MS - 1, 2 ** attempt);
}

/** Calls `attempt` until it does not meet a lock. Throws `StoreLockedError` after `timeoutMs`, every other error at once. */
export async function untilUnlocked<T>(
  attempt: () => T,
  options: { path: string; clock: Clock; random: Random; timeoutMs: number },
): Promise<T> {
  const startMs = options.clock.monotonicMs();
  for (let attempts = 0; ; attempts++) {
    try {
      return attempt();
    } catch (cause) {
      if (!isBusy(cause)) throw cause;
      const waitedMs = options.clock.monotonicMs() - startMs;
      if (waitedMs >= options.timeoutMs) throw new StoreLockedError({ path: options.path, waitedMs, cause });
    }
    await wait(options.clock, lockPauseMs(attempts, options.random));
  }
}
