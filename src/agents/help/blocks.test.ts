import { describe, expect, it } from 'vitest';
import { type Block, blocksOf, joined, plainWords } from './blocks.ts';

const kinds = (text: string) => blocksOf(text).map(({ kind }) => kind);

describe('blocksOf', () => {
  it('keeps code whole, blank lines and all, whatever stands around it', () => {
    const code = '```yaml\nstore:\n\n  lock_timeout_ms: 5000\n```';
    expect(blocksOf(`Set it:\n${code}\nThen wait.`)).toEqual([
      { kind: 'prose', text: 'Set it:' },
      { kind: 'code', text: code },
      { kind: 'prose', text: 'Then wait.' },
    ]);
    expect(kinds('~~~\nopen to the end\n\n| a | b |')).toEqual(['code']);
  });

  it('takes a list by its items, and what introduces it apart', () => {
    expect(blocksOf('Either:\n- one\n  more of one\n- two\n\n1. first\n2. second')).toEqual([
      { kind: 'prose', text: 'Either:' },
      { kind: 'item', text: '- one\n  more of one' },
      { kind: 'item', text: '- two' },
      { kind: 'item', text: '1. first' },
      { kind: 'item', text: '2. second' },
    ]);
  });

  it('says the rows of a table in words', () => {
    const table =
      '| key | default | meaning |\n| --- | :---: | --- |\n| `port` | 7341 | Port \\| address |\n| `host` | | Name |';
    expect(blocksOf(table)).toEqual([
      { kind: 'row', text: '`port`: default 7341; meaning Port | address' },
      { kind: 'row', text: '`host`: meaning Name' },
    ]);
    expect(blocksOf('| call | what it does |\n| --- | --- |\n| free() | gives back |')).toEqual([
      { kind: 'row', text: 'free(): gives back' },
    ]);
  });

  it('has nothing to show of nothing, and loses no word of what only looks like a table', () => {
    expect(blocksOf(' \n\n ')).toEqual([]);
    expect(blocksOf('a | b\n--- | ---\nnot a row')).toEqual([{ kind: 'prose', text: 'not a row' }]);
    expect(blocksOf('one | two\nthree')).toEqual([{ kind: 'prose', text: 'one | two\nthree' }]);
  });

  it('takes text that is mostly blank as quickly as any other', { timeout: 2_000 }, () => {
    const text = `one${' '.repeat(200_000)}two`;
    expect(blocksOf(text)).toEqual([{ kind: 'prose', text }]);
    expect(plainWords(blocksOf(text)[0]!)).toBe('one two');
  });
});

describe('joined', () => {
  it('puts rows and items line by line, and others a paragraph each', () => {
    const blocks: Block[] = [
      { kind: 'prose', text: 'Keys:' },
      { kind: 'row', text: 'port: 7341' },
      { kind: 'row', text: 'host: local' },
      { kind: 'item', text: '- one' },
      { kind: 'prose', text: 'End.' },
    ];
    expect(joined(blocks)).toBe('Keys:\n\n- port: 7341\n- host: local\n\n- one\n\nEnd.');
  });
});

describe('plainWords', () => {
  it.each<[Block, string]>([
    [{ kind: 'code', text: '```sh\ntenure serve\n```' }, 'tenure serve'],
    [{ kind: 'item', text: '- **resident**: `anon` over\n  the limit' }, 'resident: anon over the limit'],
    [{ kind: 'row', text: '`port`: default 7341' }, 'port: default 7341'],
    [{ kind: 'prose', text: 'Two\nlines of lock_timeout_ms.' }, 'Two lines of lock_timeout_ms.'],
  ])('of %j is %j', (block, words) => {
    expect(plainWords(block)).toBe(words);
  });
});
