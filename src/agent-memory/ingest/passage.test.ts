import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countWords, PASSAGE_MAX_WORDS, type Passage, PassageBuilder, WHOLE_BLOCK_LIMIT } from './passage.ts';
import { wordsIn } from './reading.fixture.ts';

/** `count` different words in sentences of ten. */
function prose(count: number, stem = 'w'): string {
  return Array.from({ length: count }, (_, index) => `${stem}${index}${index % 10 === 9 ? '.' : ''}`).join(' ');
}

function build(fill: (builder: PassageBuilder) => void): Passage[] {
  const builder = new PassageBuilder();
  fill(builder);
  return builder.take({ end: true });
}

describe('PassageBuilder', () => {
  it('opens each passage with the headings it stands under', () => {
    const passages = build((builder) => {
      builder.heading(1, 'Guide');
      builder.heading(2, 'Storage');
      builder.block(prose(100, 'a'));
      builder.heading(3, 'Busy timeout');
      builder.block(prose(100, 'b'));
      builder.heading(2, 'Memory');
      builder.block(prose(100, 'c'));
    });
    expect(passages.map((passage) => passage.heading)).toEqual([
      'Guide › Storage',
      'Guide › Storage › Busy timeout',
      'Guide › Memory',
    ]);
    expect(passages[1]!.text).toBe(`Guide › Storage › Busy timeout\n\n${prose(100, 'b')}`);
  });

  it('gives each section a passage of its own, however short, under all its headings', () => {
    const passages = build((builder) => {
      builder.heading(1, 'Guide');
      builder.heading(2, 'Install');
      builder.block('Run npm.');
      builder.heading(2, 'Licence');
      builder.block('MIT.');
    });
    expect(passages).toEqual([
      { heading: 'Guide › Install', text: 'Guide › Install\n\nRun npm.' },
      { heading: 'Guide › Licence', text: 'Guide › Licence\n\nMIT.' },
    ]);
  });

  it('splits a long paragraph between sentences', () => {
    const passages = build((builder) => builder.block(prose(1000)));
    expect(passages.length).toBe(4);
    for (const { text } of passages) expect(text).toMatch(/\.$/);
  });

  it('splits Chinese after its full stops', () => {
    const passages = build((builder) => builder.block('这是一个很长的句子。'.repeat(200)));
    expect(passages.length).toBeGreaterThan(3);
    for (const { text } of passages) expect(text).toMatch(/。$/);
  });

  it('keeps a whole block whole, and with it what introduces it', () => {
    const code = prose(600, 'code');
    const passages = build((builder) => {
      builder.heading(1, 'Code');
      builder.block(prose(100, 'a'));
      builder.block(prose(60, 'b'));
      builder.block(code, { whole: true });
      builder.heading(1, 'More');
      builder.block(prose(60, 'c'));
      builder.block(code, { whole: true });
      builder.block(prose(60, 'd'));
    });
    expect(passages.map(({ text }) => text)).toEqual([
      `Code\n\n${prose(100, 'a')}\n\n${prose(60, 'b')}`,
      `Code\n\n${code}`,
      `More\n\n${prose(60, 'c')}\n\n${code}`,
      `More\n\n${prose(60, 'd')}`,
    ]);
  });

  it('never makes a passage of a heading alone: one that leads to nothing is said under the heading above it', () => {
    const long = prose(100, 'heading');
    const code = prose(600, 'code');
    const passages = build((builder) => {
      builder.heading(1, 'Alone');
      builder.heading(1, 'Settings');
      builder.block(code, { whole: true });
      builder.heading(2, 'Empty');
      builder.heading(2, 'Full');
      builder.heading(3, 'Deep');
      builder.block('Text.');
      builder.heading(3, 'End');
      builder.heading(2, long);
    });
    expect(passages.map(({ text }) => text)).toEqual([
      'Alone',
      `Settings\n\n${code}`,
      'Settings\n\nEmpty',
      'Settings › Full › Deep\n\nText.',
      `Settings › Full › End\n\n${long}`,
    ]);
  });

  it('cuts a word without end', () => {
    const passages = build((builder) => builder.block('x'.repeat(50_000)));
    expect(passages.map(({ text }) => text).join('')).toBe('x'.repeat(50_000));
    for (const { text } of passages) expect(countWords(text)).toBeLessThanOrEqual(PASSAGE_MAX_WORDS);
  });

  it('has nothing to say of nothing', () => {
    expect(build(() => {})).toEqual([]);
    expect(build((builder) => builder.block(' \n '))).toEqual([]);
    expect(build((builder) => builder.heading(1, ' '))).toEqual([]);
  });

  it('loses no word, keeps their order, and bounds every passage', () => {
    const words = fc.string({ unit: fc.constantFrom('a', 'é', '中', ' ', '.', '\n', '"', '1', 'Z'), maxLength: 3000 });
    const headings = words.map((text) => text.slice(0, 40));
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('block' as const), text: words, whole: fc.boolean() }) },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('heading' as const),
          level: fc.integer({ min: 1, max: 6 }),
          text: headings,
        }),
      },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const passages = build((builder) => {
          for (const each of steps) {
            if (each.kind === 'block') builder.block(each.text, { whole: each.whole });
            else builder.heading(each.level, each.text);
          }
        });
        const blocks = steps.filter((each) => each.kind === 'block');
        const got = passages.flatMap(({ text }) => wordsIn(text)).join('');
        // Words without end may be cut, so letters are compared, in order and with others (repeated headings) in between.
        expect(isSubsequence(blocks.flatMap(({ text }) => wordsIn(text)).join(''), got)).toBe(true);
        for (const each of steps) for (const word of wordsIn(each.text)) expect(got).toContain(word.slice(0, 100));
        for (const { text, heading } of passages) {
          if (heading !== null) expect(text.startsWith(heading)).toBe(true);
          const isWhole = steps.some((each) => each.kind === 'block' && each.whole && countWords(each.text) > 100);
          if (heading !== null) expect(text.length).toBeGreaterThan(heading.length + 2);
          if (isWhole) expect(text.length).toBeLessThanOrEqual(WHOLE_BLOCK_LIMIT);
          else expect(countWords(text)).toBeLessThanOrEqual(PASSAGE_MAX_WORDS + 6 * countWords('中'.repeat(40)));
        }
      }),
      { numRuns: 300 },
    );
  });
});

function isSubsequence(wanted: string, text: string): boolean {
  let at = 0;
  for (const character of text) if (character === wanted[at]) at++;
  return at === wanted.length;
}
