/**
 * The fast reflex: from an assessment to bytes reclaimed, within milliseconds of the reading.
 *
 *   low       nothing; the budget lets bytes regrow at its own rate
 *   moderate  ask the budget for the target: expired and idle things, then caches
 *   high      the same, then one garbage collection, if so much was freed that it pays
 *   critical  half as much again, a collection in any case, and `shedding`: new work is to be refused
 *
 * **Measured.** A response (`response.ts`) is over when the relief has come, or a major collection has run and the sweeper has had its
 * time, or after 30 s (10 s at high, 5 s at critical); then it is told, once. Until then only a worse level is answered again.
 *
 * **Not for bytes that eviction cannot return.** Objects dropped from a cache leave the process only with a collection, and the
 * allocator may keep their pages even then. Both are *retained* (`books.ts`): they serve the next allocation, so they are taken off the
 * next target. Only at critical does that not count, once a collection has run. While responses bring no relief, the pause between
 * them doubles, from 1 s up to 60 s (10 s at critical).
 *
 * It also sets the root budget's limit (`budget-limit.ts`). Under `observeOnly` it measures and plans, and touches nothing.
 */
import { formatBytes, MIB } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { ClosedError } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import { isAtLeast, type Level, levelRank } from '../base/levels.ts';
import type { Assessment } from './assess.ts';
import { Books } from './books.ts';
import { budgetLimitBytes } from './budget-limit.ts';
import type { BudgetPort } from './budget-port.ts';
import type { CollectionGate } from './collection-gate.ts';
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
  readonly observeOnly: boolean;
  /** Held bytes from which a response at `moderate` may collect too. */
  readonly collectAboveBytes?: ((limitBytes: number) => number) | undefined;
}

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
/** The budget's limit is left alone for changes below this share of the process's. */
const LIMIT_STEP_SHARE = 0.01;
/** What was done is told with alerts for so long. */
const REMEMBERED_MS = 600_000;

export class Responder implements AsyncDisposable {
  readonly #options: ResponderOptions;
  readonly #books = new Books();
  readonly #closing = new AbortController();
  #acting: Promise<void> | null = null;
  #response: Response | null = null;
  /** The level last acted at, or a lower one the assessment has come to since. */
  #answeredLevel: Level = 'low';
  #vainResponses = 0;
  #majors = 0;
  #majorSeenMs = Number.NEGATIVE_INFINITY;
  /** By the books, since the last major collection: what the next one can be expected to free. */
  #freedSinceMajorBytes = 0;
  #nextMs = Number.NEGATIVE_INFINITY;
  #setBytes = Number.NaN;
  #shedding = false;
  #done: { readonly text: string; readonly atMs: number } | null = null;

  constructor(options: ResponderOptions) {
    this.#options = options;
  }

  /** New work is to be refused. Never set under `observeOnly`. */
  get shedding(): boolean {
    return this.#shedding;
  }

  /** Drift, retained and baseline; see `books.ts`. */
  get books(): Pick<Books, 'baselineBytes' | 'driftBytes' | 'retainedBytes'> {
    return this.#books;
  }

  /** What was done in the last ten minutes, for people; null when nothing was. */
  get done(): string | null {
    const { clock } = this.#options;
    return this.#done && clock.monotonicMs() - this.#done.atMs < REMEMBERED_MS ? this.#done.text : null;
  }

  /** Takes in one reading; what it sets off runs on by itself. */
  observe(reading: Reading, assessment: Assessment): void {
    if (this.#closing.signal.aborted) throw new ClosedError('The responder');
    const { clock, budget, observeOnly } = this.#options;
    const nowMs = clock.monotonicMs();
    const held = heldBytes(reading);
    this.#books.update(nowMs, { heldBytes: held, reservedBytes: budget.reservedBytes });
    if (!observeOnly) {
      this.#setBudgetLimit(reading.limit.bytes);
      this.#setShedding(assessment);
    }
    this.#noteMajors(nowMs, reading.collection.majors ?? 0);
    this.#measure(nowMs, { heldBytes: held, excessBytes: assessment.targetBytes });
    this.#respond(nowMs, reading, assessment);
  }

  /** Calls off what is running and waits for it to end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new ClosedError('The responder'));
    await this.#acting;
  }

  #setBudgetLimit(limitBytes: number): void {
    const { budget, fullShare } = this.#options;
    const { baselineBytes, driftBytes } = this.#books;
    const headroomBytes = (1 - fullShare) * limitBytes;
    const allowedBytes = budgetLimitBytes({ limitBytes, baselineBytes, driftBytes, headroomBytes });
    const bytes = Math.max(allowedBytes, budget.minimumsBytes);
    if (Math.abs(bytes - this.#setBytes) < LIMIT_STEP_SHARE * limitBytes) return;
    this.#setBytes = bytes;
    budget.setLimit(bytes);
  }

  #setShedding({ level, reason }: Assessment): void {
    const shedding = level === 'critical';
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
    if (this.#acting !== null || (isWaiting && !isWorse)) return;
    const wantedBytes = this.#wantedBytes(assessment);
    if (!this.#options.observeOnly && wantedBytes < LEAST_BYTES && !this.#wantsCollection(level, reading)) return;
    this.#answeredLevel = level;
    if (this.#options.observeOnly) this.#plan(nowMs, assessment, wantedBytes);
    else {
      this.#acting = this.#act(assessment, wantedBytes, reading).finally(() => {
        this.#acting = null;
      });
    }
  }

  #wantedBytes({ level, targetBytes }: Assessment): number {
    const { retainedBytes } = this.#books;
    if (level !== 'critical') return Math.ceil(targetBytes - retainedBytes);
    return Math.ceil(CRITICAL_FACTOR * targetBytes - Math.min(retainedBytes, this.#freedSinceMajorBytes));
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

  async #act({ level, targetBytes }: Assessment, wantedBytes: number, reading: Reading): Promise<void> {
    const { clock, gate } = this.#options;
    const before = { heldBytes: heldBytes(reading), excessBytes: targetBytes };
    this.#response ??= new Response(clock.monotonicMs(), before);
    const response = this.#response;
    if (isAtLeast(level, response.level)) response.level = level;
    if (wantedBytes >= LEAST_BYTES) {
      response.targetBytes += wantedBytes;
      const outcome = await this.#reclaim(level, wantedBytes);
      if (outcome === null) return;
      response.claimedBytes += outcome.claimedBytes;
      response.accountedBytes += outcome.accountedBytes;
      this.#books.retain(outcome.accountedBytes);
      this.#freedSinceMajorBytes += outcome.accountedBytes;
    }
    if (this.#wantsCollection(level, reading) && gate.tryCollect(`pressure ${level}`) !== null) {
      response.collected = true;
      this.#freedSinceMajorBytes = 0;
    }
    const nowMs = clock.monotonicMs();
    response.actedMs = nowMs;
    const collected = response.collected ? ', collected garbage' : '';
    this.#done = { text: `reclaimed ${formatBytes(response.accountedBytes)}${collected}`, atMs: nowMs };
    this.#nextMs = nowMs + this.#pauseMs(level);
  }

  /** Null when we, or the budget, are being closed. */
  async #reclaim(level: Level, targetBytes: number) {
    const { signal } = this.#closing;
    try {
      return await this.#options.budget.reclaim({ targetBytes, level, deadlineMs: RECLAIM_DEADLINE_MS, signal });
    } catch (error) {
      if (error instanceof ClosedError) return null;
      throw error;
    }
  }

  #wantsCollection(level: Level, reading: Reading): boolean {
    const { gate, collectAboveBytes } = this.#options;
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
  }

  #measure(nowMs: number, sight: { heldBytes: number; excessBytes: number }): void {
    const response = this.#response;
    if (response === null || this.#acting !== null) return;
    response.see(sight);
    if (!response.isOver(nowMs, this.#majorSeenMs)) return;
    this.#response = null;
    this.#tell(nowMs, response);
  }

  #tell(nowMs: number, response: Response): void {
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
      retainedBytes: Math.max(0, accountedBytes - residentDropBytes),
      driftBytes: this.#books.driftBytes,
      collected,
      tookMs: nowMs - startedMs,
    });
  }
}
