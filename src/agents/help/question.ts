/**
 * A question, and how much each of its words tells.
 *
 * A word weighs by how rare it is where answers are looked for (inverse document frequency): "timeout" tells what is asked, "set" hardly
 * anything. Words by which one asks ("mean", "explain", "possible") say nothing of the subject and weigh little, however rare. The weights
 * are relative: all of a question add up to 1, so a sum of them is a share of the question. Another word for the same counts a little less.
 */
import { analyze, wordsOf } from '../../agent-memory/analyze.ts';
import { inverseFrequency } from '../../agent-memory/recall/ranking.ts';
import type { TermCounts } from '../../agent-memory/recall/term-counts.ts';
import { otherTermsFor, otherWordsFor } from './other-words.ts';

const ASKING = new Set(
  analyze(
    `allow already also anybody anything ask best currently ever exactly explain far find get give happen help info information
    instead kind know let like long look make many mean meaning much need often please possible properly really say see set show
    someone something soon still take tell thing try turn use want way work`,
  ),
);
const ASKING_WEIGHT = 0.25;
const OTHER_WORD_SHARE = 0.8;
/** What is meant as it is spelled: `STORE_LOCKED`, `lock_timeout_ms`, `tryGrow`, `--port`, `/health/live`. */
const NAME = /\w+_\w+|[a-z]+[A-Z]\w*|--\w[\w-]*|\/\w[\w/]*/g;

/** How often each term occurs in some text. */
export type Frequencies = ReadonlyMap<string, number>;

export class Question {
  /** Share of the question by term; they add up to 1. Empty when it has no words to search by. */
  readonly weights: ReadonlyMap<string, number>;
  readonly #words: ReadonlySet<string>;
  readonly #names: readonly string[];

  /** `counts` of every place where answers are looked for, for the words of `widened(text)`. */
  constructor(text: string, counts: readonly TermCounts[]) {
    this.#words = new Set(wordsOf(text));
    this.#names = text.match(NAME) ?? [];
    const memories = counts.reduce((sum, each) => sum + each.memories, 0);
    const withTerm = (term: string) => counts.reduce((sum, each) => sum + (each.withTerm.get(term) ?? 0), 0);
    const weights = new Map<string, number>();
    for (const term of analyze(text)) {
      const commonest = Math.max(...[term, ...otherTermsFor(term)].map(withTerm));
      const rarity = inverseFrequency(Math.max(1, memories), commonest);
      weights.set(term, rarity * (ASKING.has(term) ? ASKING_WEIGHT : 1));
    }
    const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
    this.weights = new Map([...weights].map(([term, weight]) => [term, weight / total]));
  }

  /** How much a heading is the question itself, function words and all, 0 to 1: "What is a consumer?" tells more of it than "A consumer". */
  sameWords(heading: string): number {
    const words = new Set(wordsOf(heading));
    const shared = [...this.#words].filter((word) => words.has(word)).length;
    return shared / Math.max(1, words.size + this.#words.size - shared);
  }

  /** Whether every name that the question spells out stands in one of the texts as it is spelled. */
  spelledIn(...texts: readonly string[]): boolean {
    return this.#names.every((name) => texts.some((text) => text.includes(name)));
  }

  /** How many words tell what is asked: one of two when the other hardly counts. */
  get words(): number {
    return 1 / [...this.weights.values()].reduce((sum, weight) => sum + weight ** 2, 0);
  }

  /** The share of the question that these texts hold together. */
  covered(...texts: readonly string[]): number {
    const held = new Map(texts.flatMap(analyze).map((term) => [term, 1]));
    let share = 0;
    for (const [term, weight] of this.weights) share += weight * Math.min(1, frequencyOf(term, held));
    return share;
  }
}

/** How often a term occurs, or, counted a little less, another word for it. */
export function frequencyOf(term: string, frequencies: Frequencies): number {
  const own = frequencies.get(term) ?? 0;
  const others = otherTermsFor(term).map((other) => frequencies.get(other) ?? 0);
  return Math.max(own, OTHER_WORD_SHARE * Math.max(0, ...others));
}

/** The text with the other words for its own, so that recall finds those too. */
export function widened(text: string): string {
  const others = [...new Set(analyze(text))].flatMap(otherWordsFor);
  return [text, ...others].join(' ');
}
