import { describe, expect, it } from 'vitest';
import { asked, passage } from './asking.fixture.ts';
import { composeAnswer, excerptOf } from './compose-answer.ts';

const LOCKED = [
  'A database can be locked by another process.',
  '',
  'Set the busy timeout, in milliseconds:',
  '',
  '```yaml',
  'store:',
  '',
  '  lock_timeout_ms: 5000',
  '```',
].join('\n');

describe('composeAnswer', () => {
  it('quotes the best passage with the code that belongs to it', () => {
    const { answer, coverage } = composeAnswer(asked('How do I set a busy timeout?'), passage(LOCKED));
    expect(answer).toContain(
      'Set the busy timeout, in milliseconds:\n\n```yaml\nstore:\n\n  lock_timeout_ms: 5000\n```',
    );
    expect(coverage).toBe(1);
  });

  it('quotes the heading that holds words of the question, and no other', () => {
    const text = 'Five seconds unless you say otherwise.';
    expect(composeAnswer(asked('busy timeout'), passage(text, { heading: 'Store › Busy timeout' }))).toEqual({
      answer: `Busy timeout\n\n${text}`,
      coverage: 1,
    });
    expect(composeAnswer(asked('seconds'), passage(text, { heading: 'Store › Busy timeout' })).answer).toBe(text);
  });

  it('covers with what is quoted only', () => {
    const filler = 'Filler sentence of some length. '.repeat(30).trim();
    const far = passage(`The timeout is five seconds.\n\n${filler}\n\n${filler}\n\nBusy people wait.`);
    expect(composeAnswer(asked('busy timeout'), far)).toEqual({
      answer: 'The timeout is five seconds.',
      coverage: expect.closeTo(0.5),
    });
  });

  it('covers little with words that are far apart, in code, or off the subject of the section', () => {
    const coverageOf = (text: string, heading?: string) =>
      composeAnswer(asked('busy timeout'), passage(text, heading === undefined ? {} : { heading })).coverage;
    const best = coverageOf('Set the busy timeout.', 'Busy timeout');
    expect(best).toBeCloseTo(1);
    expect(coverageOf('A timeout.\n\nSomebody is busy.')).toBeLessThan(best);
    expect(coverageOf('```\nbusy timeout\n```')).toBeLessThan(0.6);
    expect(coverageOf('Set the busy timeout.', 'Colours')).toBeLessThan(0.75);
    // A memory told directly has no section to be off.
    expect(coverageOf('Set the busy timeout.')).toBeCloseTo(1);
  });

  it('covers less when a name of the question is spelled otherwise', () => {
    const found = passage('The store is locked.');
    expect(composeAnswer(asked('store locked'), found).coverage).toBe(1);
    expect(composeAnswer(asked('STORE_LOCKED'), found).coverage).toBe(0.5);
    expect(composeAnswer(asked('STORE_LOCKED'), passage('Code STORE_LOCKED: wait.')).coverage).toBe(1);
  });

  it('covers little when most of the question is missing', () => {
    const { answer, coverage } = composeAnswer(
      asked('How does the warranty of a locked bicycle end?'),
      passage(LOCKED),
    );
    expect(answer).toContain('locked by another process');
    expect(coverage).toBeLessThan(0.5);
  });

  it('keeps an answer short by taking neighbouring blocks only while they fit', () => {
    const filler = 'Filler sentence of some length. '.repeat(20).trim();
    const { answer } = composeAnswer(asked('zebra'), passage(`${filler}\n\nThe zebra is here.\n\n${filler}`));
    expect(answer).toContain('zebra');
    expect(answer.length).toBeLessThan(720);
  });

  it('quotes of a long table what introduces it and the rows that answer, in words', () => {
    const rows = Array.from({ length: 40 }, (_, index) => `| key${index} | ${'word '.repeat(20)}| ${index} |`);
    const { answer } = composeAnswer(
      asked('key33'),
      passage(`These are the keys.\n\n| key | meaning | default |\n|---|---|---|\n${rows.join('\n')}`),
    );
    expect(answer).toMatch(
      /^These are the keys\.\n\n(- key3\d: meaning (word )+; default \d+\n)*- key33: meaning word word/,
    );
    expect(answer).not.toMatch(/\||key1:/);
  });
});

describe('excerptOf', () => {
  it('shows the matching block in plain words, cut at a word', () => {
    const found = passage(`First paragraph.\n\n${'word '.repeat(100)}zebra`);
    const excerpt = excerptOf(asked('zebra'), found, 40);
    expect(excerpt.length).toBeLessThanOrEqual(40);
    expect(excerpt).toMatch(/word…$/);
    expect(excerptOf(asked('serve'), passage('Run:\n\n```sh\ntenure serve\n```'))).toBe('tenure serve');
    expect(excerptOf(asked('port'), passage('| key | meaning |\n| --- | --- |\n| `port` | Port |'))).toBe('port: Port');
  });

  it('cuts text without spaces too', () => {
    expect(excerptOf(asked('x'), passage('x'.repeat(500)), 50).length).toBeLessThanOrEqual(50);
  });
});
