/** Why a memory was recalled: the signals that made its score, each with its share, in words a person understands. */
import type { LexicalView, StoredMemory } from '../../storage/memory-store.ts';
import type { Ranking, RankingParameters } from './ranking.ts';

/** What made a memory score: words, their context, who said it, or only that it is new. */
export type Signal = 'words' | 'neighbours' | 'session' | 'speaker' | 'recency';

/** One signal that made a memory's score, and its share of it. */
export interface Reason {
  readonly signal: Signal;
  /** A clause for people, such as `has the words "budget", "limit"`. */
  readonly detail: string;
  /** Share of the score, 0 to 1; the shares of one memory add up to 1. */
  readonly weight: number;
}

export const RECENCY: Reason = {
  signal: 'recency',
  detail: 'the question has no words to search by, so the newest come first',
  weight: 1,
};

export function reasonsFor(
  found: { memory: StoredMemory; ordinal: number },
  by: {
    ranking: Ranking;
    view: LexicalView;
    /** The question's word for each term. */
    wordByTerm: ReadonlyMap<string, string>;
    parameters: RankingParameters;
  },
): Reason[] {
  const { memory, ordinal } = found;
  const { ranking, view, parameters } = by;
  const total = ranking.total[ordinal]!;
  const reasons: Reason[] = [];
  const add = (signal: Signal, score: number, detail: string) => {
    const weight = Math.round((score / total) * 1000) / 1000;
    if (weight > 0) reasons.push({ signal, detail, weight });
  };

  const matched = [...by.wordByTerm].filter(([term]) => holds(view, { term, ordinal })).map(([, word]) => `"${word}"`);
  const session = view.documents.sessions[ordinal]!;
  const spoken = ranking.namedSpeakers.has(view.documents.speakers[ordinal]!);
  const unraised = spoken ? total / (1 + parameters.speaker) : total;
  const words = ranking.words[ordinal]!;
  const alone = session === 0;
  const context = alone ? 0 : parameters.session * ranking.sessions[session - 1]!;

  add('words', alone ? unraised : words, `has the word${matched.length === 1 ? '' : 's'} ${matched.join(', ')}`);
  if (!alone)
    add('neighbours', unraised - words - context, 'what stands just before or after it has words of the question');
  add('session', context, `its session speaks of this (${memory.scope.session})`);
  if (spoken) add('speaker', total - unraised, `${memory.speaker} said it, whom the question names`);
  return reasons.sort((one, other) => other.weight - one.weight);
}

function holds(view: LexicalView, at: { term: string; ordinal: number }): boolean {
  const postings = view.postings.get(at.term);
  if (!postings) return false;
  let low = 0;
  let high = postings.count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (postings.ordinals[middle]! < at.ordinal) low = middle + 1;
    else high = middle;
  }
  return low < postings.count && postings.ordinals[low] === at.ordinal;
}
