/**
 * Carrying out a reclaim: plan, ask one consumer after the other, look at the books, plan again.
 *
 * One at a time and in the order of the plan, so that dear bytes are not asked for while cheap ones are on their way,
 * and the asking stops as soon as enough has come. Time is divided: each consumer still to be asked has an equal part
 * of what is left, 100 ms at least, so one that hangs takes its own part and not the others'. Who failed, or gave less than it was
 * asked, is not asked twice in one reclaim.
 *
 * Reclaims may overlap (a request of the responder does not wait for a waiting `grow`); a consumer is never asked by
 * two at once.
 */
import type { Level } from '../base/levels.ts';
import type { Account, Leaf } from './account.ts';
import { type Answer, ask } from './asking.ts';
import type { ReclaimEnd, ReclaimedEvent } from './budget-events.ts';
import { candidatesUnder, isAskable } from './candidates.ts';
import type { Residence } from './consumer.ts';
import { planReclaim } from './reclaim-plan.ts';

/** Plans per reclaim: the first is usually enough; the others make up for what was not delivered. */
const MAX_PLANS = 4;

/** Least time for one consumer, while there is any: dividing what is left among many would judge all that write to a disk hung. */
const LEAST_SLICE_MS = 100;

/**
 * What a reclaim did, in three numbers: claimed, shown by the books, and (added by the one who measures) gone from
 * the process.
 */
export interface ReclaimOutcome {
  /** Path of the budget it was for. */
  readonly path: string;
  readonly level: Level;
  readonly targetBytes: number;
  readonly claimedBytes: number;
  readonly accountedBytes: number;
  /** Fall of resident memory measured afterwards; null until somebody has measured. */
  readonly residentDropBytes: number | null;
  readonly tookMs: number;
  readonly end: ReclaimEnd;
  /** One for each asking, in order. */
  readonly answers: readonly Answer[];
}

export interface ReclaimRun {
  readonly account: Account;
  readonly cause: ReclaimedEvent['cause'];
  readonly level: Level;
  readonly targetBytes: number;
  /** For the whole reclaim, in milliseconds. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
  /** Live bytes are asked only of this priority and above. */
  readonly leastPriority: number;
  /** Only consumers whose bytes live there. */
  readonly where?: readonly Residence[] | undefined;
  /** What is still needed after the books have shown `accountedBytes`. */
  remainingBytes(accountedBytes: number): number;
}

/** Runs until enough has come free, nobody is left to ask, or time is over. Never rejects for what a consumer does. */
export async function reclaim(run: ReclaimRun): Promise<ReclaimOutcome> {
  const { clock, emit, closing } = run.account.tree;
  const startMs = clock.monotonicMs();
  const answers: Answer[] = [];
  const done = new Set<Leaf>();
  let claimedBytes = 0;
  let accountedBytes = 0;
  const leftMs = () => startMs + run.deadlineMs - clock.monotonicMs();
  const ending = (): ReclaimEnd | null => {
    if (closing.signal.aborted) return 'aborted';
    if (run.remainingBytes(accountedBytes) <= 0) return 'reached';
    if (run.signal?.aborted) return 'aborted';
    return leftMs() <= 0 ? 'deadline' : null;
  };

  let end = ending();
  let plansLeft = MAX_PLANS;
  let forgiving = false;
  while (end === null) {
    const choice = { where: run.where, forgiving };
    const steps = planReclaim({
      targetBytes: run.remainingBytes(accountedBytes),
      candidates: plansLeft > 0 ? candidatesUnder(run.account, choice).filter(({ leaf }) => !done.has(leaf)) : [],
      leastPriority: run.leastPriority,
    });
    plansLeft--;
    if (steps.length === 0) {
      // At critical those who broke their word are asked as well, once the others have nothing left.
      if (forgiving || run.level !== 'critical') end = 'exhausted';
      forgiving = true;
      plansLeft = 1;
    }
    const left = new Set(steps.map(({ candidate }) => candidate.leaf));
    for (const step of steps) {
      const { leaf } = step.candidate;
      const targetBytes = Math.min(
        step.askBytes,
        neededAsk(leaf, run.remainingBytes(accountedBytes)),
        spareBytes(leaf, run.account),
      );
      if (targetBytes <= 0 || !isAskable(leaf, choice) || done.has(leaf)) continue;
      const slice = {
        targetBytes,
        kind: step.kind,
        level: run.level,
        deadlineMs: Math.max(0, Math.min(leftMs(), Math.max(LEAST_SLICE_MS, leftMs() / Math.max(1, left.size)))),
        signal: run.signal,
      };
      const asked = ask(leaf, slice);
      const answer = asked instanceof Promise ? await asked : asked;
      left.delete(leaf);
      answers.push(answer);
      claimedBytes += answer.claimedBytes;
      accountedBytes += answer.accountedBytes;
      if (answer.failure || answer.accountedBytes < targetBytes) done.add(leaf);
      end = ending();
      if (end !== null) break;
    }
  }

  const tookMs = clock.monotonicMs() - startMs;
  const { path } = run.account;
  const { cause, level, targetBytes } = run;
  if (answers.length > 0 || (cause === 'request' && end !== 'reached')) {
    const asked = answers.map((answer) => answer.path);
    emit({
      type: 'budget.reclaimed',
      atMs: clock.nowMs(),
      path,
      cause,
      level,
      targetBytes,
      claimedBytes,
      accountedBytes,
      tookMs,
      end,
      asked,
    });
  }
  return { path, level, targetBytes, claimedBytes, accountedBytes, residentDropBytes: null, tookMs, end, answers };
}

/** Enough to make up for what the consumer usually withholds. */
function neededAsk(leaf: Leaf, remainingBytes: number): number {
  return Math.ceil(remainingBytes / leaf.trust.yieldRatio);
}

/** What `leaf` may lose now, so that neither it nor a budget between it and `account` falls below a minimum. */
function spareBytes(leaf: Leaf, account: Account): number {
  let leastBytes = leaf.reservedBytes - leaf.minBytes;
  for (let each: Account | null = leaf; each !== null && each !== account; each = each.parent) {
    if (each.minBytes > 0) leastBytes = Math.min(leastBytes, each.committedBytes - each.minBytes);
  }
  return leastBytes;
}
