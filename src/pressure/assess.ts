/**
 * How bad is it: from a reading to a score, a level and a reason. Pure; what hysteresis must remember is handed in and back.
 *
 * The score is the worst of its terms, each from 0 to 100 with its own reason:
 *
 *   resident   what cannot be reclaimed from outside, over the limit that kills                    (`limit.ts`)
 *   container  the same for a limited group that does not set the limit that counts, but may be fuller
 *   heap       live old objects over the part of the heap limit they can use; before the first major collection the used heap,
 *              which is an upper bound. Never heapUsed/heapTotal, which says nothing (AUROC .54 against .89)
 *   stall      PSI: the share of time in which some, or all, tasks waited for memory; worth no more than what this process holds could
 *              mend: a small process on a machine that others have filled gives what it can and goes on working
 *   …          any term a caller adds (the learned hazard, later)
 *
 * A level is entered as soon as the score reaches its threshold. It is left only after the score has stayed below its lower exit for
 * the whole dwell; any reading at or above the exit starts the dwell anew. So between two falls there is always a dwell, and no
 * sequence of scores makes the level flap faster than that.
 */
import { formatBytes } from '../base/bytes.ts';
import { type Level, levelRank } from '../base/levels.ts';
import { heldBytes } from './limit.ts';
import type { LimitedGroup, Reading, StallState } from './reading.ts';

/** One of the figures the score is the worst of. */
export interface Term {
  readonly name: string;
  /** 0 to 100. */
  readonly score: number;
  readonly reason: string;
  /** Bytes to free until this term falls to the exit of `moderate`; 0 when it is below. */
  readonly excessBytes: number;
  /** Where they must be freed to count; anywhere when left out. */
  readonly where?: 'heap';
}

/** How bad it is, why, and how many bytes would mend it. */
export interface Assessment {
  /** 0 to 100: the worst of the terms. */
  readonly score: number;
  readonly level: Level;
  /** The reason of the worst term. */
  readonly reason: string;
  /** Bytes to free to come to the exit of `moderate`: the larger of the two that follow. */
  readonly targetBytes: number;
  /** Bytes the process must come down by, wherever they live in it. */
  readonly processTargetBytes: number;
  /** Bytes the heap must come down by. */
  readonly heapTargetBytes: number;
  /** Worst first. */
  readonly terms: readonly Term[];
}

/** What one assessment hands to the next. */
export interface AssessState {
  readonly level: Level;
  /** Monotonic time since which the score has been below the exit of `level`; null while it is not. */
  readonly calmSinceMs: number | null;
}

export const CALM: AssessState = { level: 'low', calmSinceMs: null };

export type RaisedLevel = Exclude<Level, 'low'>;

export interface LevelRules {
  /** Scores, 0 to 100; each `exit` below its `enter`, both rising from level to level. */
  readonly thresholds: Readonly<Record<RaisedLevel, { readonly enter: number; readonly exit: number }>>;
  /** How long the score must stay below an exit. */
  readonly dwellMs: number;
}

export const DEFAULT_RULES: LevelRules = {
  thresholds: {
    moderate: { enter: 70, exit: 65 },
    high: { enter: 80, exit: 75 },
    critical: { enter: 90, exit: 85 },
  },
  dwellMs: 5_000,
};

/** A term from outside this room; null when it has nothing to say about this reading. */
export type Scorer = (reading: Reading) => Term | null;

export interface AssessOptions {
  /** Monotonic. */
  readonly nowMs: number;
  readonly rules?: LevelRules;
  readonly scorer?: Scorer | undefined;
}

export function assess(
  reading: Reading,
  state: AssessState,
  options: AssessOptions,
): { readonly assessment: Assessment; readonly state: AssessState } {
  const { nowMs, rules = DEFAULT_RULES, scorer } = options;
  const exitShare = rules.thresholds.moderate.exit / 100;
  const terms = [residentTerm(reading, exitShare), heapTerm(reading, exitShare)];
  for (const { path, limitBytes, heldBytes } of otherGroups(reading)) {
    terms.push(shareTerm({ name: 'container', what: `container ${path}`, bytes: heldBytes, limitBytes, exitShare }));
  }
  if (reading.stall) {
    const fullness = Math.max(...terms.map(({ score }) => score));
    terms.push(stallTerm(reading.stall, { exitShare, heldBytes: heldBytes(reading), fullness, rules }));
  }
  const extra = scorer?.(reading);
  if (extra) terms.push(checked(extra));
  terms.sort((one, other) => other.score - one.score);
  const [worst] = terms as [Term, ...Term[]];
  const next = nextState(worst.score, state, { nowMs, rules });
  const most = (of: readonly Term[]) => Math.ceil(Math.max(0, ...of.map(({ excessBytes }) => excessBytes)));
  return {
    assessment: {
      score: Math.round(worst.score * 10) / 10,
      level: next.level,
      reason: worst.reason,
      targetBytes: most(terms),
      processTargetBytes: most(terms.filter(({ where }) => where === undefined)),
      heapTargetBytes: most(terms.filter(({ where }) => where === 'heap')),
      terms,
    },
    state: next,
  };
}

/** The hysteresis alone. */
export function nextState(
  score: number,
  state: AssessState,
  { nowMs, rules }: { nowMs: number; rules: LevelRules },
): AssessState {
  const entered = levelBy(score, 'enter', rules);
  if (levelRank(entered) > levelRank(state.level)) return { level: entered, calmSinceMs: null };
  if (state.level === 'low' || score >= rules.thresholds[state.level].exit)
    return { level: state.level, calmSinceMs: null };
  const calmSinceMs = state.calmSinceMs ?? nowMs;
  if (nowMs - calmSinceMs < rules.dwellMs) return { level: state.level, calmSinceMs };
  return { level: levelBy(score, 'exit', rules), calmSinceMs: null };
}

const RAISED = ['critical', 'high', 'moderate'] as const;

function levelBy(score: number, threshold: 'enter' | 'exit', rules: LevelRules): Level {
  return RAISED.find((level) => score >= rules.thresholds[level][threshold]) ?? 'low';
}

function residentTerm(reading: Reading, exitShare: number): Term {
  const what = reading.limit.source === 'cgroup' ? 'container anon' : 'anon';
  return shareTerm({ name: 'resident', what, bytes: heldBytes(reading), limitBytes: reading.limit.bytes, exitShare });
}

/** The container's own group is the resident term where its limit is the tightest; else neighbours can still fill it. */
function otherGroups({ limit, container }: Reading): LimitedGroup[] {
  const groups = container?.fullerGroup ? [container.fullerGroup] : [];
  if (container?.limitBytes === undefined || limit.source === 'cgroup') return groups;
  const { path = '', limitBytes, anonBytes, unreclaimableKernelBytes } = container;
  return [...groups, { path, limitBytes, heldBytes: anonBytes + unreclaimableKernelBytes }];
}

function heapTerm({ heap }: Reading, exitShare: number): Term {
  const isKnown = heap.liveBytes !== undefined;
  const term = shareTerm({
    name: 'heap',
    what: isKnown ? 'live heap' : 'used heap (no major collection yet)',
    bytes: heap.liveBytes ?? heap.usedBytes,
    limitBytes: heap.usableLimitBytes,
    exitShare,
  });
  return { ...term, where: 'heap' };
}

/** What somebody else has computed, kept within the scale. */
function checked(term: Term): Term {
  const { score, excessBytes } = term;
  return { ...term, score: clamped(score), excessBytes: Number.isFinite(excessBytes) ? Math.max(0, excessBytes) : 0 };
}

function shareTerm(of: { name: string; what: string; bytes: number; limitBytes: number; exitShare: number }): Term {
  return {
    name: of.name,
    score: clamped((100 * of.bytes) / of.limitBytes),
    reason: `${of.what} ${formatShare(of.bytes, of.limitBytes)}`,
    excessBytes: Math.max(0, of.bytes - of.exitShare * of.limitBytes),
  };
}

/** `412 of 512 MB`, `12 KB of 1 GB` */
function formatShare(bytes: number, limitBytes: number): string {
  const [amount, unit] = formatBytes(bytes).split(' ');
  const limit = formatBytes(limitBytes);
  return limit.endsWith(` ${unit}`) ? `${amount} of ${limit}` : `${amount} ${unit} of ${limit}`;
}

/**
 * Points of the stall scale: percent of time to score. Between what the kernel's users act on: userspace killers end processes at some
 * tens of percent of full stall (oomd: 60 % for 30 s), and 10 % of some stall is where latency is felt (lmkd: 70 ms in 1 s).
 */
const SOME_SCALE = [0, 0, 10, 70, 40, 90, 100, 100] as const;
const FULL_SCALE = [0, 0, 5, 80, 15, 90, 40, 100] as const;
/** Stall does not say how many bytes would end it, so what is held is given back a little at a time. */
const STALL_STEP_SHARE = 0.05;

function stallTerm(
  stall: StallState,
  of: { exitShare: number; heldBytes: number; fullness: number; rules: LevelRules },
): Term {
  const { exitShare, heldBytes, fullness, rules } = of;
  const stalled = Math.max(along(SOME_SCALE, stall.someAvg10), along(FULL_SCALE, stall.fullAvg10));
  const score = Math.min(stalled, mostForStall(fullness, rules));
  return {
    name: 'stall',
    score,
    reason: `stalled on memory ${stall.someAvg10.toFixed(1)} % of the time (all tasks ${stall.fullAvg10.toFixed(1)} %)`,
    excessBytes: score >= 100 * exitShare ? heldBytes * STALL_STEP_SHARE : 0,
  };
}

/** Below which share of its limits a process cannot be what the machine lacks: half of where its own pressure begins. */
const SMALL_SHARE = 0.5;

/** Stall makes a process shed work only when it is itself at least moderately full, and is `high` only when it is not small. */
function mostForStall(fullness: number, { thresholds }: LevelRules): number {
  if (fullness >= thresholds.moderate.exit) return 100;
  const level = fullness >= SMALL_SHARE * thresholds.moderate.exit ? 'critical' : 'high';
  return Math.max(0, thresholds[level].enter - 1);
}

/** Linear between the points x0, y0, x1, y1, … */
function along(points: readonly number[], x: number): number {
  for (let index = 2; index < points.length; index += 2) {
    const [x0, y0, x1, y1] = points.slice(index - 2, index + 2) as [number, number, number, number];
    if (x <= x1) return clamped(y0 + ((x - x0) / (x1 - x0)) * (y1 - y0));
  }
  return 100;
}

/** A figure that is no number is no pressure; the sensor that made it is reported elsewhere. */
function clamped(score: number): number {
  return Number.isNaN(score) ? 0 : Math.min(100, Math.max(0, score));
}
