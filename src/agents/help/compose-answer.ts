/**
 * An answer made of the passage's own words.
 *
 * Offline there is no model to phrase one, so the answer quotes: of the best passage the block that holds most of the question (a
 * paragraph, an item of a list, a row of a table, code) with its neighbours while it stays short, under the heading if that holds words of
 * the question. How much of the question stands in what is quoted says whether it is an answer or a guess; nothing is ever made up.
 */
import { type Block, joined, plainWords } from './blocks.ts';
import type { Passage } from './passage.ts';
import type { Question } from './question.ts';

/** Longest answer, in characters; a block is never cut, so one long block may stand alone. */
const ANSWER_LENGTH = 700;
const EXCERPT_LENGTH = 240;
/** What words in code count: an example mentions much that it is not about. */
const CODE_SHARE = 0.5;
/** What words count that stand in other blocks than the best. */
const SCATTERED_SHARE = 0.5;
/** A section is about the question if its heading holds this share of it. */
const SUBJECT_SHARE = 0.5;
/** What is taken off where it is not, for a question of one word: many words do not meet in one block by chance. */
const OFF_SUBJECT_DOUBT = 0.8;

export interface ComposedAnswer {
  readonly answer: string;
  /** The share of the question that stands in the answer, 0 to 1. */
  readonly coverage: number;
}

/** Quotes the part of `passage` that answers. `known` are words that need not be said, such as the name of what is asked about. */
export function composeAnswer(question: Question, passage: Passage, known = ''): ComposedAnswer {
  const { blocks, headings } = passage;
  const heading = headings.at(-1) ?? '';
  const best = bestOf(question, blocks);
  const answer = joined(quote(blocks, best));
  const asked = question.covered(heading);
  const around = question.covered(heading, known);
  const inBest = question.covered(heading, known, blocks[best]!.text) - around;
  const together = around + inBest * (blocks[best]!.kind === 'code' ? CODE_SHARE : 1);
  const scattered = Math.max(0, question.covered(heading, answer, known) - around - inBest);
  const doubt = heading === '' || around > SUBJECT_SHARE ? 0 : OFF_SUBJECT_DOUBT / question.words;
  return {
    answer: asked > 0 ? `${heading}\n\n${answer}` : answer,
    coverage: (together + scattered * SCATTERED_SHARE) * (1 - doubt) * (question.spelledIn(heading, answer) ? 1 : 0.5),
  };
}

/** A short piece of the passage that shows why it was found: its best block in plain words, cut at a word. */
export function excerptOf(question: Question, { blocks }: Pick<Passage, 'blocks'>, maxLength = EXCERPT_LENGTH): string {
  const words = plainWords(blocks[bestOf(question, blocks)]!);
  if (words.length <= maxLength) return words;
  return `${words.slice(0, words.lastIndexOf(' ', maxLength - 1) + 1 || maxLength - 1).trimEnd()}…`;
}

function bestOf(question: Question, blocks: readonly Block[]): number {
  const worth = blocks.map(({ text }) => question.covered(text));
  return worth.indexOf(Math.max(...worth));
}

/** The blocks from `start` on, and then those before it, while the answer stays short; a row or an item with what introduces it. */
function quote(blocks: readonly Block[], start: number): readonly Block[] {
  const introduction = introductionOf(blocks, start);
  let length = blocks[start]!.text.length + (introduction?.text.length ?? 0);
  let end = start + 1;
  while (end < blocks.length && length + blocks[end]!.text.length <= ANSWER_LENGTH)
    length += blocks[end++]!.text.length;
  let begin = start;
  while (begin > 0 && length + blocks[begin - 1]!.text.length <= ANSWER_LENGTH) length += blocks[--begin]!.text.length;
  const quoted = blocks.slice(begin, end);
  return introduction && !quoted.includes(introduction) ? [introduction, ...quoted] : quoted;
}

/** The paragraph before the list or table that the block is part of. */
function introductionOf(blocks: readonly Block[], at: number): Block | undefined {
  const kind = blocks[at]!.kind;
  if (kind !== 'row' && kind !== 'item') return undefined;
  const before = blocks.slice(0, at).findLast((block) => block.kind !== kind);
  return before?.kind === 'prose' && before.text.length <= ANSWER_LENGTH / 2 ? before : undefined;
}
