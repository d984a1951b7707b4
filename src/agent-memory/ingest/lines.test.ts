import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lines } from './lines.ts';

async function all(chunks: readonly string[], limit = 100) {
  const found = [];
  for await (const line of lines(chunks, limit)) found.push(line);
  return found;
}

describe('lines', () => {
  it('numbers lines and keeps blank ones', async () => {
    expect(await all(['a\n\nb\n', 'c'])).toEqual([
      { text: 'a', number: 1, continues: false },
      { text: '', number: 2, continues: false },
      { text: 'b', number: 3, continues: false },
      { text: 'c', number: 4, continues: false },
    ]);
    expect(await all([])).toEqual([]);
  });

  it('hands out a long line in pieces that end after a word', async () => {
    const found = await all(['one two three four\nfive'], 10);
    expect(found.map((line) => [line.text, line.number, line.continues])).toEqual([
      ['one two ', 1, true],
      ['three four', 1, false],
      ['five', 2, false],
    ]);
  });

  it('never cuts a character in two', async () => {
    for (const { text } of await all(['😀'.repeat(50)], 7)) expect(text.isWellFormed()).toBe(true);
  });

  it('gives the same pieces however the text is cut, loses nothing and keeps the limit', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n', '\t', '😀'), maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.nat(200)), fc.integer({ min: 2, max: 20 }), async (whole, places, limit) => {
        const cuts = [0, ...places.map((place) => Math.min(place, whole.length)), whole.length].sort((a, b) => a - b);
        const chunks = cuts.slice(1).map((end, index) => whole.slice(cuts[index], end));
        const found = await all(chunks, limit);
        expect(found).toEqual(await all([whole], limit));
        expect(found.map((line) => line.text + (line.continues ? '' : '\n')).join('')).toBe(
          whole === '' || whole.endsWith('\n') ? whole : `${whole}\n`,
        );
        expect(Math.max(0, ...found.map((line) => line.text.length))).toBeLessThanOrEqual(limit);
      }),
    );
  });
});
