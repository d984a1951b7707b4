/**
 * The fast reflex: from an assessment to bytes reclaimed, within milliseconds of the reading.
 *
 *   low       nothing; the budget lets bytes regrow at its own rate
 *   moderate  ask the budget for the target: expired and idle things, then caches
 *   high      the same, then one garbage collection, if so much was freed that it pays
 *   critical  half as much again, a collection in any case, and `shedding`: new work is to be refused; what a lesser level is still
 *             asking for is called off
 *
 * What the heap has too much of is asked from consumers on the heap alone: vectors dropped for it would bring no relief.
 *
 * **Measured.** A response (`response.ts`) is over when the relief has come, or a major collection has run and the sweeper has had its
 * time, or after 30 s (10 s at high, 5 s at critical); then it is told, once. Until then only a worse level is answered again.
 *
 * **Not for bytes that eviction cannot return.** Objects dropped from a cache leave the process only with a collection, and the
 * allocator may keep their pages even then. Both are *retained* (`books.ts`): they serve the next allocation, so they are taken off the
 * next target. Only at critical does that not count, once a collection has run. While responses bring no relief, the pause between
 * them doubles, from 1 s up to 60 s (10 s at critical).
 *
 * It also sets what the root budget may hand out (`budget-limit.ts`), and what of it on the heap (`heap-allowance.ts`). Under `observeOnly` it measures and plans, and touches nothing.
 */
import { formatBytes, MIB } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { ClosedError } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import { isAtLeast, type Level, levelRank } from '../base/levels.ts';
import type { Residence } from '../budget/consumer.ts';
import type { Assessment } from './assess.ts';
import { Books } from './books.ts';
import { budgetLimitBytes } from './budget-limit.ts';
import { type BudgetPort, IN_PROCESS, reservedInProcess } from './budget-port.ts';
import type { CollectionGate } from './collection-gate.ts';
import { HeapAllowance } from './heap-allowance.ts';
import { heldBytes } from './limit.ts';
import type { PlannedEvent, RespondedEvent, SheddingChangedEvent } from './pressure-events.ts';
import type { Reading } from './reading.ts';
import { Response } from './response.ts';

export interface ResponderOptions {
  readonly clock: Clock;
  readonly events: EventSink<RespondedEvent | PlannedEvent | SheddingChangedEvent>;
  readonly budget: BudgetPort;
  readonly gate: CollectionGate;
  /** Share of the limit a full budget may bring the process to, 0 to 1: the exit of `moderate`. */
  readonly fullShare: number;
  readonly settings: ResponderSettings;
}

/** What may change while it runs. */
export interface ResponderSettings {
  readonly observeOnly: boolean;
  /** Held bytes from which a response at `moderate` may collect too. */
  readonly collectAboveBytes?: ((limitBytes: number) => number) | undefined;
}

const ON_HEAP: readonly Residence[] = ['heap'];
/** Less is not worth asking for. */
const LEAST_BYTES = MIB / 4;
const CRITICAL_FACTOR = 1.5;
const RECLAIM_DEADLINE_MS = 1_000;
/** A collection must be expected to free this share of the limit, and 4 MB at least. */
const COLLECT_SHARE = 0.02;
const COLLECT_LEAST_BYTES = 4 * MIB;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
const LONGEST_CRITICAL_PAUSE_MS = 10_000;
/** The budget's limits are left alone for changes below this share of the process's, or the heap's. */
const LIMIT_STEP_SHARE = 0.01;
/** What was done is told with alerts for so long. */
const REMEMBERED_MS = 600_000;

export class Responder implements AsyncDisposable {
  readonly #options: ResponderOptions;
  readonly #books = new Books();
  readonly #heapAllowance: HeapAllowance;
  #settings: ResponderSettings;
  #isClosed = false;
  /** Calls off the reclaim under way. */
  #reclaiming = new AbortController();
  #acting: Promise<void> | null = null;
  #response: Response | null = null;
  /** The level last acted at, or a lower one the assessment has come to since. */
  #answeredLevel: Level = 'low';
  #vainResponses = 0;
  #majors = 0;
  #majorSeenMs = Number.NEGATIVE_INFINITY;
  /** By the books, since the last major collection: what the next one can be expected to free. */
  #freedSinceMajorBytes = 0;
  #freedHeapSinceMajorBytes = 0;
  #nextMs = Number.NEGATIVE_INFINITY;
  #setBytes = Number.NaN;
  #setHeapBytes = Number.NaN;
  #shedding = false;
  #done: { readonly text: string; readonly atMs: number } | null = null;

  constructor(options: ResponderOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.#heapAllowance = new HeapAllowance(options.fullShare);
  }

  /** New work is to be refused. Never set under `observeOnly`. */
  get shedding(): boolean {
    return this.#shedding;
  }

  /** Drift, retained and baseline; see `books.ts`. */
  get books(): Pick<Books, 'baselineBytes' | 'driftBytes' | 'retainedBytes' | 'outsideBytes'> {
    return this.#books;
  }

  /** What was done in the last ten minutes, for people; null when nothing was. */
  get done(): string | null {
    const { clock } = this.#options;
    return this.#done && clock.monotonicMs() - this.#done.atMs < REMEMBERED_MS ? this.#done.text : null;
  }

  /** Takes in one reading; what it sets off runs on by itself. */
  observe(reading: Reading, assessment: Assessment): void {
    if (this.#isClosed) throw new ClosedError('The responder');
    const { clock, budget } = this.#options;
    const nowMs = clock.monotonicMs();
    const held = heldBytes(reading);
    this.#books.update(nowMs, { heldBytes: held, reservedBytes: reservedInProcess(budget) });
    if (!this.#settings.observeOnly) {
      this.#setBudgetLimits(reading);
      this.#setShedding(assessment);
    }
    this.#noteMajors(nowMs, reading.collection.majors ?? 0);
    this.#measure(nowMs, { heldBytes: held, excessBytes: assessment.targetBytes });
    this.#respond(nowMs, reading, assessment);
  }

  /** Puts other settings in force. Told to observe only, it stops shedding and lifts the limit it had set. */
  reconfigure(settings: ResponderSettings, reading: Reading | null): void {
    const { observeOnly } = this.#settings;
    this.#settings = settings;
    if (observeOnly === settings.observeOnly) return;
    this.#answeredLevel = 'low';
    this.#nextMs = Number.NEGATIVE_INFINITY;
    if (observeOnly) return;
    this.#reclaiming.abort(new ClosedError('The response'));
    this.#tellShedding(false, 'observe_only was set');
    const { budget } = this.#options;
    if (reading) budget.setLimit(Math.max(reading.limit.bytes, budget.minimumsBytes));
    budget.setHeapLimit(Number.MAX_SAFE_INTEGER);
    this.#setBytes = Number.NaN;
    this.#setHeapBytes = Number.NaN;
  }

  /** Calls off what is running and waits for it to end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#reclaiming.abort(new ClosedError('The responder'));
    await this.#acting;
  }

  /** What is over then is pressure, and answered as such: measured, and not for bytes that eviction cannot return. */
  #setBudgetLimits(reading: Reading): void {
    const { budget, fullShare } = this.#options;
    const limitBytes = reading.limit.bytes;
    const headroomBytes = (1 - fullShare) * limitBytes;
    const allowedBytes = budgetLimitBytes({ limitBytes, outsideBytes: this.#books.outsideBytes, headroomBytes });
    const bytes = Math.max(allowedBytes, budget.minimumsBytes);
    if (isStep(bytes, { from: this.#setBytes, of: limitBytes })) {
      this.#setBytes = bytes;
      budget.setLimit(bytes, { reclaim: false });
    }
    const heapBytes = Math.max(
      this.#heapAllowance.allowedBytes(reading, budget.reservedByResidence.heap),
      budget.heapMinimumsBytes,
    );
    if (isStep(heapBytes, { from: this.#setHeapBytes, of: reading.heap.usableLimitBytes })) {
      this.#setHeapBytes = heapBytes;
      budget.setHeapLimit(heapBytes, { reclaim: false });
    }
  }

  #setShedding({ level, reason }: Assessment): void {
    this.#tellShedding(level === 'critical', reason);
  }

  #tellShedding(shedding: boolean, reason: string): void {
    if (shedding === this.#shedding) return;
    this.#shedding = shedding;
    this.#options.events({ type: 'pressure.shedding_changed', atMs: this.#options.clock.nowMs(), shedding, reason });
  }

  #respond(nowMs: number, reading: Reading, assessment: Assessment): void {
    const { level } = assessment;
    const isWorse = levelRank(level) > levelRank(this.#answeredLevel);
    if (!isWorse) this.#answeredLevel = level;
    if (level === 'low') {
      this.#vainResponses = 0;
      this.#nextMs = nowMs;
      return;
    }
    const isWaiting = this.#response !== null || nowMs < this.#nextMs;
    if (isWaiting && !isWorse) return;
    if (this.#acting !== null && level !== 'critical') return;
    const wanted = this.#wanted(assessment);
    const { observeOnly } = this.#settings;
    const isTrifle = wanted.heapBytes < LEAST_BYTES && wanted.anywhereBytes < LEAST_BYTES;
    if (!observeOnly && isTrifle && !this.#wantsCollection(level, reading)) return;
    this.#answeredLevel = level;
    if (observeOnly) {
      this.#plan(nowMs, assessment, Math.max(wanted.heapBytes, wanted.anywhereBytes));
      return;
    }
    this.#reclaiming.abort(new ClosedError('The response to a lesser level'));
    const before = this.#acting;
    const acting = Promise.resolve(before)
      .then(() => (this.#isClosed || this.#settings.observeOnly ? undefined : this.#act(assessment, reading)))
      .finally(() => {
        if (this.#acting === acting) this.#acting = null;
      });
    this.#acting = acting;
  }

  /** What is still to be asked for: of what was freed before, what may yet leave is taken off. */
  #wanted({ level, processTargetBytes, heapTargetBytes }: Assessment): { heapBytes: number; anywhereBytes: number } {
    const { retainedBytes } = this.#books;
    const isCritical = level === 'critical';
    const factor = isCritical ? CRITICAL_FACTOR : 1;
    const leavingBytes = isCritical ? Math.min(retainedBytes, this.#freedSinceMajorBytes) : retainedBytes;
    return {
      heapBytes: Math.ceil(factor * heapTargetBytes - this.#freedHeapSinceMajorBytes),
      anywhereBytes: Math.ceil(factor * processTargetBytes - leavingBytes),
    };
  }

  #plan(nowMs: number, { level, reason }: Assessment, wantedBytes: number): void {
    const { clock, events, gate } = this.#options;
    this.#nextMs = nowMs + LONGEST_PAUSE_MS;
    events({
      type: 'pressure.planned',
      atMs: clock.nowMs(),
      level,
      targetBytes: Math.max(0, wantedBytes),
      wouldCollect: isAtLeast(level, 'high') && gate.mayCollect(),
      wouldShed: level === 'critical',
      reason,
    });
  }

  async #act(assessment: Assessment, reading: Reading): Promise<void> {
    const { clock, gate } = this.#options;
    const { level, targetBytes } = assessment;
    const before = { heldBytes: heldBytes(reading), excessBytes: targetBytes };
    this.#response ??= new Response(clock.monotonicMs(), before);
    const response = this.#response;
    if (isAtLeast(level, response.level)) response.level = level;
    const reclaiming = new AbortController();
    this.#reclaiming = reclaiming;
    // The heap first: what comes free there counts for the process as well, so the rest is reckoned after it.
    for (const part of ['heapBytes', 'anywhereBytes'] as const) {
      const wantedBytes = this.#wanted(assessment)[part];
      if (wantedBytes < LEAST_BYTES) continue;
      response.targetBytes += wantedBytes;
      const where = part === 'heapBytes' ? ON_HEAP : IN_PROCESS;
      const outcome = await this.#reclaim({ level, targetBytes: wantedBytes, where, signal: reclaiming.signal });
      if (outcome === null) return;
      response.claimedBytes += outcome.claimedBytes;
      response.accountedBytes += outcome.accountedBytes;
      if (reclaiming.signal.aborted) return;
    }
    if (this.#wantsCollection(level, reading) && gate.tryCollect(`pressure ${level}`) !== null) {
      response.collected = true;
      this.#freedSinceMajorBytes = 0;
      this.#freedHeapSinceMajorBytes = 0;
    }
    const nowMs = clock.monotonicMs();
    response.actedMs = nowMs;
    const collected = response.collected ? ', collected garbage' : '';
    this.#done = { text: `reclaimed ${formatBytes(response.accountedBytes)}${collected}`, atMs: nowMs };
    this.#nextMs = nowMs + this.#pauseMs(level);
  }

  /** Null when the budget is being closed. */
  async #reclaim(options: { level: Level; targetBytes: number; where: readonly Residence[]; signal: AbortSignal }) {
    const { budget } = this.#options;
    const heapBefore = budget.reservedByResidence.heap;
    try {
      const outcome = await budget.reclaim({ ...options, deadlineMs: RECLAIM_DEADLINE_MS });
      const heapBytes = Math.min(outcome.accountedBytes, Math.max(0, heapBefore - budget.reservedByResidence.heap));
      this.#books.free(outcome.accountedBytes);
      this.#freedSinceMajorBytes += outcome.accountedBytes;
      this.#freedHeapSinceMajorBytes += heapBytes;
      return outcome;
    } catch (error) {
      if (error instanceof ClosedError) return null;
      throw error;
    }
  }

  #wantsCollection(level: Level, reading: Reading): boolean {
    const { gate } = this.#options;
    const { collectAboveBytes } = this.#settings;
    if (!gate.mayCollect()) return false;
    if (level === 'critical') return true;
    const limitBytes = reading.limit.bytes;
    const isAllowed =
      level === 'high' || heldBytes(reading) >= (collectAboveBytes?.(limitBytes) ?? Number.POSITIVE_INFINITY);
    return isAllowed && this.#freedSinceMajorBytes >= Math.max(COLLECT_LEAST_BYTES, COLLECT_SHARE * limitBytes);
  }

  #pauseMs(level: Level): number {
    const longestMs = level === 'critical' ? LONGEST_CRITICAL_PAUSE_MS : LONGEST_PAUSE_MS;
    return Math.min(FIRST_PAUSE_MS * 2 ** this.#vainResponses, longestMs);
  }

  #noteMajors(nowMs: number, majors: number): void {
    if (majors <= this.#majors) return;
    this.#majors = majors;
    this.#majorSeenMs = nowMs;
    this.#freedSinceMajorBytes = 0;
    this.#freedHeapSinceMajorBytes = 0;
  }

  #measure(nowMs: number, sight: { heldBytes: number; excessBytes: number }): void {
    const response = this.#response;
    if (response === null || this.#acting !== null) return;
    response.see(sight);
    if (!response.isOver(nowMs, this.#majorSeenMs)) return;
    this.#response = null;
    this.#tell(nowMs, response, this.#books.settle());
  }

  #tell(nowMs: number, response: Response, retainedBytes: number): void {
    const { level, targetBytes, claimedBytes, accountedBytes, residentDropBytes, collected, startedMs } = response;
    this.#vainResponses = response.isVain ? this.#vainResponses + 1 : 0;
    if (response.isVain) this.#nextMs = nowMs + this.#pauseMs(level);
    this.#options.events({
      type: 'pressure.responded',
      atMs: this.#options.clock.nowMs(),
      level,
      targetBytes,
      claimedBytes,
      accountedBytes,
      residentDropBytes,
      retainedBytes,
      driftBytes: this.#books.driftBytes,
      collected,
      tookMs: nowMs - startedMs,
    });
  }
}

/** Limits are left alone for small changes. */
function isStep(bytes: number, { from, of }: { from: number; of: number }): boolean {
  return Number.isFinite(bytes) && !(Math.abs(bytes - from) < LIMIT_STEP_SHARE * of);
}
