import { describe, expect, it } from 'vitest';
import type { LexicalView } from '../../storage/memory-store.ts';
import { GrowingDocuments } from '../../storage/text-index/growing-documents.ts';
import { PostingList } from '../../storage/text-index/postings.ts';
import { analyze, countTerms, wordsOf } from '../analyze.ts';
import { inverseFrequency, RANKING, rankDocuments } from './ranking.ts';

interface Turn {
  readonly text: string;
  readonly session?: number;
  readonly speaker?: string;
}

const SPEAKERS = ['Ann', 'Bob Stone'];

function viewOf(turns: readonly (Turn | null)[]): LexicalView {
  const documents = new GrowingDocuments();
  const postings = new Map<string, PostingList>();
  turns.forEach((turn, ordinal) => {
    if (!turn) return;
    const terms = countTerms(analyze(turn.text));
    let length = 0;
    for (const [term, frequency] of terms) {
      length += frequency;
      if (!postings.has(term)) postings.set(term, new PostingList(2));
      postings.get(term)!.push(ordinal, frequency);
    }
    const speakerId = turn.speaker ? 100 + SPEAKERS.indexOf(turn.speaker) : 0;
    documents.add(ordinal, { length, sessionId: turn.session ?? 0, speakerId }, (id) =>
      id >= 100 ? SPEAKERS[id - 100]! : `session ${id}`,
    );
  });
  return { documents, postings };
}

function rank(view: LexicalView, question: string, parameters = RANKING) {
  return rankDocuments(
    view,
    { terms: countTerms(analyze(question)), words: new Set(wordsOf(question)) },
    { parameters },
  );
}

const PLAIN = { ...RANKING, before: [0, 0], after: [0, 0], session: 0, speaker: 0 } as const;

describe('rankDocuments', () => {
  it('is BM25 when context is left out', () => {
    const view = viewOf([{ text: 'budget budget limit' }, { text: 'limit of a cache' }, { text: 'nothing here' }]);
    const { total } = rank(view, 'budget limit', PLAIN);
    const { k1, b } = RANKING;
    const average = (3 + 2 + 1) / 3;
    const term = (frequency: number, length: number, documents: number) =>
      (inverseFrequency(3, documents) * frequency * (k1 + 1)) / (frequency + k1 * (1 - b + (b * length) / average));
    expect(total[0]).toBeCloseTo(term(2, 3, 1) + term(1, 3, 2), 5);
    expect(total[1]).toBeCloseTo(term(1, 2, 2), 5);
    expect(total[2]).toBe(0);
  });

  it('prefers the rarer word', () => {
    const view = viewOf([{ text: 'server common' }, { text: 'common' }, { text: 'common' }, { text: 'zebra other' }]);
    const { total } = rank(view, 'common zebra', PLAIN);
    expect(total[3]).toBeGreaterThan(total[0]!);
  });

  it('finds the answer that follows a question and shares no word with it', () => {
    const view = viewOf([
      { text: 'What is the deposit for the flat?', session: 1 },
      { text: 'Two thousand.', session: 1 },
      { text: 'Lovely weather.', session: 2 },
    ]);
    const { total, sessions } = rank(view, 'deposit flat');
    expect(total[1]).toBeGreaterThan(RANKING.session * sessions[0]!);
    expect(total[1]).toBeGreaterThan(0);
    expect(total[2]).toBe(0);
  });

  it('keeps neighbours within their session, also where sessions are interleaved', () => {
    const view = viewOf([
      { text: 'the deposit', session: 1 },
      { text: 'sunny', session: 2 },
      { text: 'two thousand', session: 1 },
    ]);
    const { total } = rank(view, 'deposit', { ...RANKING, session: 0 });
    expect(total[1]).toBe(0);
    expect(total[2]).toBeGreaterThan(0);
  });

  it('steps over holes', () => {
    const withHole = rank(viewOf([{ text: 'deposit', session: 1 }, null, { text: 'two', session: 1 }]), 'deposit');
    const without = rank(
      viewOf([
        { text: 'deposit', session: 1 },
        { text: 'two', session: 1 },
      ]),
      'deposit',
    );
    expect(withHole.total[1]).toBe(0);
    expect(withHole.total[2]).toBeCloseTo(without.total[1]!, 6);
  });

  it('raises a named speaker, but not when everybody is named', () => {
    const view = viewOf([
      { text: 'I bought a bicycle', speaker: 'Ann' },
      { text: 'I bought a bicycle', speaker: 'Bob Stone' },
    ]);
    const one = rank(view, 'which bicycle did Bob buy').total;
    expect(one[1]! / one[0]!).toBeCloseTo(1 + RANKING.speaker, 5);
    const both = rank(view, 'did Ann or Bob buy a bicycle').total;
    expect(both[1]).toBeCloseTo(both[0]!, 6);
  });

  it('does not favour documents for having a session or for having none', () => {
    const view = viewOf([{ text: 'copper kettle', session: 1 }, { text: 'copper kettle' }]);
    const { total } = rank(view, 'kettle');
    expect(total[0]).toBeCloseTo(total[1]!, 5);
  });

  it('ranks nothing in an empty partition', () => {
    expect(rank(viewOf([]), 'anything').total).toHaveLength(0);
  });
});
