/**
 * Which of the passages that recall found answers a question best.
 *
 * Recall ranks for conversations, where the answer stands beside the words of the question. A document is different: its headings say what a
 * section is about, in the words people ask with, and its neighbours are about something else. So the passages are ranked
 * once more, by words weighed as the question weighs them (`question.ts`):
 *
 *   words    each word of the question, in the text and, worth more, in the headings above it, soon saturated;
 *   coverage what holds all of a question is better than what repeats half of it;
 *   heading  a heading that asks the same question and nothing else;
 *   found    recall's own opinion, which alone knows what was said before: half of it for what somebody said, little for what is written.
 *
 * Text that ends in a question asks rather than answers, and text of a few words mostly points elsewhere: both count less.
 * The parameters were tuned on one half of the questions in `test/integration/help-exam.ts` and reported on the other; see decision 6.
 */
import { analyze, countTerms } from '../../agent-memory/analyze.ts';
import { joined, plainWords } from './blocks.ts';
import type { Passage } from './passage.ts';
import { frequencyOf, type Question } from './question.ts';

const SATURATION = 1.2;
const LENGTH_SHARE = 0.4;
/** Terms of a passage of common length. */
const USUAL_TERMS = 60;
const LAST_HEADING_WEIGHT = 4;
const OUTER_HEADING_WEIGHT = 1;
const COVERAGE_SHARE = 0.5;
const HEADING_SHARE = 0.3;
const FOUND_SHARE = { spoken: 0.5, written: 0.15 };
const ASKS_FACTOR = 0.4;
const POINTS_FACTOR = 0.5;
const MISSPELLED_FACTOR = 0.5;
const TELLING_LENGTH = 60;
/** What a word in code counts: code shows how, and seldom says what. */
const CODE_SHARE = 0.5;

export interface RankedPassage extends Passage {
  /** How well it answers, 0 to about 1; comparable for one question. */
  readonly score: number;
}

/** The passages, best first. */
export function rankPassages(question: Question, passages: readonly Passage[]): RankedPassage[] {
  return passages
    .map((passage) => ({ ...passage, score: scoreOf(question, passage) }))
    .sort((one, other) => other.score - one.score);
}

function scoreOf(question: Question, passage: Passage): number {
  const { headings, blocks, found, memory } = passage;
  const text = joined(blocks);
  const prose = countTerms(blocks.filter(({ kind }) => kind !== 'code').flatMap((block) => analyze(block.text)));
  const code = countTerms(blocks.filter(({ kind }) => kind === 'code').flatMap((block) => analyze(block.text)));
  const last = countTerms(analyze(headings.at(-1) ?? ''));
  const outer = countTerms(headings.slice(0, -1).flatMap(analyze));
  const terms = sum(prose) + CODE_SHARE * sum(code);
  const length = 1 - LENGTH_SHARE + LENGTH_SHARE * (terms / USUAL_TERMS);
  let words = 0;
  let coverage = 0;
  let inHeading = 0;
  for (const [term, weight] of question.weights) {
    const frequency = (frequencyOf(term, prose) + CODE_SHARE * frequencyOf(term, code)) / length;
    const inLast = Math.min(1, frequencyOf(term, last));
    const inOuter = Math.min(1, frequencyOf(term, outer));
    const raised = frequency + LAST_HEADING_WEIGHT * inLast + OUTER_HEADING_WEIGHT * inOuter;
    if (raised > 0) coverage += weight;
    inHeading += inLast;
    words += (weight * raised) / (raised + SATURATION);
  }
  const sameTerms = last.size > 0 ? (inHeading / last.size) * (inHeading / question.weights.size) : 0;
  const sameHeading = (sameTerms + question.sameWords(headings.at(-1) ?? '')) / 2;
  const own =
    words * (1 - COVERAGE_SHARE + COVERAGE_SHARE * coverage) * (1 - HEADING_SHARE + HEADING_SHARE * sameHeading);
  const share = memory.speaker === null && headings.length > 0 ? FOUND_SHARE.written : FOUND_SHARE.spoken;
  const asks = plainWords(blocks.at(-1)!).endsWith('?') ? ASKS_FACTOR : 1;
  const points = headings.length > 0 && text.length < TELLING_LENGTH ? POINTS_FACTOR : 1;
  const spelled = question.spelledIn(text, ...headings) ? 1 : MISSPELLED_FACTOR;
  return (own * (1 - share) + found * share) * asks * points * spelled;
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}
