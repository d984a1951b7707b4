import { describe, expect, it } from 'vitest';
import { gathered, sentenceOf, toneOf, withoutDate } from './event-sentence.ts';
import type { NodeEvent } from './wire.ts';

const event = (text: string, fields: Partial<NodeEvent> = {}): NodeEvent => ({
  type: 'test.happened',
  atMs: 0,
  severity: 'info',
  text,
  ...fields,
});

describe('sentenceOf', () => {
  it('gives the words of the server a capital and a full stop, and keeps sizes together', () => {
    expect(sentenceOf(event('pressure high: anon 412 of 512 MB; largest: vectors 180 MB of 3 Basel'))).toBe(
      'Pressure high: anon 412 of 512\u00a0MB; largest: vectors 180\u00a0MB of 3 Basel.',
    );
    expect(sentenceOf(event('regained 11 MB in 1.2 s at 84 %'))).toBe(
      'Regained 11\u00a0MB in 1.2\u00a0s at 84\u00a0%.',
    );
    expect(sentenceOf(event('configuration not reloaded: is empty.'))).toBe('Configuration not reloaded: is empty.');
  });

  it('leaves the date out of an alert, and keeps what it stands for', () => {
    const text = 'alert: memory in use 84 %, threshold 80 %, since 2026-01-01T00:00:00.000Z; held by vectors 180 MB';
    expect(withoutDate(text)).toBe('alert: memory in use 84 %, threshold 80 %; held by vectors 180 MB');
    expect(sentenceOf(event(text)).replaceAll('\u00a0', ' ')).toBe(
      'Alert: memory in use 84 %, threshold 80 %; held by vectors 180 MB.',
    );
  });
});

describe('toneOf', () => {
  it.each([
    ['bad', { severity: 'error' }],
    ['warning', { severity: 'warning' }],
    ['plain', { severity: 'debug' }],
    ['good', { type: 'pressure.alert_cleared' }],
    ['good', { type: 'pressure.level_changed', level: 'low' }],
    ['plain', { type: 'pressure.level_changed', level: 'moderate' }],
  ] as const)('is %s for %j', (tone, fields) => {
    expect(toneOf(event('x', fields))).toBe(tone);
  });
});

describe('gathered', () => {
  it('makes one of neighbours in the same words, the newest, and counts them', () => {
    const events = ['a', 'a', 'b', 'a', 'a', 'a'].map((text, index) => event(text, { atMs: 9 - index }));
    expect(gathered(events).map(({ text, times, atMs }) => [text, times, atMs])).toEqual([
      ['a', 2, 9],
      ['b', 1, 7],
      ['a', 3, 6],
    ]);
  });
});
