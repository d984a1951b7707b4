import { describe, expect, it } from 'vitest';
import { CONVERSATION_LINE_LIMIT, readConversation } from './conversation.ts';
import { countWords, PASSAGE_MAX_WORDS } from './passage.ts';
import { readAll } from './reading.fixture.ts';

const read = (...values: unknown[]) =>
  readAll(
    readConversation,
    values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join('\n'),
  );

const passage = (text: string, rest: object = {}) => ({
  text,
  heading: null,
  speaker: undefined,
  session: undefined,
  atMs: undefined,
  ...rest,
});

describe('readConversation', () => {
  it('reads OpenAI messages, alone, in a conversation and in a list', async () => {
    const parts = [
      { type: 'text', text: 'Look:' },
      { type: 'image_url', image_url: {} },
      'and say',
      { text: { value: 'why' } },
    ];
    const { passages, badLines } = await read(
      { role: 'user', content: 'Hello' },
      {
        messages: [
          { role: 'user', content: parts },
          { role: 'assistant', content: null, tool_calls: [] },
        ],
        id: 7,
      },
      [{ role: 'user', name: 'ann', content: ' hi ' }],
    );
    expect(badLines).toEqual([]);
    expect(passages).toEqual([
      passage('Hello', { speaker: 'user' }),
      passage('Look:\n\nand say\n\nwhy', { speaker: 'user', session: '7' }),
      passage('hi', { speaker: 'ann', session: 'document#3' }),
    ]);
  });

  it('reads ShareGPT conversations', async () => {
    const { passages } = await read({
      id: 'c1',
      conversations: [
        { from: 'human', value: 'Why?' },
        { from: 'gpt', value: 'So.' },
      ],
    });
    expect(passages).toEqual([
      passage('Why?', { speaker: 'human', session: 'c1' }),
      passage('So.', { speaker: 'gpt', session: 'c1' }),
    ]);
  });

  it('reads dialogue turns with session and time', async () => {
    const turn = { speaker: 'Ann', text: 'I moved.', session: 3 };
    const times: [unknown, number | undefined][] = [
      ['1:56 pm on 8 May, 2023', Date.UTC(2023, 4, 8, 13, 56)],
      ['2023-05-08T13:56:00', Date.UTC(2023, 4, 8, 13, 56)],
      ['2023-05-08 13:56', Date.UTC(2023, 4, 8, 13, 56)],
      ['2023-05-08', Date.UTC(2023, 4, 8)],
      ['2023-05-08T13:56:00+02:00', Date.UTC(2023, 4, 8, 11, 56)],
      [1683554160.25, 1683554160250],
      [1683554160000, 1683554160000],
      ['yesterday', undefined],
      [Number.MAX_VALUE, undefined],
      [null, undefined],
    ];
    const { passages } = await read(...times.map(([timestamp]) => ({ ...turn, timestamp })));
    expect(passages).toEqual(times.map(([, atMs]) => passage('I moved.', { speaker: 'Ann', session: '3', atMs })));
  });

  it('gives the time of a conversation to its messages', async () => {
    const { passages } = await read({
      session: 's',
      timestamp: 1700000000,
      messages: [{ role: 'user', content: 'a' }],
    });
    expect(passages).toEqual([passage('a', { speaker: 'user', session: 's', atMs: 1700000000000 })]);
  });

  it('cuts a long message into passages and loses none of it', async () => {
    const content = Array.from({ length: 900 }, (_, index) => `w${index}${index % 9 === 8 ? '.' : ''}`).join(' ');
    const { passages } = await read({ role: 'assistant', content });
    expect(passages.length).toBeGreaterThan(2);
    for (const { text, speaker } of passages) {
      expect(speaker).toBe('assistant');
      expect(countWords(text)).toBeLessThanOrEqual(PASSAGE_MAX_WORDS);
    }
    expect(passages.map(({ text }) => text).join(' ')).toBe(content);
  });

  it('reports bad lines with their numbers and reads on', async () => {
    const { passages, badLines } = await read(
      '{"role": "user", "content": "first"}',
      '{"role": "user", "content": ',
      '',
      '42',
      '{"prompt": "x"}',
      `{"role": "user", "content": "${'x'.repeat(CONVERSATION_LINE_LIMIT)}"}`,
      '{"messages": [17]}',
      '{"role": "user", "content": "last"}',
    );
    expect(passages.map(({ text }) => text)).toEqual(['first', 'last']);
    expect(badLines.map(({ line, code }) => [line, code])).toEqual([
      [2, 'INGEST_MALFORMED'],
      [4, 'INGEST_MALFORMED'],
      [5, 'INGEST_MALFORMED'],
      [6, 'INGEST_LINE_TOO_LONG'],
      [7, 'INGEST_MALFORMED'],
    ]);
  });

  it('survives a line nested a hundred thousand deep', async () => {
    const { passages, badLines } = await read(`${'['.repeat(1e5)}${']'.repeat(1e5)}`, { role: 'user', content: 'ok' });
    expect(passages.map(({ text }) => text)).toEqual(['ok']);
    expect(badLines).toHaveLength(1);
  });
});
