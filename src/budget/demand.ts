/**
 * Asks consumers for room: as long as somebody waits for it, and where a limit was lowered under what is held.
 *
 * One need is a line in which somebody waits, or a budget that is overfull. Each is asked for on its own, oldest first where
 * several begin together, so a consumer that is slow to answer one tenant holds up no other:
 *
 *   idle ──wake──► asking ──nothing lacks──► idle
 *                    │ ▲
 *      asked in vain ▼ │ somebody new waits first, or the time is over
 *                   pausing                                                          50 ms to 1 s
 *
 * For a line, each turn asks those under its account for what its oldest lacks, and for what those behind it want, up to a small
 * share of the limit: so 10,000 small requests cost a few reclaims, and nothing is dropped that nobody waits for. Live bytes are
 * asked only of consumers that give no later than the most important one that waits there: work of little importance pushes
 * out nothing of more, unless more important work stands behind it, which lends it its priority (Sha, Rajkumar and
 * Lehoczky, 1990); else it would freeze everybody for as long as it waits. A claim on a minimum is owed to its owner by all.
 */
import type { Timer } from '../base/clock.ts';
import { type Account, type Branch, HeapAccount, type Leaf, type Tree } from './account.ts';
import type { Residence } from './consumer.ts';
import { accountOf, servePath, shortfallBytes } from './granting.ts';
import { type ReclaimRun, reclaim } from './reclaim.ts';
import type { WaitingLine } from './waiting-line.ts';

const RECLAIM_DEADLINE_MS = 1_000;
/** At most this share of the limit is asked for on behalf of those behind the oldest. */
const AHEAD_SHARE = 1 / 64;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

type Need = WaitingLine<Leaf> | Branch | HeapAccount;

/** When a need may be asked for again, and how often that was in vain. */
interface Pause {
  readonly untilMs: number;
  readonly vainAsks: number;
  /** For whom it was asked, and with what importance; another oldest, or one of more importance behind it, starts anew. */
  readonly head: unknown;
  readonly leastPriority: number;
}

/** What is asked for a need, of whom. */
type Run = Pick<ReclaimRun, 'account' | 'where' | 'cause' | 'leastPriority' | 'remainingBytes'>;

const ON_HEAP: readonly Residence[] = ['heap'];

export class Demand {
  readonly #tree: Tree;
  readonly #root: Branch;
  readonly #asking = new Set<Need>();
  readonly #pauses = new Map<Need, Pause>();
  #isStarting = false;
  #timer: Timer | null = null;
  #timerMs = 0;

  constructor(root: Branch) {
    this.#tree = root.tree;
    this.#root = root;
  }

  /**
   * Somebody waits who did not before, or in another place; or a budget is overfull. Asks soon, never within the call: the
   * caller may be a consumer.
   */
  wake(): void {
    if (this.#isStarting || this.#tree.closing.signal.aborted) return;
    if (this.#dueNeeds().length === 0) {
      this.#awaitNextTurn();
    } else {
      this.#isStarting = true;
      queueMicrotask(() => this.#start());
    }
  }

  /** Leaves no timer behind. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #start(): void {
    this.#isStarting = false;
    for (const need of this.#dueNeeds()) {
      this.#asking.add(need);
      void this.#askFor(need).finally(() => {
        this.#asking.delete(need);
        this.wake();
      });
    }
    this.#awaitNextTurn();
  }

  async #askFor(need: Need): Promise<void> {
    const before = headOf(need);
    const run = 'head' in need ? this.#runForLine(need) : this.#runForOverfull(need);
    if (run === null) return;
    const shared = { level: 'low', deadlineMs: RECLAIM_DEADLINE_MS, signal: undefined } as const;
    await reclaim({ ...run, ...shared, targetBytes: run.remainingBytes(0) });
    // Time alone may have made room: then there was nobody to ask, and nobody who was served by it.
    servePath(run.account);
    if (this.#isOver(need) || headOf(need) !== before) this.#pauses.delete(need);
    else this.#pause(need);
  }

  #pause(need: Need): void {
    const last = this.#pauses.get(need);
    const vainAsks = last && isFor(need, last) ? last.vainAsks : 0;
    const untilMs = this.#tree.clock.monotonicMs() + Math.min(FIRST_PAUSE_MS * 2 ** vainAsks, LONGEST_PAUSE_MS);
    this.#pauses.set(need, {
      untilMs,
      vainAsks: vainAsks + 1,
      head: headOf(need),
      leastPriority: leastPriorityOf(need),
    });
  }

  #runForLine(line: WaitingLine<Leaf>): Run | null {
    const first = line.head;
    if (first === null) return null;
    const account = accountOf(first);
    return {
      ...this.#askedUnder(account),
      cause: 'growth',
      leastPriority: line === account.claims ? 0 : line.leastPriority,
      remainingBytes: () => {
        const lackBytes = shortfallBytes(account, line);
        const aheadBytes = Math.min(line.bytes, Math.floor(account.effectiveLimitBytes * AHEAD_SHARE));
        return lackBytes === 0 ? 0 : Math.max(lackBytes, aheadBytes);
      },
    };
  }

  #runForOverfull(account: Branch | HeapAccount): Run {
    return {
      ...this.#askedUnder(account),
      cause: 'limit',
      leastPriority: 0,
      remainingBytes: () => account.excessBytes,
    };
  }

  /** What the heap lacks is asked of everybody who lives there. */
  #askedUnder(account: Account): Pick<Run, 'account' | 'where'> {
    return account instanceof HeapAccount ? { account: this.#root, where: ON_HEAP } : { account };
  }

  /** What may be asked for now, the line whose oldest came first before the others. */
  #dueNeeds(): Need[] {
    const nowMs = this.#tree.clock.monotonicMs();
    return this.#needs()
      .filter((need) => this.#dueMs(need) <= nowMs)
      .sort((one, other) => orderOf(one) - orderOf(other));
  }

  /** All that is needed and not being asked for. */
  #needs(): Need[] {
    const { busyLines, overfull } = this.#tree;
    for (const branch of overfull) if (this.#isOver(branch)) overfull.delete(branch);
    for (const need of this.#pauses.keys()) if (this.#isOver(need)) this.#pauses.delete(need);
    return [...overfull, ...busyLines].filter((need) => !this.#asking.has(need));
  }

  #isOver(need: Need): boolean {
    return 'head' in need ? need.head === null : need.isClosed || need.excessBytes === 0;
  }

  #dueMs(need: Need): number {
    const pause = this.#pauses.get(need);
    return pause && isFor(need, pause) ? pause.untilMs : Number.NEGATIVE_INFINITY;
  }

  /** One timer, for the need that may be asked for first. */
  #awaitNextTurn(): void {
    const { clock, closing } = this.#tree;
    const untilMs = this.#needs().reduce((first, need) => Math.min(first, this.#dueMs(need)), Number.POSITIVE_INFINITY);
    if (this.#timer !== null && this.#timerMs === untilMs) return;
    this.close();
    if (untilMs === Number.POSITIVE_INFINITY || closing.signal.aborted) return;
    this.#timerMs = untilMs;
    this.#timer = clock.after(Math.max(0, untilMs - clock.monotonicMs()), () => {
      this.#timer = null;
      this.wake();
    });
  }
}

function isFor(need: Need, pause: Pause): boolean {
  return pause.head === headOf(need) && pause.leastPriority <= leastPriorityOf(need);
}

function leastPriorityOf(need: Need): number {
  return 'head' in need ? need.leastPriority : 0;
}

function headOf(need: Need): unknown {
  return 'head' in need ? need.head : need;
}

function orderOf(need: Need): number {
  return 'head' in need ? (need.head?.order ?? 0) : -1;
}
