/**
 * Asks consumers for room as long as somebody waits for it.
 *
 *   idle ──wake──► asking ──nobody waits──► idle
 *                    │ ▲
 *      asked in vain ▼ │ somebody new waits first, or the time is over
 *                   pausing
 *
 * One loop for a root. Each turn takes the line whose oldest has waited longest and asks those under its account for
 * what the oldest lacks, and for what those behind it want, up to a small share of the limit: so 10,000 small
 * requests cost a few reclaims, and nothing is dropped that nobody waits for. Live bytes are asked only of consumers
 * that give no later than the one that waits: work of little importance pushes out nothing of more. A line for which
 * nothing came is left alone for a while, 50 ms to 1 s.
 */
import type { Timer } from '../base/clock.ts';
import type { Leaf, Tree } from './account.ts';
import { accountOf, shortfallBytes } from './granting.ts';
import { reclaim } from './reclaim.ts';
import type { WaitingLine } from './waiting-line.ts';

const RECLAIM_DEADLINE_MS = 1_000;
/** At most this share of the limit is asked for on behalf of those behind the oldest. */
const AHEAD_SHARE = 1 / 64;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

export class Demand {
  readonly #tree: Tree;
  #isAsking = false;
  #pause: Timer | null = null;
  #pauseUntilMs = 0;

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  /**
   * Somebody waits who did not before, or in another place. Asks soon, never within the call: the caller may be a
   * consumer.
   */
  wake(): void {
    if (this.#isAsking || this.#tree.closing.signal.aborted) return;
    if (this.#nextLine() === null) {
      this.#pauseUntilNextTurn();
    } else {
      this.#isAsking = true;
      queueMicrotask(() => void this.#askWhileSomebodyWaits());
    }
  }

  /** Leaves no timer behind. */
  close(): void {
    this.#pause?.cancel();
    this.#pause = null;
  }

  async #askWhileSomebodyWaits(): Promise<void> {
    for (let line = this.#nextLine(); line !== null; line = this.#nextLine()) await this.#askFor(line);
    this.#isAsking = false;
    this.#pauseUntilNextTurn();
  }

  async #askFor(line: WaitingLine<Leaf>): Promise<void> {
    const first = line.head;
    if (first === null) return;
    const account = accountOf(first);
    const remainingBytes = () => {
      const lackBytes = shortfallBytes(account, line);
      const aheadBytes = Math.min(line.bytes, Math.floor(account.effectiveLimitBytes * AHEAD_SHARE));
      return lackBytes === 0 ? 0 : Math.max(lackBytes, aheadBytes);
    };
    await reclaim({
      account,
      cause: 'growth',
      level: 'low',
      targetBytes: remainingBytes(),
      deadlineMs: RECLAIM_DEADLINE_MS,
      signal: undefined,
      leastPriority: first.owner.priority,
      remainingBytes,
    });
    if (line.head !== first) return;
    line.askAgainMs = this.#tree.clock.monotonicMs() + Math.min(FIRST_PAUSE_MS * 2 ** line.vainAsks, LONGEST_PAUSE_MS);
    line.vainAsks++;
  }

  /** Of the lines that may be asked for now, the one whose oldest came first. */
  #nextLine(): WaitingLine<Leaf> | null {
    const nowMs = this.#tree.clock.monotonicMs();
    let next: WaitingLine<Leaf> | null = null;
    for (const line of this.#tree.busyLines) {
      if (line.askAgainMs <= nowMs && (next === null || line.hasOlderThan(next.head?.order ?? 0))) next = line;
    }
    return next;
  }

  /** One timer, for the line that may be asked for first. */
  #pauseUntilNextTurn(): void {
    const { busyLines, clock, closing } = this.#tree;
    let untilMs = Number.POSITIVE_INFINITY;
    for (const line of busyLines) untilMs = Math.min(untilMs, line.askAgainMs);
    if (this.#pause !== null && this.#pauseUntilMs === untilMs) return;
    this.close();
    if (untilMs === Number.POSITIVE_INFINITY || closing.signal.aborted) return;
    this.#pauseUntilMs = untilMs;
    this.#pause = clock.after(Math.max(0, untilMs - clock.monotonicMs()), () => {
      this.#pause = null;
      this.wake();
    });
  }
}
