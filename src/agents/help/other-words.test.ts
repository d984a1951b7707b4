import { describe, expect, it } from 'vitest';
import { analyze } from '../../agent-memory/analyze.ts';
import { otherTermsFor, otherWordsFor } from './other-words.ts';

describe('other words', () => {
  it('work both ways, and never name the word itself', () => {
    for (const term of ['delet', 'folder', 'licenc', 'upgrad', 'stop']) {
      expect(otherTermsFor(term)).not.toHaveLength(0);
      expect(otherTermsFor(term)).not.toContain(term);
      for (const other of otherTermsFor(term)) expect(otherTermsFor(other)).toContain(term);
      expect(otherTermsFor(term)).toEqual(otherWordsFor(term).flatMap(analyze));
    }
  });

  it('are none for most words', () => {
    expect([otherWordsFor('zebra'), otherTermsFor('zebra')]).toEqual([[], []]);
  });
});
