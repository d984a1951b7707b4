/**
 * Blocks of a document to passages: pieces of text small enough to be an answer and large enough to be understood.
 *
 * A passage has about 80 to 250 words. It opens with the path of headings that everything in it stands under
 * (`Guide › Storage › Busy timeout`), because a passage is read and found without its document. A new heading starts a new passage once
 * the present one has 80 words; shorter sections share one, each under its own heading. Paragraphs are split between
 * sentences when they must be; whole blocks (code, tables) stay in one passage, which may then be longer.
 *
 * Nothing is lost: the words of the passages are the words of the headings and blocks that were added, in order.
 */

/** A passage of fewer words takes in what follows, also across headings. */
const PASSAGE_MIN_WORDS = 80;
/** A passage has no more words, its headings and whole blocks aside. */
export const PASSAGE_MAX_WORDS = 250;
/** A heading of more characters is read as a paragraph. */
const HEADING_LIMIT = 200;
/** Code or a table of more characters is split after all, between lines. */
export const WHOLE_BLOCK_LIMIT = 16_384;

/** Separates the headings of a path. */
const PATH_SEPARATOR = ' › ';

export interface Passage {
  readonly text: string;
  /** The headings above everything in the passage, outermost first; null where there is none. It is the text's first line. */
  readonly heading: string | null;
}

interface Section {
  readonly path: readonly string[];
  readonly blocks: string[];
}

const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;
/** Before this character there is no script without spaces (Thai is the first) and hardly any white space. */
const FIRST_RARE = 0x0e00;
/** Between sentences and between lines; each part keeps the space after it. */
const SENTENCE_BOUNDARY = /(?<=[.!?…]["'”’)\]]*\s)(?=[^\p{Ll}\s])|(?<=\n)|(?<=[。！？])/u;

/** Size of a text in words. Two characters of a script without spaces count as a word, and so do 16 of an endless one. */
export function countWords(text: string): number {
  let words = 0;
  let length = 0;
  let unspaced = false;
  for (let index = 0; index <= text.length; index++) {
    // Beyond the end this is NaN, which ends the last word.
    const code = text.charCodeAt(index);
    if (code > 0x20 && code !== 0xa0 && !(code >= FIRST_RARE && /\s/.test(text[index]!))) {
      length++;
      unspaced ||= code >= FIRST_RARE && UNSPACED.test(text[index]!);
    } else if (length > 0) {
      words += Math.ceil(length / (unspaced ? 2 : 16));
      length = 0;
      unspaced = false;
    }
  }
  return words;
}

export class PassageBuilder {
  #headings: { level: number; text: string }[] = [];
  #sections: Section[] = [];
  #words = 0;
  #finished: Passage[] = [];

  /** Starts a section. `level` runs from 1; 0 is the title of the whole document. */
  heading(level: number, text: string): void {
    const title = oneLine(text);
    if (!title) return;
    if (title.length > HEADING_LIMIT) {
      this.block(title);
      return;
    }
    if (this.#words >= PASSAGE_MIN_WORDS) this.#finish();
    this.#headings = this.#headings.filter((heading) => heading.level < level);
    this.#headings.push({ level, text: title });
    this.#open();
    this.#words += countWords(title);
  }

  /** Adds a paragraph, list, table or piece of code; a `whole` one of up to `WHOLE_BLOCK_LIMIT` characters is not split. */
  block(text: string, options: { whole?: boolean } = {}): void {
    const words = countWords(text);
    if (words === 0) return;
    const fits = this.#words + words <= PASSAGE_MAX_WORDS;
    if (fits || (options.whole && text.length <= WHOLE_BLOCK_LIMIT)) {
      if (!fits) this.#finish();
      this.#append(text, words);
    } else this.#appendUnits(text);
  }

  /** Passages that are complete; each is handed out once. `end` also completes the last one. */
  take(options: { end?: boolean } = {}): Passage[] {
    if (options.end) {
      this.#finish();
      this.#headings = [];
    }
    const passages = this.#finished;
    this.#finished = [];
    return passages;
  }

  #appendUnits(text: string): void {
    if (this.#words >= PASSAGE_MIN_WORDS) this.#finish();
    let begun = false;
    for (const unit of units(text)) {
      if (this.#words + unit.words > PASSAGE_MAX_WORDS) {
        this.#finish();
        begun = false;
      }
      this.#append(unit.text, unit.words, { toBlock: begun });
      begun = true;
    }
  }

  /** Adds a block, or more text to the last one. */
  #append(text: string, words: number, { toBlock = false } = {}): void {
    if (this.#sections.length === 0) this.#open();
    const { blocks } = this.#sections.at(-1)!;
    blocks.push((toBlock ? blocks.pop()! : '') + text);
    this.#words += words;
  }

  /** Opens a section under the present headings, in place of an empty one that only led to it. */
  #open(): void {
    const path = this.#headings.map((heading) => heading.text);
    const last = this.#sections.at(-1);
    if (last?.blocks.length === 0 && startsWith(path, last.path)) this.#sections.pop();
    this.#sections.push({ path, blocks: [] });
  }

  #finish(): void {
    if (this.#words > 0) this.#finished.push(render(this.#sections));
    this.#sections = [];
    this.#words = 0;
  }
}

function render(sections: readonly Section[]): Passage {
  const shared = sections.map((section) => section.path).reduce(commonPrefix);
  const parts = sections.flatMap((section, index) => {
    const said = index === 0 ? shared : commonPrefix(sections[index - 1]!.path, section.path);
    const title = section.path.slice(said.length).join(PATH_SEPARATOR);
    return [title, ...section.blocks.map((block) => block.replace(/^\n+/, '').trimEnd())];
  });
  const heading = shared.length > 0 ? shared.join(PATH_SEPARATOR) : null;
  return { text: [heading, ...parts].filter(Boolean).join('\n\n'), heading };
}

function commonPrefix(one: readonly string[], other: readonly string[]): readonly string[] {
  const end = one.findIndex((heading, index) => heading !== other[index]);
  return end < 0 ? one : one.slice(0, end);
}

function startsWith(path: readonly string[], start: readonly string[]): boolean {
  return start.every((heading, index) => heading === path[index]);
}

interface Unit {
  readonly text: string;
  readonly words: number;
}

const SPLITS: readonly ((text: string) => readonly string[])[] = [
  (text) => text.split(SENTENCE_BOUNDARY),
  (text) => text.match(/\s*\S+\s*/g) ?? [],
  (text) => text.match(/.{1,250}/gsu) ?? [],
];

/** `text` in units that each fit a passage: sentences and lines, else words, else pieces of a word. */
function* units(text: string, splits = SPLITS): Generator<Unit, void, void> {
  const words = countWords(text);
  const [split, ...finer] = splits;
  if (words <= PASSAGE_MAX_WORDS || split === undefined) yield { text, words };
  else for (const part of split(text)) yield* units(part, finer);
}

/** White space as single spaces. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
