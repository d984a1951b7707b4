import { describe, expect, it } from 'vitest';
import { readHtml } from './html.ts';
import { readAll } from './reading.fixture.ts';

const textOf = async (html: string) => (await readAll(readHtml, html)).passages.map(({ text }) => text).join('\n\n');
const prose = (count: number) => Array.from({ length: count }, (_, index) => `word${index}`).join(' ');

describe('readHtml', () => {
  it('reads headings, title, lists, tables and code', async () => {
    const { passages, about } = await readAll(
      readHtml,
      `<!doctype html><html><head><title>The &amp; Guide</title><style>p { color: red }</style></head><body>
       <nav><a href="/">Home</a></nav><h1>Storage</h1><p>Set the <b>busy</b> time&shy;out&nbsp;&lt;5&gt;.</p>
       <ul><li>one<li>two <a href="x">link</a></ul><table><tr><th>key</th><th>value</th></tr><tr><td>a<td>1</tr></table>
       <pre>\n  let a = 1;\n\n  let b;\n</pre><script>alert("x")</script><noscript>no</noscript><svg><text>svg</text></svg>
       line<br>break</body></html>`,
    );
    expect(about.title).toBe('The & Guide');
    expect(passages).toEqual([
      {
        heading: 'The & Guide › Storage',
        text: [
          'The & Guide › Storage',
          'Set the busy time\u00adout <5>.',
          'one\ntwo link',
          'key | value\na | 1',
          '  let a = 1;\n\n  let b;',
          'line\nbreak',
        ].join('\n\n'),
      },
    ]);
  });

  it('starts passages at headings and lets no unclosed one swallow the page', async () => {
    const { passages, about } = await readAll(
      readHtml,
      `<h1>One<p>${prose(90)}</p><h2>Two</h2><div>${prose(90)}</div><h2>Three</h2><p>${prose(90)}</p>`,
    );
    expect(passages.map(({ heading }) => heading)).toEqual(['One', 'One › Two', 'One › Three']);
    expect(about.title).toBe('One');
  });

  it('does not repeat a title that is also the heading', async () => {
    expect(await textOf('<title>Guide</title><h1>Guide</h1>Text')).toBe('Guide\n\nText');
  });

  it('reads a fragment and broken markup', async () => {
    expect(await textOf('plain < text </p> & <b>more<i>')).toBe('plain < text\n\n& more');
    expect(await textOf('')).toBe('');
  });

  it('keeps cells apart on their line, through a flood of them', async () => {
    expect(await textOf('<td>a<td>b<tr><td><td>c<td>d')).toBe('a | b\nc | d');
    const cells = await textOf('a<td>'.repeat(50_000));
    expect(cells.match(/a/g)).toHaveLength(50_000);
    expect(cells).toMatch(/^a(?: \| ?a|[ \n|]+a)*[ |]*$/);
  });

  it('joins text that comes in pieces with the space that was there', async () => {
    expect(await textOf('a &amp; b&amp; c &lt;d <b> e</b> <i>f</i>g')).toBe('a & b& c <d e fg');
  });

  it('refuses markup without end and without bottom', async () => {
    const failure = (html: string) => readAll(readHtml, html).catch((error: unknown) => error);
    expect(await failure(`<!-- ${'x'.repeat(17 * 2 ** 20)}`)).toMatchObject({ code: 'INGEST_MALFORMED' });
    expect(await failure('<i>'.repeat(3000))).toMatchObject({ code: 'INGEST_MALFORMED' });
  });
});
