/**
 * Markdown to passages, line by line.
 *
 * Headings (both kinds) make the path of each passage. Fenced code is never split unless it exceeds `WHOLE_BLOCK_LIMIT`; a table
 * is split between rows and each part repeats its head. Front matter goes to the metadata. Dropped: link targets and link
 * definitions, HTML comments and tags, rules. This is a reader, not a renderer: what it does not know stays as text.
 *
 * State, per line: in front matter → in fence | in comment | in paragraph (which may turn out to be a heading, a list or a table).
 * Follows CommonMark 0.31 where the difference would lose or misplace words.
 */
import { readFrontMatter } from './front-matter.ts';
import { lines } from './lines.ts';
import { readableInline } from './markdown-inline.ts';
import { countWords, oneLine, PASSAGE_MAX_WORDS, PassageBuilder, WHOLE_BLOCK_LIMIT } from './passage.ts';
import { type About, LINE_LIMIT, PARAGRAPH_LIMIT, type Reader, TITLE_LIMIT } from './reader.ts';

const ATX_HEADING = /^ {0,3}(#{1,6})(?:[ \t](.*))?$/;
const SETEXT_UNDERLINE = /^ {0,3}(=+|-{2,})[ \t]*$/;
const RULE = /^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$/;
const FENCE = /^[ \t]*(?:>[ \t]?)*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(`{3,}|~{3,})[^`]*$/;
const FENCE_END = /^[ \t]*(?:>[ \t]?)*(`{3,}|~{3,})[ \t]*$/;
const LINK_DEFINITION = /^ {0,3}\[(?!\^)[^\]]+\]:[ \t]*\S+(?:[ \t]+(?:"[^"]*"|'[^']*'|\([^()]*\)))?[ \t]*$/;
const BLOCK_COMMENT = /^ {0,3}<!--/;
const LIST_ITEM = /^[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]/;
const TABLE_DELIMITER = /^[|:\- \t]+$/;
/** Lines that begin so stand on a line of their own; others continue their paragraph. */
const KEEPS_LINE = /^(?:[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]| {4}|\t|[ \t]*[|>])/;

export const readMarkdown: Reader = async function* (text, about) {
  const reader = new MarkdownReader(about);
  let begun = false;
  for await (const line of withoutFrontMatter(lines(text, LINE_LIMIT), about)) {
    if (!begun && about.title !== undefined) reader.builder.heading(0, about.title);
    begun = true;
    reader.line(line);
    yield* reader.builder.take();
  }
  reader.end();
  yield* reader.builder.take({ end: true });
};

/** Longest front matter, in characters; what is longer is read as text. */
const FRONT_MATTER_READ_LIMIT = 16_384;

async function* withoutFrontMatter(source: AsyncIterable<{ text: string }>, about: About): AsyncGenerator<string> {
  let held: string[] | undefined = [];
  let heldCharacters = 0;
  for await (const { text } of source) {
    if (!held) {
      yield text;
      continue;
    }
    const mark = text.trimEnd();
    if (held.length > 0 && (mark === '---' || mark === '...')) {
      await readFrontMatter(held.slice(1).join('\n'), about);
      held = undefined;
      continue;
    }
    held.push(text);
    heldCharacters += text.length;
    if (held[0]!.trimEnd() !== '---' || heldCharacters > FRONT_MATTER_READ_LIMIT) {
      yield* held;
      held = undefined;
    }
  }
  if (held) yield* held;
}

interface Fence {
  readonly mark: string;
  lines: string[];
  characters: number;
}

class MarkdownReader {
  readonly builder = new PassageBuilder();
  readonly #about: About;
  #paragraph: string[] = [];
  #paragraphCharacters = 0;
  #fence: Fence | undefined;
  #inComment = false;

  constructor(about: About) {
    this.#about = about;
  }

  line(line: string): void {
    if (this.#fence) this.#fenceLine(line, this.#fence);
    else if (this.#inComment) this.#commentLine(line);
    else if (!this.#opensBlock(line) && !this.#underlines(line)) this.#paragraphLine(line);
  }

  /** Takes a line that ends a paragraph by beginning something else. */
  #opensBlock(line: string): boolean {
    const fence = FENCE.exec(line);
    const heading = ATX_HEADING.exec(line);
    const comment = BLOCK_COMMENT.test(line);
    if (!fence && !heading && !comment && line.trim() !== '') return false;
    this.#endParagraph();
    if (fence) this.#fence = { mark: fence[1]!, lines: [line], characters: line.length };
    else if (heading) this.#heading(heading[1]!.length, oneLine(heading[2] ?? '').replace(/(?:^| )#+$/, ''));
    else if (comment) this.#commentLine(line);
    return true;
  }

  /** Takes a line of dashes or equal signs, which makes the paragraph a heading or is a rule, and link definitions. */
  #underlines(line: string): boolean {
    const first = this.#paragraph[0];
    if (first === undefined) return RULE.test(line) || LINK_DEFINITION.test(line);
    const underline = LIST_ITEM.test(first) ? null : SETEXT_UNDERLINE.exec(line);
    if (underline) {
      const title = this.#paragraph.join(' ');
      this.#clearParagraph();
      this.#heading(underline[1]!.startsWith('=') ? 1 : 2, title);
    } else if (RULE.test(line)) this.#endParagraph();
    else return false;
    return true;
  }

  /** What was begun ends with the document. */
  end(): void {
    if (this.#fence) this.#endFence();
    this.#endParagraph();
  }

  #paragraphLine(line: string): void {
    this.#paragraph.push(line);
    this.#paragraphCharacters += line.length;
    if (this.#paragraphCharacters >= PARAGRAPH_LIMIT) this.#endParagraph();
  }

  #heading(level: number, markup: string): void {
    const title = oneLine(readableInline(markup));
    // Front matter has named the document: its title again is not a section of its own.
    const repeatsTitle = level === 1 && title === this.#about.title;
    if (level === 1 && title) this.#about.title ??= title.slice(0, TITLE_LIMIT);
    this.builder.heading(repeatsTitle ? 0 : level, title);
  }

  #fenceLine(line: string, fence: Fence): void {
    if (fence.characters + line.length + 1 > WHOLE_BLOCK_LIMIT) {
      this.builder.block(fence.lines.join('\n'));
      fence.lines = [];
      fence.characters = 0;
    }
    fence.lines.push(line);
    fence.characters += line.length + 1;
    if (FENCE_END.exec(line)?.[1]?.startsWith(fence.mark)) this.#endFence();
  }

  #endFence(): void {
    this.builder.block(this.#fence!.lines.join('\n'), { whole: true });
    this.#fence = undefined;
  }

  #commentLine(line: string): void {
    const end = line.indexOf('-->');
    this.#inComment = end < 0;
    const rest = end < 0 ? '' : line.slice(end + 3);
    if (rest.trim() !== '') this.#paragraphLine(rest);
  }

  #endParagraph(): void {
    const rows = this.#paragraph;
    if (rows.length === 0) return;
    this.#clearParagraph();
    if (rows.length > 1 && rows[0]!.includes('|') && isTableDelimiter(rows[1]!)) {
      this.#table(rows);
      return;
    }
    const text = rows.reduce(
      (joined, row) => joined + (KEEPS_LINE.test(row) ? `\n${row.trimEnd()}` : ` ${row.trim()}`),
    );
    this.builder.block(readableInline(text).replace(/^ {1,3}(?! )/, ''));
  }

  #clearParagraph(): void {
    this.#paragraph = [];
    this.#paragraphCharacters = 0;
  }

  #table(rows: readonly string[]): void {
    const head = rows.slice(0, 2).map(readableInline).join('\n');
    const headWords = countWords(head);
    let part = head;
    let partWords = headWords;
    for (const row of rows.slice(2).map(readableInline)) {
      const words = countWords(row);
      if (partWords + words > PASSAGE_MAX_WORDS && partWords > headWords) {
        this.builder.block(part, { whole: true });
        part = head;
        partWords = headWords;
      }
      part += `\n${row}`;
      partWords += words;
    }
    this.builder.block(part, { whole: true });
  }
}

function isTableDelimiter(row: string): boolean {
  return TABLE_DELIMITER.test(row) && row.includes('-');
}
