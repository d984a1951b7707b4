/**
 * Asking one consumer to give bytes back, and judging its answer by the books.
 *
 * While it is asked it cannot grow, so what its reservations have released meanwhile is what it gave. It has its
 * slice of time, then the signal aborts, then a moment of grace to hand in what it has; after that it is given up on,
 * and not asked again before it has answered. Whatever it does — throw, hang, lie — the asking ends, and never
 * throws.
 */
import { listenForAbort } from '../base/abort.ts';
import { formatBytes } from '../base/bytes.ts';
import type { Timer } from '../base/clock.ts';
import { messageOf, TimeoutError, textOf } from '../base/errors.ts';
import type { Level } from '../base/levels.ts';
import type { Leaf } from './account.ts';
import type { ConsumerFailure } from './budget-events.ts';
import type { ReclaimKind } from './consumer.ts';
import { wordOf } from './consumer-word.ts';
import { servePath } from './granting.ts';

/** How long after its signal a consumer may still answer. */
const GRACE_MS = 20;
/** A claim may exceed the books by a tenth, or by a page: sizes of entries are estimates. */
const CLAIM_TOLERANCE_SHARE = 0.1;
const CLAIM_TOLERANCE_BYTES = 4096;
/** More than twice what was asked is far more, if it is at least two slabs of the largest kind. */
const OVERDELIVERY_FACTOR = 2;
const OVERDELIVERY_BYTES = 8 * 1024 * 1024;

export interface Ask {
  readonly targetBytes: number;
  readonly kind: ReclaimKind;
  readonly level: Level;
  /** Its slice of time, in milliseconds. */
  readonly deadlineMs: number;
  /** Calls the asking off, with no blame for the consumer. */
  readonly signal: AbortSignal | undefined;
}

/** What came of asking one consumer. */
export interface Answer {
  readonly path: string;
  readonly askedBytes: number;
  /** What it says it freed. */
  readonly claimedBytes: number;
  /** What its reservations show. */
  readonly accountedBytes: number;
  readonly tookMs: number;
  readonly failure?: ConsumerFailure;
}

type Reply = { readonly claim: unknown } | { readonly thrown: unknown } | 'hung' | 'called off';

/** Asks `leaf`. A consumer that answers at once is judged at once; only one that waits costs a promise. */
export function ask(leaf: Leaf, request: Ask): Answer | Promise<Answer> {
  const { clock } = leaf.tree;
  const { targetBytes, kind, level, deadlineMs } = request;
  const controller = new AbortController();
  const startMs = clock.monotonicMs();
  const releasedBefore = leaf.releasedBytes;
  const judge = (reply: Reply): Answer => {
    const mayWait = leaf.asked === 'answering';
    leaf.asked = 'no';
    if (mayWait) servePath(leaf);
    const tookMs = clock.monotonicMs() - startMs;
    return judged(leaf, { reply, targetBytes, accountedBytes: leaf.releasedBytes - releasedBefore, tookMs });
  };
  leaf.asked = 'called';
  let claim: unknown;
  let pending: PromiseLike<unknown> | null;
  try {
    claim = leaf.consumer.reclaim({ targetBytes, kind, level, deadlineMs, signal: controller.signal });
    pending = isThenable(claim) ? claim : null;
  } catch (thrown) {
    return judge({ thrown });
  }
  if (pending === null) return judge({ claim });
  leaf.asked = 'answering';
  return replyOf(leaf, pending, request, controller).then(judge);
}

/** Reads what a consumer says it could give; one that throws when asked even that has failed, and offers nothing. */
export function wordOrFailure(leaf: Leaf): ReturnType<typeof wordOf> | null {
  try {
    return wordOf(leaf);
  } catch (thrown) {
    judged(leaf, { reply: { thrown }, targetBytes: 0, accountedBytes: 0, tookMs: 0 });
    return null;
  }
}

function replyOf(leaf: Leaf, claim: PromiseLike<unknown>, request: Ask, controller: AbortController): Promise<Reply> {
  const { clock, closing } = leaf.tree;
  const { deadlineMs, signal } = request;
  leaf.isUnanswered = true;
  return new Promise((resolve) => {
    let timer: Timer;
    const finish = (reply: Reply) => {
      timer.cancel();
      signal?.removeEventListener('abort', callOff);
      closing.signal.removeEventListener('abort', callOff);
      resolve(reply);
    };
    const callOff = () => {
      controller.abort(signal?.aborted ? signal.reason : closing.signal.reason);
      finish('called off');
    };
    const giveUp = () => {
      controller.abort(new TimeoutError(`Reclaim from ${leaf.path}`, deadlineMs));
      timer = clock.after(GRACE_MS, () => finish('hung'));
    };
    timer = clock.after(deadlineMs, giveUp, { keepAlive: true });
    if (signal) listenForAbort(signal, callOff);
    closing.signal.addEventListener('abort', callOff, { once: true });
    const answered = (reply: Reply) => {
      leaf.isUnanswered = false;
      finish(reply);
    };
    Promise.resolve(claim).then(
      (value) => answered({ claim: value }),
      (thrown: unknown) => answered({ thrown }),
    );
    // The consumer may have aborted the signal, or closed the budget, before it returned.
    if (signal?.aborted || closing.signal.aborted) callOff();
  });
}

function judged(
  leaf: Leaf,
  facts: { reply: Reply; targetBytes: number; accountedBytes: number; tookMs: number },
): Answer {
  const { reply, targetBytes: askedBytes, accountedBytes, tookMs } = facts;
  const { path, trust, tree } = leaf;
  const claimedBytes = typeof reply === 'object' && 'claim' in reply && isSize(reply.claim) ? reply.claim : 0;
  const answer = { path, askedBytes, claimedBytes, accountedBytes, tookMs };
  if (leaf.isClosed || reply === 'called off') return answer;
  const failed = failureOf(leaf, reply, answer);
  if (failed === null) {
    trust.kept(answer);
    return answer;
  }
  const quarantineMs = trust.broke({ askedBytes, accountedBytes, nowMs: tree.clock.monotonicMs() });
  const { strikes } = trust;
  tree.emit({
    type: 'budget.consumer_failed',
    atMs: tree.clock.nowMs(),
    path,
    ...failed,
    askedBytes,
    claimedBytes,
    accountedBytes,
    strikes,
    quarantineMs,
  });
  return { ...answer, failure: failed.failure };
}

function failureOf(
  leaf: Leaf,
  reply: Exclude<Reply, 'called off'>,
  answer: Answer,
): { failure: ConsumerFailure; message: string } | null {
  const { askedBytes, claimedBytes, accountedBytes, tookMs } = answer;
  if (reply === 'hung') return { failure: 'hung', message: `did not answer within ${Math.round(tookMs)} ms` };
  if ('thrown' in reply) return { failure: 'threw', message: messageOf(reply.thrown) };
  if (!isSize(reply.claim))
    return { failure: 'invalid_answer', message: `answered ${textOf(() => reply.claim)}, which is no size` };
  const excessBytes = claimedBytes - accountedBytes;
  if (excessBytes > Math.max(CLAIM_TOLERANCE_BYTES, claimedBytes * CLAIM_TOLERANCE_SHARE)) {
    return {
      failure: 'overclaimed',
      message: `claimed ${formatBytes(claimedBytes)}, the books show ${formatBytes(accountedBytes)}`,
    };
  }
  // What it frees of its own accord while it is asked is in the books, not in its claim, and no fault.
  const gaveBytes = Math.min(claimedBytes, accountedBytes);
  if (gaveBytes > askedBytes && leaf.reservedBytes < leaf.minBytes) {
    const message = `fell to ${formatBytes(leaf.reservedBytes)}, its minimum is ${formatBytes(leaf.minBytes)}`;
    return { failure: 'below_minimum', message };
  }
  const toleratedBytes = Math.max(OVERDELIVERY_BYTES, leaf.consumer.pieceBytes ?? 0);
  if (gaveBytes > Math.max(askedBytes * OVERDELIVERY_FACTOR, askedBytes + toleratedBytes)) {
    const message = `was asked for ${formatBytes(askedBytes)} and dropped ${formatBytes(gaveBytes)}`;
    return { failure: 'overdelivered', message };
  }
  return null;
}

function isSize(claim: unknown): claim is number {
  return typeof claim === 'number' && Number.isFinite(claim) && claim >= 0;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
