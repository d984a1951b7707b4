import { describe, expect, it } from 'vitest';
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
    const { answer, confident } = composeAnswer('How do I set a busy timeout?', [
      { text: LOCKED, headings: ['Store'], score: 1 },
    ]);
    expect(answer).toContain(
      'Set the busy timeout, in milliseconds:\n\n```yaml\nstore:\n\n  lock_timeout_ms: 5000\n```',
    );
    expect(confident).toBe(true);
  });

  it('counts headings as part of the passage', () => {
    const passage = { text: 'Five seconds unless you say otherwise.', headings: ['Busy timeout'], score: 1 };
    expect(composeAnswer('busy timeout', [passage]).confident).toBe(true);
    expect(composeAnswer('busy timeout', [{ ...passage, headings: [] }]).confident).toBe(false);
  });

  it('is not confident when most of the question is missing', () => {
    const { answer, confident } = composeAnswer('How long does the warranty of a locked bicycle last?', [
      { text: LOCKED, headings: [], score: 1 },
    ]);
    expect(answer).toContain('locked by another process');
    expect(confident).toBe(false);
  });

  it('keeps an answer short by taking neighbouring blocks only while they fit', () => {
    const filler = 'Filler sentence of some length. '.repeat(20).trim();
    const { answer } = composeAnswer('zebra', [
      { text: `${filler}\n\nThe zebra is here.\n\n${filler}`, headings: [], score: 1 },
    ]);
    expect(answer).toContain('zebra');
    expect(answer.length).toBeLessThan(720);
  });

  it('quotes the section asked for and not its neighbours', () => {
    const text =
      'The disk is full\n\nFree some space.\n\nBusy timeout\n\nSet store.lock_timeout.\n\nPorts\n\nUse another.';
    const { answer } = composeAnswer('busy timeout', [{ text, headings: [], score: 1 }]);
    expect(answer).toBe('Busy timeout\n\nSet store.lock_timeout.');
  });

  it('prefers a section that tells over one that points elsewhere', () => {
    const pointer = { text: 'How do I set a busy timeout?\n\nSee the store.', headings: [], score: 1.1 };
    const telling = {
      text: 'The busy timeout\n\nA write waits five seconds for a lock that another process holds; set it in milliseconds.',
      headings: [],
      score: 1,
    };
    expect(composeAnswer('set a busy timeout', [pointer, telling]).answer).toContain('waits five seconds');
  });

  it('quotes what answers and not what asks', () => {
    const asked = { text: 'Which colour is the shed?', headings: [], score: 1.2 };
    const told = { text: 'The shed is green.', headings: [], score: 1 };
    expect(composeAnswer('shed colour', [asked, told]).answer).toBe('The shed is green.');
  });

  it('says nothing when there is nothing', () => {
    expect(composeAnswer('anything', [])).toEqual({ answer: '', confident: false });
  });
});

describe('excerptOf', () => {
  it('shows the matching block, cut at a word', () => {
    const text = `First paragraph.\n\n${'word '.repeat(100)}zebra`;
    const excerpt = excerptOf('zebra', text, 40);
    expect(excerpt.length).toBeLessThanOrEqual(40);
    expect(excerpt).toMatch(/word…$/);
  });

  it('shows what stands under a heading, and code without its fence', () => {
    expect(excerptOf('ports', 'Ports\n\nTake another.')).toBe('Ports: Take another.');
    expect(excerptOf('serve', '```sh\ntenure serve\n```')).toBe('tenure serve');
  });

  it('takes text that is mostly blank as quickly as any other', () => {
    const text = `one${' '.repeat(200_000)}two`;
    expect(excerptOf('one', text)).toBe('one two');
    expect(composeAnswer('one', [{ text, headings: [], score: 1 }]).answer).toBe(text);
  }, 2_000);

  it('cuts text without spaces too', () => {
    expect(excerptOf('x', 'x'.repeat(500), 50).length).toBeLessThanOrEqual(50);
  });
});
