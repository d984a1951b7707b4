/**
 * When to come again: an honest Retry-After, from what was measured.
 *
 *   budget     bytes lacking, and those that others wait for, over the rate at which room comes free: tickets released, and whatever
 *              else makes room (consumers that give, regrowth after pressure)
 *   quota      as long as a ticket is held on average: open tickets over tickets released a second (Little's law)
 *   pressure   what spells of pressure have lasted on average, less what this one has lasted; never under the least time pressure takes to
 *              be believed over
 *   circuit    the rest of its pause
 *   too_large  never
 *
 * Where nothing has come free yet there is no rate to divide by; then the best guess is that it takes as long again as it has taken so
 * far. A hint is lengthened by up to a third by chance, never shortened.
 */
import type { Random } from '../../base/random.ts';
import { DecayedRate } from './decayed-rate.ts';

const LEAST_MS = 50;
const LONGEST_MS = 45_000;
const JITTER_SHARE = 1 / 3;
/** Before anything was measured. */
const FIRST_GUESS_MS = 1_000;
/** The dwell of a level (`assess.ts`): pressure is not over sooner. */
const LEAST_PRESSURE_MS = 5_000;
/** Samples closer together than this would measure the clock. */
const LEAST_SAMPLE_MS = 50;

/** The state of the tickets at one moment. */
export interface TicketTotals {
  /** Since the beginning. */
  readonly releasedTickets: number;
  /** Since the beginning. */
  readonly releasedBytes: number;
  /** What tickets hold, and what is free. */
  readonly roomBytes: number;
}

export class RetryHints {
  readonly #random: Random;
  readonly #bytes = new DecayedRate();
  readonly #tickets = new DecayedRate();
  #last: (TicketTotals & { readonly atMs: number }) | null = null;

  constructor(random: Random) {
    this.#random = random;
  }

  /** True when enough time has passed since the last sample. */
  wantsSample(nowMs: number): boolean {
    return this.#last === null || nowMs - this.#last.atMs >= LEAST_SAMPLE_MS;
  }

  /** Takes in what has come free since the last sample. */
  sample(nowMs: number, totals: TicketTotals): void {
    const last = this.#last;
    this.#last = { ...totals, atMs: nowMs };
    if (last === null) return;
    const spanMs = nowMs - last.atMs;
    // Room that others took or gave is seen as a change of what tickets hold and what is free together.
    const freedBytes = totals.releasedBytes - last.releasedBytes + totals.roomBytes - last.roomBytes;
    this.#bytes.add(Math.max(0, freedBytes), spanMs);
    this.#tickets.add(totals.releasedTickets - last.releasedTickets, spanMs);
  }

  /** `lackBytes` must come free first. */
  forBudget({ lackBytes, elapsedMs }: { lackBytes: number; elapsedMs: number }): number {
    return this.#jittered(timeFor(lackBytes, this.#bytes.perSecond) ?? Math.max(FIRST_GUESS_MS, elapsedMs));
  }

  /** One of `openTickets` must be released first. */
  forQuota({ openTickets, elapsedMs }: { openTickets: number; elapsedMs: number }): number {
    return this.#jittered(timeFor(openTickets, this.#tickets.perSecond) ?? Math.max(FIRST_GUESS_MS, elapsedMs));
  }

  /** The spell has lasted `elapsedMs`; earlier ones lasted `meanMs`, or 0. */
  forPressure({ elapsedMs, meanMs }: { elapsedMs: number; meanMs: number }): number {
    const restMs = elapsedMs < meanMs ? meanMs - elapsedMs : elapsedMs;
    return this.#jittered(Math.max(LEAST_PRESSURE_MS, restMs));
  }

  /** A time that is known. */
  forPause(remainingMs: number): number {
    return this.#jittered(remainingMs);
  }

  #jittered(ms: number): number {
    return Math.ceil(Math.min(Math.max(ms, LEAST_MS), LONGEST_MS) * (1 + JITTER_SHARE * this.#random()));
  }
}

/** Null where nothing comes. */
function timeFor(amount: number, perSecond: number | null): number | null {
  return perSecond === null || perSecond <= 0 ? null : (1000 * amount) / perSecond;
}
