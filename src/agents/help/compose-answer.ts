/**
 * An answer made of the passages' own words.
 *
 * Offline there is no model to phrase one, so the answer quotes: the section, in one of the best passages, that covers most of the
 * question, from its best block on (a paragraph, a list, code) while it stays short. What covers too little of the question is
 * offered as a guess and marked so; nothing is ever made up.
 */
import { analyze } from '../../agent-memory/analyze.ts';

/** Longest answer, in characters; a block is never cut, so one long block may stand alone. */
const ANSWER_LENGTH = 700;
/** Passages that may answer; later ones are sources only. */
const ANSWERING_PASSAGES = 3;
/** Share of the question's terms the answer's passage must hold to be called an answer. */
const CONFIDENT_COVERAGE = 0.6;
/** A section with less text than this under its heading only points elsewhere; one that ends in a question only asks. */
const TELLING_LENGTH = 60;
const HEADING_LENGTH = 100;

export interface Passage {
  readonly text: string;
  /** Headings above it, outermost first, and the title: they answer too, but are not quoted. */
  readonly headings: readonly string[];
  /** How well it was found; above 0. */
  readonly score: number;
}

export interface ComposedAnswer {
  readonly answer: string;
  readonly confident: boolean;
}

/** Quotes the best section of the first passages, which come best first; an empty answer when there is none. */
export function composeAnswer(question: string, passages: readonly Passage[]): ComposedAnswer {
  const wanted = new Set(analyze(question));
  const candidates = passages
    .slice(0, ANSWERING_PASSAGES)
    .flatMap((passage) =>
      sectionsOf(passage.text).map((blocks) => ({ passage, blocks, worth: worthOf(blocks, passage, wanted) })),
    );
  const best = candidates.reduce<(typeof candidates)[number] | undefined>(
    (best, candidate) => (best && best.worth >= candidate.worth ? best : candidate),
    undefined,
  );
  if (!best) return { answer: '', confident: false };
  const { passage, blocks } = best;
  const answer = quote(blocks, bestOf(blocks, wanted)).join('\n\n');
  const coverage = covered([passage.text, ...passage.headings].join('\n'), wanted) / Math.max(1, wanted.size);
  return { answer, confident: coverage >= CONFIDENT_COVERAGE };
}

/** A short piece of `text` that shows why it was found: its best block, with what follows if that is a heading, cut at a word. */
export function excerptOf(question: string, text: string, maxLength = 240): string {
  const blocks = blocksOf(text);
  const best = bestOf(blocks, new Set(analyze(question)));
  const shown = isHeading(blocks[best] ?? '') ? blocks.slice(best, best + 2).join(': ') : blocks[best];
  const block = withoutFence((shown ?? text).trim()).replace(/\s+/g, ' ');
  if (block.length <= maxLength) return block;
  return `${block.slice(0, block.lastIndexOf(' ', maxLength - 1) + 1 || maxLength - 1).trimEnd()}…`;
}

/** The inside of a block of code. */
function withoutFence(block: string): string {
  const lines = block.split('\n');
  const isCode = lines.length > 2 && /^(```|~~~)/.test(lines[0]!) && /^(```|~~~)/.test(lines.at(-1)!);
  return isCode ? lines.slice(1, -1).join('\n') : block;
}

/** How many of the wanted terms `text` holds. */
function covered(text: string, wanted: ReadonlySet<string>): number {
  return new Set(analyze(text).filter((term) => wanted.has(term))).size;
}

function bestOf(blocks: readonly string[], wanted: ReadonlySet<string>): number {
  const worth = blocks.map((block) => covered(block, wanted));
  return worth.indexOf(Math.max(...worth));
}

function worthOf(blocks: readonly string[], passage: Passage, wanted: ReadonlySet<string>): number {
  const told = blocks.filter((block) => !isHeading(block)).join('\n');
  const isTelling = told.length >= TELLING_LENGTH || blocks.length === 1;
  return (
    covered(blocks.join('\n'), wanted) *
    passage.score *
    (isTelling ? 1 : 0.5) *
    (blocks.at(-1)!.endsWith('?') ? 0.4 : 1)
  );
}

/** The blocks from `start` on, and then those before it, while the answer stays short. */
function quote(blocks: readonly string[], start: number): string[] {
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

/** A heading with what stands under it, up to the next one. */
function sectionsOf(text: string): string[][] {
  const sections: string[][] = [];
  for (const block of blocksOf(text)) {
    const current = sections.at(-1);
    if (!current || (isHeading(block) && current.some((earlier) => !isHeading(earlier)))) sections.push([block]);
    else current.push(block);
  }
  return sections;
}

/** One short line that is no sentence, list, table or code. */
function isHeading(block: string): boolean {
  return block.length <= HEADING_LENGTH && !/\n|[.,:;]$|^\s*([-*+>|`~]|\d+[.)])/.test(block);
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
