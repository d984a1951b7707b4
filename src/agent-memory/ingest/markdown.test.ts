import { describe, expect, it } from 'vitest';
import { readMarkdown } from './markdown.ts';
import { countWords, PASSAGE_MAX_WORDS, WHOLE_BLOCK_LIMIT } from './passage.ts';
import { readAll } from './reading.fixture.ts';

const texts = async (markdown: string) => (await readAll(readMarkdown, markdown)).passages.map(({ text }) => text);
const textOf = async (markdown: string) => (await texts(markdown)).join('\n\n');
const prose = (count: number) => Array.from({ length: count }, (_, index) => `word${index}`).join(' ');

describe('readMarkdown', () => {
  it('understands both kinds of headings', async () => {
    const { passages, about } = await readAll(
      readMarkdown,
      `# Guide ##\n\n${prose(90)}\n\nInstall it\n==========\n${prose(90)}\n\nSub part\n---\n${prose(90)}\n####### seven\n#hash`,
    );
    expect(about.title).toBe('Guide');
    expect(passages.map(({ heading }) => heading)).toEqual(['Guide', 'Install it', 'Install it › Sub part']);
    expect(passages[2]!.text).toContain('####### seven #hash');
  });

  it('never splits fenced code, and reads no Markdown in it', async () => {
    const code = `\`\`\`\`js title="x"\n# no heading\n\n\`\`\`\n[a](b) <!-- kept -->\n${`${prose(40)}\n`.repeat(20)}\`\`\`\``;
    expect(await texts(`# Code\n\nBefore.\n\n${code}\n\nAfter.`)).toEqual([
      `Code\n\nBefore.\n\n${code}`,
      'Code\n\nAfter.',
    ]);
  });

  it('finds fences in lists and quotes, and ends an open one with the document', async () => {
    expect(await textOf('- ~~~\n  # in list\n  ~~~\n> ```\n> # in quote')).toBe(
      '- ~~~\n  # in list\n  ~~~\n\n> ```\n> # in quote',
    );
  });

  it('splits code that is too large between lines', async () => {
    const rows = Array.from({ length: 3000 }, (_, index) => `const value${index} = ${index};`);
    const found = await texts(`\`\`\`\n${rows.join('\n')}\n\`\`\``);
    for (const text of found) expect(text.length).toBeLessThanOrEqual(WHOLE_BLOCK_LIMIT);
    const lines = new Set(found.flatMap((text) => text.split('\n')));
    for (const row of rows) expect(lines).toContain(row);
  });

  it('keeps tables, and repeats the head where it splits one', async () => {
    const head = '| key | meaning |\n|:----|--------:|';
    const rows = Array.from({ length: 60 }, (_, index) => `| key${index} | ${prose(10)} |`);
    const found = await texts(`Keys:\n\n${head}\n${rows.join('\n')}\n`);
    expect(found.length).toBeGreaterThan(2);
    for (const text of found.slice(1)) {
      expect(text.startsWith(head)).toBe(true);
      expect(countWords(text)).toBeLessThanOrEqual(PASSAGE_MAX_WORDS);
    }
    expect(
      found.flatMap((text) => text.split('\n')).filter((line) => line.startsWith('| key') && /\d/.test(line)),
    ).toEqual(rows);
  });

  it('moves front matter to the metadata and its title to the path', async () => {
    const { passages, about } = await readAll(
      readMarkdown,
      '---\ntitle: "Busy timeout"\ntags: [sqlite, 7, locks]\nsidebar: 3\nnested: { a: 1 }\nauthors: [ann, bob]\n---\n# Busy timeout\n\nSet it.\n',
    );
    expect(passages).toEqual([{ heading: 'Busy timeout', text: 'Busy timeout\n\nSet it.' }]);
    expect(about).toMatchObject({
      title: 'Busy timeout',
      tags: ['sqlite', 'locks'],
      frontMatter: { sidebar: 3, authors: ['ann', 'bob'] },
    });
    expect(about.frontMatter).not.toHaveProperty('nested');
  });

  it.each([
    ['is not closed', '---\ntitle: x\n\nText of the page.'],
    ['is no YAML', '---\n{ ] :\n---\nText of the page.'],
    ['is a list', '---\n- a\n---\nText of the page.'],
    [
      'would expand without end',
      `---\na: &a [x,x]\nb: &b [*a,*a]\n${'c: [*b,*b]\n'.repeat(200)}---\nText of the page.`,
    ],
  ])('reads the page when front matter %s', async (_, markdown) => {
    expect(await textOf(markdown)).toContain('Text of the page.');
  });

  it('drops link targets, definitions, comments and tags, and keeps the words', async () => {
    const markdown = [
      '[![build status](https://ci.example/badge.svg)](https://ci.example) See [the `guide` book](guide.md "Title") or',
      '[ref text][ref], <https://auto.example>, ![a picture](x(1).png) and [odd](a(b)c).',
      '',
      '[ref]: https://example.com/hidden "words"',
      '[^1]: A footnote stays.',
      '[note]: this is a sentence, not a definition',
      '',
      '<!-- hidden',
      'also hidden -->',
      '<p align="center"><b>Bold</b> text<br>next</p> of Promise<Buffer> &amp; more <!-- gone --> end.',
    ].join('\n');
    expect(await textOf(markdown)).toBe(
      [
        'build status See the `guide` book or ref text, <https://auto.example>, a picture and odd.',
        '[^1]: A footnote stays. [note]: this is a sentence, not a definition',
        'Bold text next  of Promise<Buffer> & more   end.',
      ].join('\n\n'),
    );
  });

  it('leaves code spans alone', async () => {
    expect(await textOf('Use `[a](b)` or ``<b>`</b>`` or `<!--` or an open ` and <b>bold</b>.')).toBe(
      'Use `[a](b)` or ``<b>`</b>`` or `<!--` or an open ` and bold.',
    );
  });

  it('joins wrapped lines and keeps list items apart', async () => {
    expect(await textOf('A line\nwraps here.\n\n- one\n  more of one\n- two\n1. three\n\n* * *\n\nEnd')).toBe(
      'A line wraps here.\n\n- one more of one\n- two\n1. three\n\nEnd',
    );
  });

  it('stays fast on text made to be slow', async () => {
    const hostile = [
      '[',
      '[a](',
      '<b ',
      '`',
      '``x`',
      '<!--',
      '*',
      '![',
      '(((',
      '> ',
      '#',
      '| ',
      '- ',
      '"',
      '&',
      ' ',
      '\t',
    ];
    for (const part of hostile) {
      const content = part.repeat(Math.ceil(60_000 / part.length));
      expect((await readAll(readMarkdown, `x ${content} y\n\n${content}z\n`)).passages.length).toBeGreaterThan(0);
    }
  });
});
