/**
 * HTML to passages, as it streams in (htmlparser2, which forgives what browsers forgive).
 *
 * Block elements make blocks, headings make the path, list items and table rows make lines, `pre` is kept as it is. The `title` is the
 * outermost heading. Dropped: everything in script, style, template, noscript, svg and nav; attributes; comments. Text is taken as
 * UTF-8 whatever a `meta` element claims.
 *
 * Bounded: an unclosed comment or attribute of 16 MB, or elements 2,000 deep, are refused as `INGEST_MALFORMED`.
 */
import { Parser } from 'htmlparser2';
import { IngestError } from './document.ts';
import { cutBefore } from './lines.ts';
import { oneLine, PassageBuilder } from './passage.ts';
import { type About, PARAGRAPH_LIMIT, type Reader, TITLE_LIMIT } from './reader.ts';

const MARKUP_LIMIT = 16 * 2 ** 20;
const DEPTH_LIMIT = 2000;

const DROPPED = new Set(['script', 'style', 'template', 'noscript', 'svg', 'nav']);
const BLOCKS = new Set(
  (
    'address article aside blockquote body caption details dialog div dl fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 ' +
    'header hr html main ol p pre section summary table ul'
  ).split(' '),
);
const LINES = new Set(['br', 'dd', 'dt', 'li', 'option', 'tr']);
const CELLS = new Set(['td', 'th']);
const ENDS_IN_SPACE = /\s$/;
const HAS_WORDS = /[^\s|]/;
const HEADING = /^h([1-6])$/;

export const readHtml: Reader = async function* (text, about) {
  const reader = new HtmlReader(about);
  for await (const chunk of text) {
    reader.write(chunk);
    yield* reader.builder.take();
  }
  reader.end();
  yield* reader.builder.take({ end: true });
};

class HtmlReader {
  readonly builder = new PassageBuilder();
  readonly #about: About;
  readonly #parser: Parser;
  #text = '';
  // What `#text` ends in: to look at it would copy the whole of it, with every character of a flood.
  /** It is empty or ends in white space. */
  #atSpace = true;
  /** Its last line has more than white space and cell marks. */
  #lineHasWords = false;
  #headingLevel = 0;
  #preDepth = 0;
  #droppedDepth = 0;
  #depth = 0;
  #titleText: string | undefined;
  #charactersSinceEvent = 0;

  constructor(about: About) {
    this.#about = about;
    this.#parser = new Parser({
      onopentagname: (name) => this.#opened(name),
      onclosetag: (name) => this.#closed(name),
      ontext: (text) => this.#addText(text),
      oncomment: () => this.#event(),
    });
  }

  write(chunk: string): void {
    this.#charactersSinceEvent += chunk.length;
    this.#parser.write(chunk);
    if (this.#charactersSinceEvent > MARKUP_LIMIT) this.#refuse(`has markup of more than ${MARKUP_LIMIT} characters`);
  }

  end(): void {
    this.#parser.end();
    this.#endBlock();
  }

  #event(): void {
    this.#charactersSinceEvent = 0;
  }

  #opened(name: string): void {
    this.#event();
    if (++this.#depth > DEPTH_LIMIT) this.#refuse(`nests more than ${DEPTH_LIMIT} elements`);
    if (DROPPED.has(name)) this.#droppedDepth++;
    if (this.#droppedDepth > 0) return;
    if (name === 'title') this.#titleText = '';
    if (BLOCKS.has(name)) this.#endBlock();
    if (LINES.has(name)) this.#addMark('\n');
    if (name === 'sup' || name === 'sub') this.#addMark(' ');
    if (CELLS.has(name) && this.#lineHasWords) this.#addMark(' | ');
    const level = HEADING.exec(name);
    if (level) this.#headingLevel = Number(level[1]);
    if (name === 'pre') this.#preDepth++;
  }

  #closed(name: string): void {
    this.#event();
    this.#depth--;
    if (this.#droppedDepth > 0) {
      if (DROPPED.has(name)) this.#droppedDepth--;
      return;
    }
    if (name === 'title') this.#endTitle();
    if (BLOCKS.has(name)) this.#endBlock();
    if (name === 'pre') this.#preDepth--;
  }

  #addText(text: string): void {
    this.#event();
    if (this.#droppedDepth > 0) return;
    if (this.#titleText !== undefined) {
      if (this.#titleText.length < TITLE_LIMIT) this.#titleText += text;
      return;
    }
    if (this.#preDepth > 0) this.#append(text);
    else {
      const words = text.replace(/\s+/g, ' ');
      this.#append(this.#atSpace ? words.trimStart() : words);
    }
  }

  #addMark(mark: string): void {
    if (this.#text !== '') this.#append(mark);
  }

  #append(text: string): void {
    this.#text += text;
    this.#endsIn(text);
    while (this.#text.length > PARAGRAPH_LIMIT) {
      const cut = cutBefore(this.#text, PARAGRAPH_LIMIT);
      this.builder.block(this.#text.slice(0, cut));
      this.#setText(this.#text.slice(cut));
    }
  }

  #setText(text: string): void {
    this.#text = text;
    this.#atSpace = true;
    this.#lineHasWords = false;
    this.#endsIn(text);
  }

  #endsIn(text: string): void {
    if (text === '') return;
    const line = text.lastIndexOf('\n') + 1;
    this.#atSpace = ENDS_IN_SPACE.test(text.slice(-1));
    this.#lineHasWords = (this.#lineHasWords && line === 0) || HAS_WORDS.test(text.slice(line));
  }

  #endTitle(): void {
    const title = oneLine(this.#titleText ?? '').slice(0, TITLE_LIMIT);
    this.#titleText = undefined;
    if (!title || this.#about.title !== undefined) return;
    this.#about.title = title;
    this.builder.heading(0, title);
  }

  /** A heading that is not closed ends with the next block, so that it cannot swallow the page. */
  #endBlock(): void {
    const text = this.#text;
    const level = this.#headingLevel;
    this.#setText('');
    if (text.trim() === '') return;
    this.#headingLevel = 0;
    const title = oneLine(text);
    const repeatsTitle = level === 1 && title === this.#about.title;
    if (level === 1) this.#about.title ??= title.slice(0, TITLE_LIMIT);
    if (level === 0) this.builder.block(text.replace(/ \n/g, '\n'), { whole: this.#preDepth > 0 });
    else this.builder.heading(repeatsTitle ? 0 : level, title);
  }

  #refuse(problem: string): never {
    throw new IngestError(
      'INGEST_MALFORMED',
      `${this.#about.name} ${problem}; it is not a document that can be read as HTML.`,
      {
        details: { name: this.#about.name },
      },
    );
  }
}
