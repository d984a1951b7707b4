/**
 * An answer made of the passages' own words.
 *
 * Offline there is no model to phrase one, so the answer quotes: from the best passage, the run of blocks (paragraphs, list
 * items, code) that covers most of the question, with the code that belongs to it. What covers too little of the question is
 * offered as a guess and marked so; nothing is ever made up.
 */
import { analyze } from '../../agent-memory/analyze.ts';

/** Longest answer, in characters; a block is never cut, so one long block may stand alone. */
const ANSWER_LENGTH = 700;

/** Share of the question's terms the answer's passage must hold to be called an answer. */
const CONFIDENT_COVERAGE = 0.6;

export interface Passage {
  readonly text: string;
  /** Headings above it, outermost first, and the title: they answer too, but are not quoted. */
  readonly headings: readonly string[];
}

export interface ComposedAnswer {
  readonly answer: string;
  readonly confident: boolean;
}

/** The best part of `passages[0]`; an empty answer when there is no passage. */
export function composeAnswer(question: string, passages: readonly Passage[]): ComposedAnswer {
  const [best] = passages;
  if (!best) return { answer: '', confident: false };
  const wanted = new Set(analyze(question));
  const blocks = blocksOf(best.text);
  const worth = blocks.map((block) => covered(block, wanted).size);
  const answer = widen(blocks, worth.indexOf(Math.max(...worth))).join('\n\n');
  const coverage = covered([best.text, ...best.headings].join('\n'), wanted).size / Math.max(1, wanted.size);
  return { answer, confident: coverage >= CONFIDENT_COVERAGE };
}

/** A short piece of `text` that shows why it was found: its best block, cut at a word. */
export function excerptOf(question: string, text: string, maxLength = 240): string {
  const wanted = new Set(analyze(question));
  const blocks = blocksOf(text);
  const worth = blocks.map((block) => covered(block, wanted).size);
  const block = (blocks[worth.indexOf(Math.max(...worth))] ?? text).replace(/\s+/g, ' ');
  if (block.length <= maxLength) return block;
  return `${block.slice(0, block.lastIndexOf(' ', maxLength - 1) + 1 || maxLength - 1).trimEnd()}…`;
}

function covered(text: string, wanted: ReadonlySet<string>): Set<string> {
  return new Set(analyze(text).filter((term) => wanted.has(term)));
}

/** Takes the blocks that follow, and then those before, while the answer stays short. */
function widen(blocks: readonly string[], start: number): string[] {
  const chosen = [blocks[start] ?? ''];
  let length = chosen[0]!.length;
  for (let next = start + 1; next < blocks.length && length + blocks[next]!.length <= ANSWER_LENGTH; next++) {
    chosen.push(blocks[next]!);
    length += blocks[next]!.length;
  }
  for (let previous = start - 1; previous >= 0 && length + blocks[previous]!.length <= ANSWER_LENGTH; previous--) {
    chosen.unshift(blocks[previous]!);
    length += blocks[previous]!.length;
  }
  return chosen;
}

/** Paragraphs, with fenced code kept whole and together. */
function blocksOf(text: string): string[] {
  const blocks: string[] = [];
  let current: string[] = [];
  let fence: string | undefined;
  const end = () => {
    if (current.length > 0) blocks.push(current.join('\n'));
    current = [];
  };
  for (const line of text.split('\n')) {
    const mark = /^\s*(```+|~~~+)/.exec(line)?.[1];
    if (fence === undefined && line.trim() === '') {
      end();
      continue;
    }
    current.push(line);
    if (mark === undefined) continue;
    if (fence === undefined) fence = mark;
    else if (mark.startsWith(fence)) fence = undefined;
  }
  end();
  return blocks;
}
