import { describe, expect, it } from 'vitest';
import type { MemoryStore, StoredMemory } from '../storage/memory-store.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { TemporaryStore } from '../testing/temporary-store.ts';
import { LongTermMemory, type MemoryEvent } from './long-term.ts';
import { estimateTokens } from './tokens.ts';

const ANN = { tenant: 'acme', user: 'ann' };

async function open(texts: readonly string[] = []) {
  const clock = new ManualClock();
  const temporary = await TemporaryStore.create({ clock });
  const events: MemoryEvent[] = [];
  const memory = await temporary.openMemory(events);
  for (const text of texts) await memory.remember(text, { scope: ANN });
  return { memory, clock, events, temporary, [Symbol.asyncDispose]: () => temporary.close() };
}

const textsOf = (found: readonly { memory: StoredMemory }[]) => found.map(({ memory }) => memory.text);

describe('remember', () => {
  it('is durable when it returns: another connection sees it', async () => {
    await using opened = await open();
    const kept = await opened.memory.remember('Ann is allergic to nuts.', { scope: ANN, tags: ['health'] });
    const elsewhere = await opened.temporary.openMemory();
    expect(await elsewhere.get(kept.id, ANN)).toEqual(kept);
  });

  it('tells once what happened', async () => {
    await using opened = await open(['one']);
    const [found] = await opened.memory.recall('one', { scope: ANN });
    await opened.memory.forget(found!.memory.id, ANN);
    expect(opened.events.map(({ type, count, tenant }) => [type, count, tenant])).toEqual([
      ['agent_memory.remembered', 1, 'acme'],
      ['agent_memory.forgotten', 1, 'acme'],
    ]);
  });

  it('keeps a batch whole or not at all', async () => {
    await using opened = await open();
    const batch = [
      { text: 'fine', scope: ANN },
      { text: '', scope: ANN },
    ];
    await expect(opened.memory.rememberAll(batch)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(opened.memory.statistics().memories).toBe(0);
    const many = Array.from({ length: 2_001 }, () => ({ text: 'x', scope: ANN }));
    await expect(opened.memory.rememberAll(many)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('lets others have turns while it analyses, by the time that takes', async () => {
    class SlowClock extends ManualClock {
      #readings = 0;
      override monotonicMs(): number {
        return this.#readings++ * 4;
      }
    }
    let turns = 0;
    let under = true;
    const countTurns = () => void setImmediate(() => under && ++turns && countTurns());
    const store = { put: async () => {} } as unknown as MemoryStore;
    await using memory = new LongTermMemory({ store, clock: new SlowClock(), onEvent: () => {} });
    countTurns();
    await memory.rememberAll(Array.from({ length: 20 }, () => ({ text: 'zebra', scope: ANN })));
    under = false;
    expect(turns).toBeGreaterThanOrEqual(9);
  });

  it('does nothing after an abort', async () => {
    await using opened = await open();
    const signal = AbortSignal.abort(new Error('no longer wanted'));
    await expect(opened.memory.remember('x', { scope: ANN, signal })).rejects.toThrow('no longer wanted');
    expect(opened.memory.statistics().memories).toBe(0);
  });
});

describe('recall', () => {
  it('finds by stem, best first, five unless asked otherwise, and says why', async () => {
    await using opened = await open([
      'The budgets of the cache are set in bytes.',
      ...Array.from({ length: 8 }, (_, index) => `A cache of kind ${index}.`),
    ]);
    const found = await opened.memory.recall('How is the budget of a cache set?', { scope: ANN });
    expect(found).toHaveLength(5);
    expect(found[0]!.memory.text).toContain('budgets');
    expect(found[0]!.score).toBeGreaterThan(found[1]!.score);
    expect(found[0]!.why).toEqual([{ signal: 'words', detail: 'has the words "budget", "cache", "set"', weight: 1 }]);
  });

  it('finds the neighbour that answers, and says so', async () => {
    await using opened = await open();
    const session = { ...ANN, session: 'monday' };
    await opened.memory.rememberAll([
      { text: 'What did you pay for the violin?', scope: session, speaker: 'Ann' },
      { text: 'Two thousand.', scope: session, speaker: 'Bob' },
      { text: 'Nice weather.', scope: { ...ANN, session: 'tuesday' }, speaker: 'Bob' },
    ]);
    const found = await opened.memory.recall('price of the violin', { scope: ANN });
    expect(textsOf(found)).toEqual(['What did you pay for the violin?', 'Two thousand.']);
    expect(found[1]!.why.map(({ signal }) => signal).sort()).toEqual(['neighbours', 'session']);
    const weights = found[1]!.why.reduce((sum, { weight }) => sum + weight, 0);
    expect(weights).toBeCloseTo(1, 2);
  });

  it('stays within the scope and, when one is named, the session', async () => {
    await using opened = await open();
    await opened.memory.remember('the blue door', { scope: { ...ANN, session: 'a' } });
    await opened.memory.remember('the blue car', { scope: { ...ANN, session: 'b' } });
    await opened.memory.remember('the blue hat', { scope: { tenant: 'acme', user: 'ann2' } });
    expect(textsOf(await opened.memory.recall('blue', { scope: { ...ANN, session: 'b' } }))).toEqual(['the blue car']);
    expect(textsOf(await opened.memory.recall('blue', { scope: ANN })).sort()).toEqual([
      'the blue car',
      'the blue door',
    ]);
  });

  it('finds by a tag as it was kept, whatever was in it', async () => {
    await using opened = await open();
    await opened.memory.remember('tagged', { scope: ANN, tags: ['a\0b', 'c\ud800'] });
    for (const tags of [['a\0b'], ['c\ud800'], ['a\ufffdb', 'a\0b']]) {
      expect(textsOf(await opened.memory.recall('tagged', { scope: ANN, tags }))).toEqual(['tagged']);
    }
  });

  it('fills a token budget best first and never exceeds it', async () => {
    await using opened = await open(Array.from({ length: 30 }, (_, index) => `zebra ${'stripe '.repeat(index % 7)}`));
    for (const maxTokens of [1, 3, 8, 40]) {
      const found = await opened.memory.recall('zebra', { scope: ANN, maxTokens });
      const tokens = textsOf(found).reduce((sum, text) => sum + estimateTokens(text), 0);
      expect(tokens).toBeLessThanOrEqual(maxTokens);
      if (maxTokens >= 3) expect(found.length).toBeGreaterThan(0);
    }
  });

  it('stops looking for what fits a token budget when nothing does', async () => {
    await using opened = await open();
    const long = Array.from({ length: 600 }, () => ({ text: `zebra ${'stripe '.repeat(20)}`, scope: ANN }));
    await opened.memory.rememberAll([...long, { text: 'zebra and more words', scope: ANN }]);
    const found = await opened.memory.recall('zebra stripe', { scope: ANN, maxTokens: 10 });
    expect(found).toEqual([]);
  });

  it('finds the exact best through a filter that lets almost nothing through', async () => {
    await using opened = await open();
    const items = Array.from({ length: 2000 }, (_, index) => ({
      text: index % 500 === 499 ? `zebra rare${index}` : 'zebra zebra zebra',
      scope: ANN,
      tags: index % 500 === 499 ? ['rare'] : [],
    }));
    await opened.memory.rememberAll(items);
    const found = await opened.memory.recall('zebra', { scope: ANN, tags: ['rare'], limit: 10 });
    expect(textsOf(found)).toEqual(['zebra rare1999', 'zebra rare1499', 'zebra rare999', 'zebra rare499']);
  });

  it('reads many results a few at a time, with turns for others', async () => {
    await using opened = await open();
    await opened.memory.rememberAll(Array.from({ length: 1000 }, () => ({ text: 'zebra', scope: ANN })));
    let turns = 0;
    let under = true;
    const countTurns = () => void setImmediate(() => under && ++turns && countTurns());
    countTurns();
    expect(await opened.memory.recall('zebra', { scope: ANN, limit: 1000 })).toHaveLength(1000);
    under = false;
    expect(turns).toBeGreaterThanOrEqual(10);
  });

  it('leaves out what has expired or is no longer valid, and can ask for an earlier time', async () => {
    await using opened = await open();
    const startMs = opened.clock.nowMs();
    await opened.memory.remember('Ann lives in Oslo', { scope: ANN, validToMs: startMs + 500 });
    await opened.memory.remember('Ann lives in Rome', { scope: ANN, validFromMs: startMs + 500 });
    await opened.memory.remember('Ann lives for today', { scope: ANN, ttlMs: 100 });
    await opened.clock.advance(1000);
    const now = await opened.memory.recall('where does Ann live', { scope: ANN });
    expect(textsOf(now)).toEqual(['Ann lives in Rome']);
    const before = await opened.memory.recall('where does Ann live', { scope: ANN, asOfMs: startMs });
    expect(textsOf(before).sort()).toEqual(['Ann lives for today', 'Ann lives in Oslo']);
  });

  it('counts uses, but not with a write for every question', async () => {
    await using opened = await open(['zebra']);
    const [found] = await opened.memory.recall('zebra', { scope: ANN });
    await opened.memory.recall('zebra', { scope: ANN });
    const id = found!.memory.id;
    expect((await opened.memory.get(id, ANN))?.uses).toBe(0);
    await opened.clock.advance(30_000);
    await opened.memory.close();
    const elsewhere = await opened.temporary.openMemory();
    expect(await elsewhere.get(id, ANN)).toMatchObject({ uses: 2, lastUsedAtMs: found!.memory.createdAtMs });
  });
});

describe('recall with questions nobody should ask', () => {
  const texts = ['お茶の時間です', '内存管理很重要', 'launch day 🚀', 'He said "stop" OR NEAR(me)', 'plain words'];

  it.each([
    ['QUERY_EMPTY', ''],
    ['QUERY_EMPTY', ' \n\t '],
    ['QUERY_TOO_LONG', 'word '.repeat(20_480)],
    ['INVALID_ARGUMENT', 42 as unknown as string],
  ])('refuses with %s', async (code, query) => {
    await using opened = await open(texts);
    await expect(opened.memory.recall(query, { scope: ANN })).rejects.toMatchObject({ code });
  });

  it.each([
    ['内存', '内存管理很重要'],
    ['お茶', 'お茶の時間です'],
    ['🚀', 'launch day 🚀'],
    ['"stop" OR', 'He said "stop" OR NEAR(me)'],
    ['near(', 'He said "stop" OR NEAR(me)'],
    [`plain'; DROP TABLE memories; --`, 'plain words'],
    ['plain* ^words {a b}: -not "', 'plain words'],
  ])('finds with %s', async (query, text) => {
    await using opened = await open(texts);
    expect(textsOf(await opened.memory.recall(query, { scope: ANN, limit: 1 }))).toEqual([text]);
  });

  it('answers a question of stop words or punctuation with the newest, and says so', async () => {
    await using opened = await open(texts);
    for (const query of ['what was it', '???', '"\'*']) {
      const found = await opened.memory.recall(query, { scope: ANN, limit: 2 });
      expect(textsOf(found)).toEqual(['plain words', 'He said "stop" OR NEAR(me)']);
      expect(found[0]!.why[0]!.signal).toBe('recency');
    }
  });

  it('takes a long question of many words', async () => {
    await using opened = await open(texts);
    const query = `plain ${Array.from({ length: 1500 }, (_, index) => `filler${index}`).join(' ')}`;
    expect(textsOf(await opened.memory.recall(query, { scope: ANN }))).toEqual(['plain words']);
  });

  it.each([
    ['SCOPE_REQUIRED', { scope: undefined as unknown as { tenant: string } }],
    ['SCOPE_INVALID', { scope: { tenant: 'acme', agnet: 'x' } as { tenant: string } }],
    ['INVALID_ARGUMENT', { scope: ANN, limit: 0 }],
    ['INVALID_ARGUMENT', { scope: ANN, limit: 1001 }],
    ['INVALID_ARGUMENT', { scope: ANN, limit: Number.NaN }],
    ['INVALID_ARGUMENT', { scope: ANN, maxTokens: -1 }],
    ['INVALID_ARGUMENT', { scope: ANN, fromMs: Number.NaN }],
    ['INVALID_ARGUMENT', { scope: ANN, toMs: '2020-01-01' as unknown as number }],
    ['INVALID_ARGUMENT', { scope: ANN, minImportance: 2 }],
    ['INVALID_ARGUMENT', { scope: ANN, tags: 'ab' as unknown as string[] }],
    ['INVALID_ARGUMENT', { scope: ANN, tags: Array.from({ length: 1100 }, String) }],
  ])('refuses with %s: %o', async (code, options) => {
    await using opened = await open(texts);
    await expect(opened.memory.recall('plain', options)).rejects.toMatchObject({ code });
  });
});

describe('forget and sources', () => {
  it('reaches no other partition and needs a scope', async () => {
    await using opened = await open(['mine']);
    const [found] = await opened.memory.recall('mine', { scope: ANN });
    expect(await opened.memory.forget(found!.memory.id, { tenant: 'acme' })).toBe(false);
    await expect(opened.memory.forget(found!.memory.id, undefined as never)).rejects.toMatchObject({
      code: 'SCOPE_REQUIRED',
    });
    await expect(opened.memory.forgetSource('x', {} as never)).rejects.toMatchObject({ code: 'SCOPE_REQUIRED' });
    expect(await opened.memory.forget(found!.memory.id, ANN)).toBe(true);
    expect(await opened.memory.recall('mine', { scope: ANN })).toEqual([]);
  });

  it.each([undefined, null, 5, true, {}, []])('refuses %o as an id or a source', async (value) => {
    await using opened = await open(['mine']);
    const { memory } = opened;
    const wrong = value as never;
    for (const refused of [
      () => memory.get(wrong, ANN),
      () => memory.forget(wrong, ANN),
      () => memory.forgetSource(wrong, ANN),
      () => memory.sourceVersion(wrong, ANN),
    ]) {
      await expect(refused()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    expect(memory.statistics().memories).toBe(1);
  });

  it('finds a source by its name as it was kept, and refuses a version that is none', async () => {
    await using opened = await open();
    await opened.memory.remember('text', { scope: ANN, source: 'a\0', metadata: { version: 'v1' } });
    expect(await opened.memory.sourceVersion('a\0', ANN)).toBe('v1');
    const keepVersion = {} as never;
    await expect(opened.memory.forgetSource('a\0', ANN, { keepVersion })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    expect(await opened.memory.forgetSource('a\0', ANN)).toBe(1);
  });

  it('replaces the version of a source', async () => {
    await using opened = await open();
    const passage = (version: string) => ({
      text: `text of ${version}`,
      scope: ANN,
      source: 'a.md',
      metadata: { version },
    });
    await opened.memory.rememberAll([passage('v1')]);
    expect(await opened.memory.sourceVersion('a.md', ANN)).toBe('v1');
    await opened.memory.rememberAll([passage('v2')]);
    expect(await opened.memory.forgetSource('a.md', ANN, { keepVersion: 'v2' })).toBe(1);
    expect(textsOf(await opened.memory.recall('text', { scope: ANN }))).toEqual(['text of v2']);
    expect(await opened.memory.sourceVersion('b.md', ANN)).toBeNull();
  });
});

describe('close', () => {
  it('waits for nothing and loses nothing when a large write is under way', async () => {
    await using opened = await open();
    const writing = opened.memory.rememberAll(Array.from({ length: 300 }, () => ({ text: 'zebra', scope: ANN })));
    await opened.memory.close();
    await writing;
    const elsewhere = await opened.temporary.openMemory();
    expect(elsewhere.statistics().memories).toBe(300);
  });

  it('is harmless twice, refuses use afterwards and leaves no timer', async () => {
    await using opened = await open(['x']);
    await opened.memory.close();
    await opened.memory.close();
    await expect(opened.memory.recall('x', { scope: ANN })).rejects.toMatchObject({ code: 'CLOSED' });
    await opened.temporary.close();
    expect(opened.clock.pendingTimers).toBe(0);
  });
});
