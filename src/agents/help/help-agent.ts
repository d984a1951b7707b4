/**
 * The help agent: answers questions from the documents and conversations it was given, with sources, offline.
 *
 * A thin module over long-term memory: it recalls passages, quotes the part that answers, and names where each came from. What the asker was
 * told comes first; Tenure's own documentation answers only what that does not cover. Which of the two covers more of a question
 * is compared by its words, weighed by how rare they are in both together: scores of two partitions cannot be compared.
 */
import type { LongTermMemory } from '../../agent-memory/long-term.ts';
import type { Reason } from '../../agent-memory/recall/reasons.ts';
import type { Clock } from '../../base/clock.ts';
import type { Scope } from '../../storage/scope.ts';
import { excerptOf } from './compose-answer.ts';
import { OWN_DOCUMENTS_SCOPE, searchOwnDocumentation } from './own-documentation.ts';
import { metadataText } from './passage.ts';
import { Question, widened } from './question.ts';
import { type Searched, search } from './search.ts';

export { OWN_DOCUMENTS_SCOPE };

/** Where a part of an answer came from. */
export interface AnswerSource {
  readonly memoryId: string;
  readonly title: string;
  /** File, address or conversation it came from; null for a memory told directly. */
  readonly path: string | null;
  readonly heading: string | null;
  /** The part that matches, in plain words, at most about 240 characters. */
  readonly excerpt: string;
  /** How well it answers, 0 to about 1; comparable within one answer only. */
  readonly score: number;
  readonly why: readonly Reason[];
}

/** An answer quoted from what was learned, with its sources. */
export interface Answer {
  /** Quoted from the best source; empty when nothing was found. */
  readonly answer: string;
  readonly sources: readonly AnswerSource[];
  /** True when what is quoted holds most of what was asked for. */
  readonly confident: boolean;
  /** Set when the answer is from Tenure's own documentation, because nothing the asker was told covers the question. */
  readonly fromOwnDocumentation?: true;
  readonly tookMs: number;
}

/** Whose knowledge to ask, and how many sources to name. */
export interface AskOptions {
  /** Whose knowledge to use, before Tenure's own documentation; `{ tenant: 'default', agent: 'help' }` by default. */
  readonly scope?: Scope | undefined;
  /** Most sources, 5 by default. */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Whose knowledge the help agent uses when nobody says. */
export const HELP_SCOPE: Scope = { tenant: 'default', agent: 'help' };

/** An answer that holds this share of the question is called one. */
const CONFIDENT_COVERAGE = 0.75;
/** Knowledge of the asker that holds this share of the question is not compared with Tenure's own. */
const COVERED = 0.6;
/** How much more of the question Tenure's own must hold to be preferred to what the asker was told. */
const CLEAR_LEAD = 0.15;
/** A source scoring less than this share of the best one is left out. */
const WORTH_NAMING = 0.5;

/** Answers questions from documents and memories, offline, with sources. */
export class HelpAgent {
  readonly #memory: LongTermMemory;
  readonly #clock: Clock;

  constructor(options: { memory: LongTermMemory; clock: Clock }) {
    this.#memory = options.memory;
    this.#clock = options.clock;
  }

  /** Answers `question` from what was learned. Throws `QueryError` when there is nothing to ask. */
  async ask(question: string, options: AskOptions = {}): Promise<Answer> {
    const startedMs = this.#clock.monotonicMs();
    const { scope = HELP_SCOPE, limit = 5, signal } = options;
    const asked = { text: question, question: await this.#weigh(question, scope) };
    const told = await search(this.#memory, asked, { scope, signal });
    const own = await this.#ownKnowledge(asked, told, signal);
    const { answer, coverage, passages } = own ?? told;
    const worthy = passages.slice(0, limit).filter(({ score }) => score >= WORTH_NAMING * passages[0]!.score);
    this.#memory.markUsed(worthy.map(({ memory }) => memory.id));
    return {
      answer,
      confident: coverage >= CONFIDENT_COVERAGE,
      ...(own ? { fromOwnDocumentation: true } : {}),
      sources: worthy.map((passage) => sourceOf(asked.question, passage)),
      tookMs: Math.round((this.#clock.monotonicMs() - startedMs) * 1000) / 1000,
    };
  }

  async #weigh(question: string, scope: Scope): Promise<Question> {
    const scopes = [scope, OWN_DOCUMENTS_SCOPE];
    return new Question(
      question,
      await Promise.all(scopes.map((each) => this.#memory.termCounts(widened(question), each))),
    );
  }

  /** What Tenure's own documentation says, if it covers more of the question than what the asker was told. */
  async #ownKnowledge(
    asked: { text: string; question: Question },
    told: Searched,
    signal: AbortSignal | undefined,
  ): Promise<Searched | undefined> {
    if (told.coverage >= COVERED || asked.question.weights.size === 0) return undefined;
    const own = await searchOwnDocumentation(this.#memory, asked, signal);
    const lead = told.passages.length === 0 ? 0 : CLEAR_LEAD;
    return own.coverage > told.coverage + lead ? own : undefined;
  }
}

function sourceOf(question: Question, passage: Searched['passages'][number]): AnswerSource {
  const { memory, score, why } = passage;
  const path = metadataText(memory, 'path') ?? memory.source;
  return {
    memoryId: memory.id,
    title: metadataText(memory, 'title') ?? path ?? memory.speaker ?? 'memory',
    path,
    heading: metadataText(memory, 'heading'),
    excerpt: excerptOf(question, passage),
    score,
    why,
  };
}
