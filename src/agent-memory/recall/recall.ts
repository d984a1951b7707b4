/**
 * Recall: the memories of one partition that answer a question best, each with the reasons.
 *
 * Candidates are ranked in memory (`ranking.ts`), read from the store best first, and filtered there, page by page, until
 * the limit or the token budget is full. When a filter lets so little through that paging would walk the whole ranking, the store
 * is asked for the ordinals that pass, and only those are read: either way the answer is the exact best.
 */
import { nextTurn } from '../../base/clock.ts';
import { InvalidArgumentError, TenureError } from '../../base/errors.ts';
import type { LexicalView, MemoryFilter, MemoryStore, StoredMemory } from '../../storage/memory-store.ts';
import { requireScope, type Scope } from '../../storage/scope.ts';
import { analyze, countTerms, wordsOf } from '../analyze.ts';
import { optionalTime, requireShare, requireTags } from '../memory-input.ts';
import { estimateTokens } from '../tokens.ts';
import { BestFirst } from './best-first.ts';
import { RANKING, type Ranking, rankDocuments } from './ranking.ts';
import { RECENCY, type Reason, reasonsFor } from './reasons.ts';
import type { ScratchArrays } from './scratch.ts';

/** Where to look, for how much, and among what. */
export interface RecallOptions {
  /** Where to look: exactly this tenant, agent and user; one session, or all when none is named. */
  readonly scope: Scope;
  /** Most results, 1 to 1,000; 5 by default, 50 when `maxTokens` is given. */
  readonly limit?: number | undefined;
  /**
   * Token budget for the texts together (estimated tokens), filled best first and never exceeded. What is too long for the rest is
   * passed over for what still fits, up to 256 times.
   */
  readonly maxTokens?: number | undefined;
  /** Only memories with all of these tags. */
  readonly tags?: readonly string[] | undefined;
  /** Only what happened at or after this time, in milliseconds since the epoch. */
  readonly fromMs?: number | undefined;
  /** Only what happened before this time. */
  readonly toMs?: number | undefined;
  /** Only memories at least this important, 0 to 1. */
  readonly minImportance?: number | undefined;
  /** What was valid at this time; now by default. */
  readonly asOfMs?: number | undefined;
  /** False for who chooses among the results and tells by `markUsed` what was taken; true by default. */
  readonly marksUsed?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A memory that was found, with its score and the reasons for it. */
export interface Recalled {
  readonly memory: StoredMemory;
  /** Above 0; comparable within one recall only. */
  readonly score: number;
  readonly why: readonly Reason[];
}

/** A question that cannot be searched for. Codes `QUERY_EMPTY` and `QUERY_TOO_LONG`. */
export class QueryError extends TenureError {
  override readonly name = 'QueryError';
}

/** Longest question, in UTF-16 units. */
const QUERY_LIMIT = 16_384;

/** Most results of one recall. */
const RESULT_LIMIT = 1000;

/** Distinct terms of a question that are looked up; the most repeated ones of a longer question. */
const TERM_LIMIT = 128;

/** Candidates read before a filter that lets little through is asked for its matches instead. */
const PAGED_CANDIDATES = 512;

/** Candidates read before others have a turn: some milliseconds with long texts. */
const READ_AT_ONCE = 64;

/** Memories that did not fit into what is left of a token budget before it counts as full. */
const MISFITS_LIMIT = 256;

/** Finds the best memories for `query`. Times and limits are checked; see `RecallOptions`. */
export async function recall(
  store: MemoryStore,
  query: string,
  options: RecallOptions & { nowMs: number; scratch: ScratchArrays },
): Promise<readonly Recalled[]> {
  const scope = requireScope(options.scope);
  requireQuery(query);
  const limit = requireLimit(options);
  const filter = requireFilter(options, scope);
  const basket = new Basket({ limit, maxTokens: options.maxTokens });
  const terms = questionTerms(query);
  options.signal?.throwIfAborted();
  if (terms.size === 0) {
    for (const found of await store.newest(scope, filter, limit))
      basket.offer(found, { score: 1, why: () => [RECENCY] });
    return basket.contents;
  }

  const view = await store.lexical(scope, [...terms.keys()]);
  options.signal?.throwIfAborted();
  const words = new Set(wordsOf(query));
  const ranking = rankDocuments(view, { terms, words }, { scratch: options.scratch });
  const wordByTerm = wordsByTerm(words, terms);
  const why = (memory: StoredMemory, ordinal: number) =>
    reasonsFor({ memory, ordinal }, { ranking, view, wordByTerm, parameters: RANKING });
  try {
    await fill(basket, { store, scope, filter, ranking, view, why, signal: options.signal });
  } finally {
    options.scratch.giveBack(ranking.words);
    options.scratch.giveBack(ranking.total);
  }
  return basket.contents;
}

async function fill(
  basket: Basket,
  by: {
    store: MemoryStore;
    scope: Scope;
    filter: MemoryFilter;
    ranking: Ranking;
    view: LexicalView;
    why: (memory: StoredMemory, ordinal: number) => Reason[];
    signal: AbortSignal | undefined;
  },
): Promise<void> {
  const { store, scope, filter, ranking, why, signal } = by;
  let best = new BestFirst(ranking.total);
  let read = 0;
  for (let page = best.take(basket.room); page.length > 0; page = best.take(Math.max(32, basket.room))) {
    for (let from = 0; from < page.length; from += READ_AT_ONCE) {
      for (const found of await store.byOrdinals(scope, page.slice(from, from + READ_AT_ONCE), filter)) {
        const score = ranking.total[found.ordinal]!;
        basket.offer(found, { score, why: () => why(found, found.ordinal) });
      }
      if (basket.full) return;
      // A long walk leaves others their turn, and lets a signal that has a time come through.
      await nextTurn();
      signal?.throwIfAborted();
    }
    const paged = read < PAGED_CANDIDATES;
    read += page.length;
    if (paged && read >= PAGED_CANDIDATES && !basket.hasRefused) {
      best = new BestFirst(only(ranking.total, { passing: await store.matching(scope, filter), after: page.at(-1)! }));
    }
  }
}

/** The scores of those ordinals that pass the filter and rank after one already read; all others 0. */
function only(scores: Float32Array, keep: { passing: Uint32Array; after: number }): Float32Array {
  const kept = new Float32Array(scores.length);
  const last = scores[keep.after]!;
  for (const ordinal of keep.passing) {
    const score = scores[ordinal]!;
    if (score < last || (score === last && ordinal < keep.after)) kept[ordinal] = score;
  }
  return kept;
}

/** What has been found so far, within the limit and the token budget. */
class Basket {
  readonly contents: Recalled[] = [];
  readonly #limit: number;
  #tokensLeft: number;
  #misfits = 0;

  constructor(bounds: { limit: number; maxTokens: number | undefined }) {
    this.#limit = bounds.limit;
    this.#tokensLeft = bounds.maxTokens ?? Number.POSITIVE_INFINITY;
  }

  get room(): number {
    return this.#limit - this.contents.length;
  }

  get full(): boolean {
    return this.room <= 0 || this.#tokensLeft <= 0 || this.#misfits >= MISFITS_LIMIT;
  }

  /** True when something was found that did not fit into the token budget. */
  get hasRefused(): boolean {
    return this.#misfits > 0;
  }

  /** Takes it if it still fits; a smaller one may fit after a larger one did not. */
  offer(found: StoredMemory & { ordinal: number }, how: { score: number; why: () => readonly Reason[] }): void {
    if (this.full) return;
    if (this.#tokensLeft !== Number.POSITIVE_INFINITY) {
      const tokens = estimateTokens(found.text);
      if (tokens > this.#tokensLeft) {
        this.#misfits++;
        return;
      }
      this.#tokensLeft -= tokens;
    }
    const { ordinal: _, ...memory } = found;
    this.contents.push({ memory, score: how.score, why: how.why() });
  }
}

function requireQuery(query: string): void {
  if (typeof query !== 'string') throw new InvalidArgumentError('query', 'must be a string.');
  if (query.trim() === '') throw new QueryError('QUERY_EMPTY', 'The question is empty; say what to look for.');
  if (query.length > QUERY_LIMIT) {
    throw new QueryError(
      'QUERY_TOO_LONG',
      `The question has ${query.length} characters; at most ${QUERY_LIMIT} are searched. Ask for its subject instead.`,
      { details: { length: query.length, limit: QUERY_LIMIT } },
    );
  }
}

function requireFilter(options: RecallOptions & { nowMs: number }, { session }: Scope): MemoryFilter {
  const { tags, fromMs, toMs, asOfMs, minImportance, nowMs } = options;
  optionalTime(fromMs, 'fromMs');
  optionalTime(toMs, 'toMs');
  optionalTime(asOfMs, 'asOfMs');
  if (minImportance !== undefined) requireShare(minImportance, 'minImportance');
  return {
    session,
    // As they were kept: `remember` mends what databases cannot keep.
    tags: tags === undefined ? undefined : requireTags(tags),
    fromMs,
    toMs,
    minImportance,
    asOfMs: asOfMs ?? nowMs,
  };
}

function requireLimit({ limit, maxTokens }: RecallOptions): number {
  if (maxTokens !== undefined && !(Number.isInteger(maxTokens) && maxTokens > 0)) {
    throw new InvalidArgumentError('maxTokens', `must be a whole number above 0; got ${maxTokens}.`);
  }
  const wanted = limit ?? (maxTokens === undefined ? 5 : 50);
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > RESULT_LIMIT) {
    throw new InvalidArgumentError('limit', `must be a whole number from 1 to ${RESULT_LIMIT}; got ${wanted}.`);
  }
  return wanted;
}

function questionTerms(query: string): ReadonlyMap<string, number> {
  const counts = countTerms(analyze(query));
  if (counts.size <= TERM_LIMIT) return counts;
  return new Map([...counts].sort((one, other) => other[1] - one[1]).slice(0, TERM_LIMIT));
}

function wordsByTerm(words: ReadonlySet<string>, terms: ReadonlyMap<string, number>): ReadonlyMap<string, string> {
  const byTerm = new Map([...terms.keys()].map((term) => [term, term]));
  for (const word of words) {
    const [term] = analyze(word);
    if (term !== undefined && byTerm.get(term) === term) byTerm.set(term, word);
  }
  return byTerm;
}
