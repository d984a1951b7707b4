/**
 * Full-text ranking of one partition's documents: BM25 with the context conversations need.
 *
 * What somebody said is rarely understood alone: the answer stands in the turn after the question, and its subject three
 * turns earlier. So a document's score is
 *
 *   words      BM25 of its own terms (Robertson & Zaragoza 2009), plus
 *   neighbours a share of the words of the two documents before and after it in the same session, plus
 *   session    a share of the BM25 of its whole session taken as one long document, all
 *   speaker    raised when the question names its speaker and not everybody.
 *
 * The arithmetic runs over typed arrays indexed by ordinal, one pass for each term and one for the context; nothing is allocated
 * per document. The parameters were tuned on two LoCoMo conversations and reported on three others: see `bench/locomo.ts`.
 */
import type { DocumentTable, LexicalView, Postings } from '../../storage/memory-store.ts';
import { wordsOf } from '../analyze.ts';
import { ScratchArrays } from './scratch.ts';

export interface RankingParameters {
  /** BM25: how soon repeats stop counting. */
  readonly k1: number;
  /** BM25: how much a long document is held back, 0 to 1. */
  readonly b: number;
  /** Share of the words of the documents one and two places before. */
  readonly before: readonly [number, number];
  /** Share of the words of the documents one and two places after. */
  readonly after: readonly [number, number];
  /** Share of the session's score. */
  readonly session: number;
  /** Added share when the question names the speaker. */
  readonly speaker: number;
}

export const RANKING: RankingParameters = {
  k1: 1,
  b: 0.4,
  before: [0.6, 0.3],
  after: [0.3, 0.1],
  session: 1.2,
  speaker: 0.2,
};

/** Scores by ordinal, and the parts they were made of; what is neither words nor session came from neighbours. */
export interface Ranking {
  readonly total: Float32Array;
  readonly words: Float32Array;
  /** BM25 of each session, by session index. */
  readonly sessions: Float32Array;
  /** Speakers (index plus 1) whom the question names; empty when it names none or all. */
  readonly namedSpeakers: ReadonlySet<number>;
}

/** Inverse document frequency as BM25 has it; never negative. */
export function inverseFrequency(documents: number, withTerm: number): number {
  return Math.log(1 + (documents - withTerm + 0.5) / (withTerm + 0.5));
}

/**
 * Ranks every document of `view` for the weighted terms of a question. Documents that share no term with the question, nor
 * have context that does, score 0. The arrays come from `scratch`, and the caller gives them back.
 */
export function rankDocuments(
  view: LexicalView,
  question: { terms: ReadonlyMap<string, number>; words: ReadonlySet<string> },
  options: { parameters?: RankingParameters; scratch?: ScratchArrays } = {},
): Ranking {
  const { parameters = RANKING, scratch = new ScratchArrays() } = options;
  const { documents } = view;
  const words = scratch.take(documents.size);
  const total = scratch.take(documents.size);
  const sessions = new Float32Array(documents.sessionNames.length);
  for (const [term, weight] of question.terms) {
    const postings = view.postings.get(term);
    if (postings) addTerm({ documents, words, total, sessions }, { postings, weight, parameters });
  }
  addContext({ documents, words, total, sessions }, parameters);
  const namedSpeakers = speakersNamed(documents, question.words);
  if (namedSpeakers.size > 0) {
    for (let ordinal = 0; ordinal < documents.size; ordinal++) {
      if (namedSpeakers.has(documents.speakers[ordinal]!)) total[ordinal]! *= 1 + parameters.speaker;
    }
  }
  return { total, words, sessions, namedSpeakers };
}

interface Scores {
  readonly documents: DocumentTable;
  readonly words: Float32Array;
  readonly total: Float32Array;
  readonly sessions: Float32Array;
}

/**
 * Adds one term to the words of the documents that hold it and to their sessions.
 *
 * A document that belongs to no session counts as a session of its own, whose share goes straight into its total; otherwise a
 * partition that mixes both kinds would favour those with sessions.
 */
function addTerm(
  { documents, words, total, sessions }: Scores,
  how: { postings: Postings; weight: number; parameters: RankingParameters },
): void {
  const { postings, weight, parameters } = how;
  const sessionCount = documents.sessionNames.length + documents.loneDocuments;
  const averageLength = documents.totalLength / Math.max(1, documents.liveDocuments);
  const averageSession = documents.totalLength / Math.max(1, sessionCount);
  const inSession = new Uint32Array(sessions.length);
  const idf = weight * inverseFrequency(documents.liveDocuments, postings.count);
  let sessionsWithTerm = 0;
  for (let index = 0; index < postings.count; index++) {
    const ordinal = postings.ordinals[index]!;
    const frequency = postings.frequencies[index]!;
    words[ordinal]! += idf * saturation(frequency, documents.lengths[ordinal]! / averageLength, parameters);
    const session = documents.sessions[ordinal]!;
    if (session === 0 || inSession[session - 1] === 0) sessionsWithTerm++;
    if (session > 0) inSession[session - 1]! += frequency;
  }

  const sessionIdf = weight * inverseFrequency(sessionCount, sessionsWithTerm);
  for (let session = 0; session < inSession.length; session++) {
    const frequency = inSession[session]!;
    if (frequency === 0) continue;
    const relativeLength = documents.sessionLengths[session]! / averageSession;
    sessions[session]! += sessionIdf * saturation(frequency, relativeLength, parameters);
  }
  if (documents.loneDocuments === 0) return;
  for (let index = 0; index < postings.count; index++) {
    const ordinal = postings.ordinals[index]!;
    if (documents.sessions[ordinal] !== 0) continue;
    const relativeLength = documents.lengths[ordinal]! / averageSession;
    total[ordinal]! +=
      parameters.session * sessionIdf * saturation(postings.frequencies[index]!, relativeLength, parameters);
  }
}

/** BM25's term-frequency factor: rises with repeats towards k1 + 1, slower in long documents. */
function saturation(frequency: number, relativeLength: number, { k1, b }: RankingParameters): number {
  return (frequency * (k1 + 1)) / (frequency + k1 * (1 - b + b * relativeLength));
}

/**
 * One ascending pass that brings words, session and neighbours together: for each session the last two documents seen are
 * remembered, and each pair of near documents exchanges its share. Sessions may be interleaved; holes are stepped over; a session
 * without a word of the question has nothing to give.
 */
function addContext({ documents, words, total, sessions }: Scores, parameters: RankingParameters): void {
  const [beforeOne, beforeTwo] = parameters.before;
  const [afterOne, afterTwo] = parameters.after;
  const last = new Int32Array(sessions.length).fill(-1);
  const lastButOne = new Int32Array(sessions.length).fill(-1);
  const { size, lengths, sessions: sessionOf } = documents;
  for (let ordinal = 0; ordinal < size; ordinal++) {
    const own = words[ordinal]!;
    const session = sessionOf[ordinal]! - 1;
    if (session < 0) {
      total[ordinal]! += own;
      continue;
    }
    const sessionScore = sessions[session]!;
    if (sessionScore === 0 || lengths[ordinal] === 0) continue;
    let score = own + parameters.session * sessionScore;
    const one = last[session]!;
    const two = lastButOne[session]!;
    if (one >= 0) {
      score += beforeOne * words[one]!;
      total[one]! += afterOne * own;
    }
    if (two >= 0) {
      score += beforeTwo * words[two]!;
      total[two]! += afterTwo * own;
    }
    total[ordinal] = score;
    lastButOne[session] = one;
    last[session] = ordinal;
  }
}

/** The speakers a question names, by the first word of their name; none when it names all of them, for then it tells nothing. */
function speakersNamed(documents: DocumentTable, questionWords: ReadonlySet<string>): ReadonlySet<number> {
  const named = new Set<number>();
  documents.speakerNames.forEach((name, index) => {
    const [first] = wordsOf(name);
    if (first !== undefined && questionWords.has(first)) named.add(index + 1);
  });
  return named.size === documents.speakerNames.length ? new Set() : named;
}
