import { describe, expect, it } from 'vitest';
import { alertWords, gathered, sentenceOf, toneOf } from './event-sentence.ts';

const MB = 2 ** 20;
const plain = (text: string) => text.replaceAll('\u00a0', ' ');

describe('sentenceOf', () => {
  it('tells a rise of pressure with its reason and the largest holders', () => {
    const event = {
      type: 'pressure.level_changed',
      atMs: 0,
      level: 'high',
      previousLevel: 'moderate',
      reason: 'anon 412 MB of 512 MB',
      holders: ['vectors 180 MB', 'sessions 96 MB'],
    };
    expect(sentenceOf(event)).toBe(
      'Pressure rose from moderate to high: anon 412 MB of 512 MB. Largest: vectors 180 MB, sessions 96 MB.',
    );
    expect(toneOf(event)).toBe('warning');
    expect(sentenceOf({ ...event, level: 'low', holders: [] })).toBe(
      'Pressure fell from moderate to low: anon 412 MB of 512 MB.',
    );
  });

  it('tells a response with what was wanted, what the books show and what left the process', () => {
    const event = {
      type: 'pressure.responded',
      atMs: 0,
      targetBytes: 64 * MB,
      accountedBytes: 48 * MB,
      residentDropBytes: 30 * MB,
      collected: true,
      tookMs: 412,
    };
    expect(plain(sentenceOf(event))).toBe(
      'Reclaimed 48 MB of 64 MB wanted in 0.4 s, with one garbage collection; resident memory fell by 30 MB.',
    );
  });

  it('leaves the date out of an alert, and keeps what it stands for', () => {
    const message = 'memory in use 84 %, threshold 80 %, since 2026-01-01T00:00:00.000Z; largest: vectors 180 MB';
    expect(alertWords(message)).toBe('memory in use 84 %, threshold 80 %; largest: vectors 180 MB');
    const cleared = { type: 'pressure.alert_cleared', atMs: 0, severity: 'error', message, lastedMs: 180_000 };
    expect(plain(sentenceOf(cleared))).toBe('Alert over after 3 min: memory in use 84 %, threshold 80 %.');
    expect(toneOf(cleared)).toBe('good');
  });

  it('tells an unknown event from its own words, each value by the unit in its name', () => {
    const event = {
      type: 'holders.cache_cleared',
      atMs: 5,
      cacheName: 'embeddings',
      freedBytes: 12 * MB,
      tookMs: 42,
      isFull: false,
      entries: 7,
      asked: ['a', 'b'],
      nested: { left: 'out' },
      nothing: '',
    };
    expect(plain(sentenceOf(event))).toBe(
      'Holders: cache cleared (cache name embeddings, freed 12 MB, took 42 ms, is full no, entries 7, asked a, b).',
    );
    expect(sentenceOf({ type: 'odd', atMs: 5 })).toBe('Odd.');
  });
});

describe('gathered', () => {
  it('adds up neighbours that count the same, and only those', () => {
    const remembered = (tenant: string, count: number) => ({
      type: 'agent_memory.remembered',
      atMs: count,
      tenant,
      count,
    });
    const level = { type: 'pressure.level_changed', atMs: 9 };
    const events = [remembered('a', 1), remembered('a', 2), remembered('b', 3), level, level, remembered('b', 4)];
    expect(gathered(events).map((event) => event['count'] ?? event.type)).toEqual([3, 3, level.type, level.type, 4]);
  });
});
