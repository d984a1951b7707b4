/**
 * The help agent: answers questions from the documents and conversations it was given, with sources, offline.
 *
 * A thin module over long-term memory: it recalls passages, quotes the part that answers, and names where each came from.
 */
import type { LongTermMemory } from '../../agent-memory/long-term.ts';
import type { Reason } from '../../agent-memory/recall/reasons.ts';
import type { Recalled } from '../../agent-memory/recall/recall.ts';
import type { Clock } from '../../base/clock.ts';
import type { Scope } from '../../storage/scope.ts';
import { composeAnswer, excerptOf, type Passage } from './compose-answer.ts';

/** Where a part of an answer came from. */
export interface AnswerSource {
  readonly memoryId: string;
  readonly title: string;
  /** File, address or conversation it came from; null for a memory told directly. */
  readonly path: string | null;
  readonly heading: string | null;
  /** The part that matches, at most about 240 characters. */
  readonly excerpt: string;
  readonly score: number;
  readonly why: readonly Reason[];
}

/** An answer quoted from what was learned, with its sources. */
export interface Answer {
  /** Quoted from the best source; empty when nothing was found. */
  readonly answer: string;
  readonly sources: readonly AnswerSource[];
  /** True when the best source holds most of what was asked for. */
  readonly confident: boolean;
  readonly tookMs: number;
}

/** Whose knowledge to ask, and how many sources to name. */
export interface AskOptions {
  /** Whose knowledge to use, next to Tenure's own documentation; `{ tenant: 'default', agent: 'help' }` by default. */
  readonly scope?: Scope | undefined;
  /** Most sources, 5 by default. */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Whose knowledge the help agent uses when nobody says. */
export const HELP_SCOPE: Scope = { tenant: 'default', agent: 'help' };

/** Where Tenure's own documentation is kept: apart from what users know, so that it never turns up in their recall. */
export const OWN_DOCUMENTS_SCOPE: Scope = { tenant: 'tenure', agent: 'help' };

/** What Tenure's own documentation counts against the asker's knowledge. */
const OWN_DOCUMENTS_SHARE = 0.7;

/** A source scoring less than this share of the best one is left out. */
const WORTH_NAMING = 0.4;

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
    const known = await this.#memory.recall(question, { scope, limit, signal });
    const own = await this.#memory.recall(question, { scope: OWN_DOCUMENTS_SCOPE, limit, signal });
    const found = [...known, ...own.map((recalled) => ({ ...recalled, score: recalled.score * OWN_DOCUMENTS_SHARE }))]
      .sort((one, other) => other.score - one.score)
      .slice(0, limit);
    const worthy = found.filter(({ score }) => score >= WORTH_NAMING * found[0]!.score);
    const composed = composeAnswer(question, worthy.map(passageOf));
    return {
      ...composed,
      sources: worthy.map((recalled) => sourceOf(question, recalled)),
      tookMs: Math.round((this.#clock.monotonicMs() - startedMs) * 1000) / 1000,
    };
  }
}

function passageOf({ memory, score }: Recalled): Passage {
  const headings = [field(memory.metadata, 'title'), field(memory.metadata, 'heading')];
  return { text: memory.text, headings: headings.filter((text) => text !== null), score };
}

function sourceOf(question: string, { memory, score, why }: Recalled): AnswerSource {
  const path = field(memory.metadata, 'path') ?? memory.source;
  return {
    memoryId: memory.id,
    title: field(memory.metadata, 'title') ?? path ?? memory.speaker ?? 'memory',
    path,
    heading: field(memory.metadata, 'heading'),
    excerpt: excerptOf(question, memory.text),
    score,
    why,
  };
}

function field(metadata: Recalled['memory']['metadata'], name: string): string | null {
  const value = metadata[name];
  return typeof value === 'string' && value !== '' ? value : null;
}
