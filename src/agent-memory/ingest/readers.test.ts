/** What holds for every kind of document: nothing is lost, everything is bounded, and the way the bytes arrive does not matter. */
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readConversation } from './conversation.ts';
import { readHtml } from './html.ts';
import { readMarkdown } from './markdown.ts';
import { countWords, PASSAGE_MAX_WORDS, WHOLE_BLOCK_LIMIT } from './passage.ts';
import { readPlainText } from './plain-text.ts';
import { LINE_LIMIT, type Reader } from './reader.ts';
import { cutAt, readAll, wordsIn } from './reading.fixture.ts';

const READERS: Record<string, { reader: Reader; pieces: string[] }> = {
  markdown: {
    reader: readMarkdown,
    pieces: [
      '# A title\n',
      '## Ünter\n',
      '- item\n',
      '```js\ncode();\n```\n',
      '| a | b |\n|---|---|\n| 1 | 2 |\n',
      '[x](y) ',
      '<!-- c -->\n',
      '---\n',
      'Title\n===\n',
    ],
  },
  text: { reader: readPlainText, pieces: ['A sentence. ', '段落。', 'x'.repeat(70_000), '\t'] },
  html: {
    reader: readHtml,
    pieces: [
      '<p>',
      '</p>',
      '<h2>head</h2>',
      '<br>',
      '&amp;',
      '&notit;',
      '&#x1F600;',
      '<nav>n</nav>',
      '<pre>\n a  b</pre>',
      '<li>',
      '<!--c-->',
      '<td>cell',
      '<script>s</script>',
    ],
  },
  conversation: {
    reader: readConversation,
    pieces: ['{"role":"user","content":"hé"}\n', '{"messages":[{"role":"a","content":"b c"}]}\n', '{bad\n', '[]\n'],
  },
};

describe.each(Object.entries(READERS))('%s', (_, { reader, pieces }) => {
  const piece = fc.oneof(
    fc.constantFrom(...pieces, '\n', '\r\n', '\n\n', ' ', 'some plain words, and more of them. '.repeat(20)),
    fc.string({ unit: 'grapheme', maxLength: 20 }),
  );

  it('gives the same passages however the bytes are cut, each bounded and none empty', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { maxLength: 40 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        async (parts, places) => {
          const bytes = Buffer.from(`${'filling words '.repeat(600)}\n\n${parts.join('')}`);
          const whole = await readAll(reader, [bytes]);
          expect((await readAll(reader, cutAt(bytes, places))).passages).toEqual(whole.passages);
          for (const { text, heading } of whole.passages) {
            expect(text.trim()).not.toBe('');
            expect(
              countWords(text) <= PASSAGE_MAX_WORDS + 80 + countWords(heading ?? '') ||
                text.length <= WHOLE_BLOCK_LIMIT + 1500,
            ).toBe(true);
          }
        },
      ),
    );
  });

  it('reads an empty document and one of blank lines', async () => {
    expect((await readAll(reader, '')).passages).toEqual([]);
    expect((await readAll(reader, '\n \n\r\n')).passages).toEqual([]);
  });

  it('reads a line of a megabyte in passages', async () => {
    const line = 'endless line '.repeat(100_000);
    const { passages, badLines } = await readAll(reader, cutAt(Buffer.from(line), [4e5, 8e5, 1e6 + 1]));
    expect(badLines.length > 0 || wordsIn(passages.map(({ text }) => text).join(' ')).length === 200_000).toBe(true);
    for (const { text } of passages) expect(text.length).toBeLessThan(LINE_LIMIT);
  });
});

describe('no word is lost', () => {
  const words = fc
    .array(fc.stringMatching(/^[a-zé中]{1,12}$/), { minLength: 1, maxLength: 60 })
    .map((list) => list.join(' '));
  const heading = fc.tuple(fc.integer({ min: 1, max: 6 }), words).map(([level, text]) => ({ level, text }));
  const blocks = fc.array(fc.oneof(words, heading), { maxLength: 30 });
  const spoken = (parts: readonly (string | { text: string })[]) =>
    new Set(parts.flatMap((part) => wordsIn(typeof part === 'string' ? part : part.text)));
  const kept = async (reader: Reader, content: string) =>
    new Set((await readAll(reader, content)).passages.flatMap(({ text }) => wordsIn(text)));

  it('of Markdown, HTML and text', async () => {
    await fc.assert(
      fc.asyncProperty(blocks, async (parts) => {
        const markdown = parts.map((part) =>
          typeof part === 'string' ? part : `${'#'.repeat(part.level)} ${part.text}`,
        );
        const html = parts.map((part) =>
          typeof part === 'string' ? `<p>${part}` : `<h${part.level}>${part.text}</h${part.level}>`,
        );
        const all = spoken(parts);
        expect(await kept(readMarkdown, markdown.join('\n\n'))).toEqual(all);
        expect(await kept(readHtml, html.join('\n'))).toEqual(all);
        expect(
          await kept(readPlainText, parts.map((part) => (typeof part === 'string' ? part : part.text)).join('\n\n')),
        ).toEqual(all);
      }),
    );
  });

  it('of the README files of the installed packages', async () => {
    const files = readdirSync('node_modules')
      .filter((name) => !name.startsWith('.') && !name.startsWith('@'))
      .map((name) => `node_modules/${name}/README.md`)
      .flatMap((file) => {
        try {
          return [readFileSync(file, 'utf8')];
        } catch {
          return [];
        }
      });
    expect(files.length).toBeGreaterThan(20);
    for (const content of files) {
      // What is documented as dropped: targets, definitions, comments and tags, outside code.
      const prose = content
        .replace(/<!--[\s\S]*?-->|\]\([^)]*\)|^ *\[[^\]]+\]:.*$|\]\[[^\]]*\]|<[^>]*>|&\w+;|^(---|```|~~~).*$/gm, ' ')
        .replace(/\r/g, '');
      const got = await kept(readMarkdown, content);
      const lost = [...new Set(wordsIn(prose))].filter((word) => !got.has(word));
      expect(lost, content.slice(0, 200)).toEqual([]);
    }
  });
});
