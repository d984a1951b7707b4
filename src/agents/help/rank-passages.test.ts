import { describe, expect, it } from 'vitest';
import { asked, passage } from './asking.fixture.ts';
import type { Passage } from './passage.ts';
import { rankPassages } from './rank-passages.ts';

const best = (question: string, ...passages: Passage[]) => rankPassages(asked(question), passages)[0]!.memory.id;

describe('rankPassages', () => {
  it('prefers the section whose heading asks the question', () => {
    const mentions = 'The port may change: a port in use is changed at the next start, and the port is printed.';
    const answers = 'Use the flag, or the key server.port of the configuration file for good.';
    expect(
      best(
        'how do I change the port?',
        passage(mentions, { heading: 'Guide › Start' }),
        passage(answers, { heading: 'Guide › Change the port' }),
      ),
    ).toBe(answers);
  });

  it('prefers a heading in the words of the question to one that has them too', () => {
    const defines = 'Whoever holds bytes and can give them back on request, such as a cache.';
    const shows = 'This example registers a consumer, reserves bytes and gives them back when it is asked to.';
    expect(
      best(
        'What is a consumer?',
        passage(shows, { heading: 'Budget › A consumer' }),
        passage(defines, { heading: 'Budget › What is a consumer?' }),
      ),
    ).toBe(defines);
  });

  it('prefers what covers the question to what repeats half of it', () => {
    const repeats = 'Timeout, timeout, timeout, timeout, and once more the timeout of the request.';
    const covers = 'The busy timeout says how long a write waits for another process.';
    expect(best('busy timeout', passage(repeats, { heading: 'A' }), passage(covers, { heading: 'B' }))).toBe(covers);
  });

  it('prefers a section that tells over one that points elsewhere', () => {
    const telling = 'A write waits for a lock that another process holds; set the busy timeout in milliseconds.';
    const pointing = 'Busy timeout: see the store.';
    expect(best('set a busy timeout', passage(pointing, { heading: 'A' }), passage(telling, { heading: 'A' }))).toBe(
      telling,
    );
  });

  it('quotes what answers and not what asks', () => {
    const asks = 'Which colour is the shed?';
    const tells = 'The shed is green, a good colour.';
    expect(best('shed colour', passage(asks), passage(tells))).toBe(tells);
  });

  it('leaves to recall what was said in answer to something', () => {
    const answer = 'Two weeks, no questions asked.';
    const other = 'The refunds form is blue.';
    expect(
      best(
        'refunds period',
        passage(other, { speaker: 'ann', found: 0.3 }),
        passage(answer, { speaker: 'ben', found: 1 }),
      ),
    ).toBe(answer);
  });

  it('takes a name as it is spelled', () => {
    const named = 'Code STORE_LOCKED: another process holds the lock, so nothing of it was written; try again.';
    const near = 'The store of a node is locked while somebody writes; store and lock are one file.';
    expect(best('STORE_LOCKED', passage(near, { heading: 'Store' }), passage(named, { heading: 'Errors' }))).toBe(
      named,
    );
  });

  it('finds another word for the same', () => {
    const removes = 'Call forget with its id: it is gone from the disk when the promise resolves.';
    const other = 'A memory has tags, a source, a speaker and an importance from 0 to 1.';
    expect(
      best(
        'delete a memory',
        passage(other, { heading: 'A memory' }),
        passage(removes, { heading: 'Remove a memory' }),
      ),
    ).toBe(removes);
  });
});
