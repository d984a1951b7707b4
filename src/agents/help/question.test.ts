import { describe, expect, it } from 'vitest';
import { Question, widened } from './question.ts';

const counts = (memories: number, withTerm: Record<string, number>) => ({
  memories,
  withTerm: new Map(Object.entries(withTerm)),
});

describe('Question', () => {
  it('weighs rare words above common ones, and all of them to 1', () => {
    const { weights } = new Question('set the busy timeout', [counts(100, { busi: 2, timeout: 10 })]);
    expect([...weights.values()].reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1);
    expect(weights.get('busi')).toBeGreaterThan(weights.get('timeout')!);
  });

  it('adds up what several places know', () => {
    const here = counts(1, { deploy: 1, window: 1 });
    const alone = new Question('deploy window zebra', [here]);
    const together = new Question('deploy window zebra', [here, counts(1000, { deploy: 1, window: 400 })]);
    expect(alone.weights.get('deploy')).toBe(alone.weights.get('window'));
    expect(together.weights.get('deploy')).toBeGreaterThan(2 * together.weights.get('window')!);
  });

  it('gives little to words by which one asks, unless there is nothing else', () => {
    const question = new Question('what does drift mean?', [counts(100, { drift: 20 })]);
    expect(question.covered('drift')).toBeGreaterThan(0.5);
    expect(new Question('what does it mean?', [counts(100, {})]).covered('The mean of all.')).toBe(1);
  });

  it('counts another word for the same, a little less', () => {
    const question = new Question('delete', [counts(100, { remov: 10 })]);
    expect([question.covered('delete'), question.covered('remove it'), question.covered('paint it')]).toEqual([
      1, 0.8, 0,
    ]);
    expect(widened('delete a folder')).toBe('delete a folder remove erase forget directory');
  });

  it('has no words when there are none to search by', () => {
    const question = new Question('what is it?', [counts(100, {})]);
    expect(question.weights.size).toBe(0);
    expect(question.covered('anything')).toBe(0);
  });

  it('knows how many of its words tell', () => {
    expect(new Question('drift', [counts(10, {})]).words).toBe(1);
    expect(new Question('retained drift', [counts(10, {})]).words).toBeCloseTo(2);
  });

  it('takes names as they are spelled', () => {
    const question = new Question('why STORE_LOCKED after tryGrow with --port on /health/live?', [counts(10, {})]);
    expect(question.spelledIn('STORE_LOCKED and tryGrow', '--port /health/live')).toBe(true);
    expect(question.spelledIn('store locked, tryGrow, --port, /health/live')).toBe(false);
    expect(new Question('Why is it slow?', [counts(10, {})]).spelledIn('')).toBe(true);
  });
});
