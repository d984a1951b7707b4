import { describe, expect, it } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { analyze, countTerms, wordsOf } from './analyze.ts';

describe('analyze', () => {
  it('folds case and accents, drops function words and stems English', () => {
    expect(analyze('How do I set the Budgets of a café?')).toEqual(['set', 'budget', 'cafe']);
  });

  it('brings the forms of a word together, also after a vowel and y', () => {
    for (const word of ['deploy', 'deploys', 'deployed', 'deploying', 'deployment'])
      expect(analyze(word)).toEqual(['deploy']);
    expect(analyze('city cities play plays')).toEqual(['citi', 'citi', 'play', 'play']);
    expect(analyze('taxi')).toEqual(['taxi']);
  });

  it('keeps numbers, names with digits and words of other alphabets', () => {
    expect(analyze('HTTP2 in 2026: привет, Ελλάδα')).toEqual(['http2', '2026', 'привет', 'ελλαδα']);
  });

  it('cuts scripts without spaces into pairs of characters', () => {
    expect(analyze('内存管理')).toEqual(['内存', '存管', '管理']);
    expect(analyze('メモリー')).toEqual(['メモ', 'モリ', 'リー']);
    expect(analyze('猫')).toEqual(['猫']);
  });

  it('finds pairs of a question inside a longer sentence', () => {
    const document = new Set(analyze('代理的内存管理很重要'));
    expect(analyze('内存管理').every((pair) => document.has(pair))).toBe(true);
  });

  it('separates a word from unspaced text that touches it', () => {
    expect(analyze('Node内存')).toEqual(['node', '内存']);
  });

  it('treats an emoji as a word and everything else as a gap', () => {
    expect(analyze('🚀 "launch" AND (NEAR/3 *) 🚀')).toEqual(['🚀', 'launch', 'near', '3', '🚀']);
  });

  it('finds no terms in function words, punctuation or nothing', () => {
    expect(analyze('what was it that you had')).toEqual([]);
    expect(analyze('?!… --')).toEqual([]);
    expect(analyze('')).toEqual([]);
  });

  it('cuts a run of marks at thirty, which any two spellings of a word stay below', () => {
    const marks = (count: number) => '\u0f71\u0f72'.repeat(count / 2);
    expect(analyze(`ཀ${marks(30)}`)).toEqual(analyze(`ཀ${marks(30)}${marks(20_000)}`));
    expect(analyze(`e${'\u0301'.repeat(40)}`)).toEqual(['e']);
    // Half-width sound marks are letters until they are normalised.
    expect(analyze('\uff9e\u0334'.repeat(15))).toEqual(analyze('\uff9e\u0334'.repeat(16_000)));
  });

  it('takes no text of a script to be slow: a run of marks costs no more than its length', () => {
    for (const mark of ['\u0f73', '\u0300\u0316', '\u3099\u0334\u05b0\u0345', '\uff9e\u0334']) {
      const startedMs = systemClock.monotonicMs();
      for (let time = 0; time < 20; time++) analyze(`a${mark.repeat(32_000 / mark.length)}`);
      // Some milliseconds; a run that is sorted whole takes half a second to two, each time.
      expect(systemClock.monotonicMs() - startedMs).toBeLessThan(2_000);
    }
  });

  it('bounds a term however long the text runs without a space', () => {
    const terms = analyze('x'.repeat(1_000_000));
    expect(terms).toHaveLength(1);
    expect(terms[0]!.length).toBeLessThanOrEqual(64);
  });
});

describe('wordsOf and countTerms', () => {
  it('keeps words unstemmed, function words included', () => {
    expect(wordsOf('What did Ann say?')).toEqual(['what', 'did', 'ann', 'say']);
  });

  it('counts repeats', () => {
    expect([...countTerms(['a', 'b', 'a'])]).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
  });
});
