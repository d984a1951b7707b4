import { describe, expect, it } from 'vitest';
import { shortened } from './shortened.ts';

describe('shortened', () => {
  it.each(['', 'One line.', 'A heading\n\nand two\nlines.\n'])('leaves %j as it is', (text) => {
    expect(shortened(text)).toBe(text);
  });

  it('keeps the first three lines that say something', () => {
    expect(shortened('one\n\n\ntwo\n \nthree\nfour')).toBe('one\ntwo\nthree…');
  });

  it('cuts a long line at a word', () => {
    const cut = shortened('quokka '.repeat(100));
    expect(cut).toBe(`${'quokka '.repeat(42).trimEnd()}…`);
  });

  it('cuts what has no spaces, but no character in two', () => {
    expect(shortened(`x${'🙂'.repeat(200)}`)).toBe(`x${'🙂'.repeat(149)}…`);
    expect(shortened('x'.repeat(400))).toBe(`${'x'.repeat(300)}…`);
  });
});
