/**
 * Blocks of a document to passages: pieces of text small enough to be an answer and large enough to be understood.
 *
 * A passage has at most about 250 words of one section. It opens with the path of headings that it stands under
 * (`Guide › Storage › Busy timeout`), because a passage is read and found without its document. Sections never share a passage: a
 * heading is what people ask with, and one that stands among others is neither found nor named. Paragraphs are split between sentences when
 * they must be; whole blocks (code, tables) stay in one passage, which may then be longer, with what introduces them.
 *
 * A passage always says something: a heading that leads to nothing is read as a paragraph under the one above it.
 *
 * Nothing is lost: the words of the passages are the words of the headings and blocks that were added, in order.
 */

/** A passage of fewer words takes in what follows in its section, even where that makes it longer than it should be. */
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

interface Heading {
  readonly level: number;
  readonly text: string;
  /** Something has been said under it. */
  leads: boolean;
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
  #headings: Heading[] = [];
  #blocks: string[] = [];
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
    this.#finish();
    this.#leave(level, title);
    this.#headings.push({ level, text: title, leads: false });
  }

  /** Adds a paragraph, list, table or piece of code; a `whole` one of up to `WHOLE_BLOCK_LIMIT` characters is not split. */
  block(text: string, options: { whole?: boolean } = {}): void {
    const words = countWords(text);
    if (words === 0) return;
    const fits = this.#words + words <= PASSAGE_MAX_WORDS;
    if (fits || (options.whole && text.length <= WHOLE_BLOCK_LIMIT)) {
      if (!fits && this.#words >= PASSAGE_MIN_WORDS) this.#finish();
      this.#append(text, words);
    } else this.#appendUnits(text);
  }

  /** Passages that are complete; each is handed out once. `end` also completes the last one. */
  take(options: { end?: boolean } = {}): Passage[] {
    if (options.end) {
      this.#finish();
      this.#leave(Number.NEGATIVE_INFINITY);
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
    this.#blocks.push((toBlock ? this.#blocks.pop()! : '') + text);
    this.#words += words;
  }

  /** Closes the sections of this level and below. Only the last heading can have led to nothing: the others led to it. */
  #leave(level: number, next?: string): void {
    const last = this.#headings.at(-1);
    if (last && last.level >= level && !last.leads) {
      this.#headings.pop();
      // The same heading twice, as a title and then over the text, is one.
      if (last.text !== next) this.block(last.text);
      this.#finish();
    }
    this.#headings = this.#headings.filter((heading) => heading.level < level);
  }

  #finish(): void {
    if (this.#words === 0) return;
    for (const heading of this.#headings) heading.leads = true;
    const path = this.#headings.map(({ text }) => text).join(PATH_SEPARATOR);
    const blocks = this.#blocks.map((block) => block.replace(/^\n+/, '').trimEnd());
    this.#finished.push({ text: [path, ...blocks].filter(Boolean).join('\n\n'), heading: path || null });
    this.#blocks = [];
    this.#words = 0;
  }
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
