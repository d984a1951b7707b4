/**
 * What every `MemoryStore` must do, as a suite any adapter can run.
 *
 * Next to single cases, random histories of writes and removals are compared, after each step, with a model that is nothing
 * but a list: rows, postings, lengths and statistics must agree exactly.
 */
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { analyze, countTerms } from '../agent-memory/analyze.ts';
import { uuidV7 } from '../base/uuid.ts';
import type { MemoryFilter, MemoryStore, NewMemory, StoredMemory } from '../storage/memory-store.ts';
import type { Scope } from '../storage/scope.ts';

/** A store under test, and how to get rid of it. `reopen` gives a second view of the same data, as another process has. */
export interface StoreUnderTest {
  readonly store: MemoryStore;
  reopen(): Promise<MemoryStore>;
  close(): Promise<void>;
}

const NOW_MS = Date.UTC(2026, 0, 1);
const NO_FILTER: MemoryFilter = { asOfMs: NOW_MS };
const ANN: Scope = { tenant: 'acme', user: 'ann' };

/** A memory with defaults, for tests. */
export function memoryFor(scope: Scope, text: string, fields: Partial<StoredMemory> = {}): NewMemory {
  const memory = {
    id: uuidV7(NOW_MS),
    scope,
    text,
    tags: [],
    metadata: {},
    importance: 0.5,
    createdAtMs: NOW_MS,
    atMs: NOW_MS,
    validFromMs: null,
    validToMs: null,
    expiresAtMs: null,
    pinned: false,
    source: null,
    speaker: null,
    model: null,
    ...fields,
  };
  return { memory, terms: countTerms(analyze(text)) };
}

export function describeMemoryStore(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`${name} keeps memories`, () => {
    const opened: StoreUnderTest[] = [];
    const fresh = async () => {
      const under = await open();
      opened.push(under);
      return under;
    };
    afterEach(async () => {
      for (const under of opened.splice(0)) await under.close();
    });

    it('gives back what was put, every field', async () => {
      const { store } = await fresh();
      const item = memoryFor({ tenant: 'acme', agent: 'support', user: 'ann', session: 's1' }, 'The café opens at 8.', {
        tags: ['place', 'time'],
        metadata: { nested: { list: [1, 'two', null, true] } },
        importance: 0.9,
        atMs: 5,
        validFromMs: 1,
        validToMs: NOW_MS + 9,
        expiresAtMs: NOW_MS + 10,
        pinned: true,
        source: 'notes.md',
        speaker: 'Ann',
        model: 'all-MiniLM-L6-v2',
      });
      await store.put([item]);
      expect(await store.get(item.memory.scope, item.memory.id)).toEqual({
        ...item.memory,
        uses: 0,
        lastUsedAtMs: null,
      });
    });

    it('keeps partitions apart, whatever the ids look like', async () => {
      const { store } = await fresh();
      const scopes: Scope[] = [
        { tenant: 'a', user: 'user1' },
        { tenant: 'a', user: 'user10' },
        { tenant: 'a', agent: 'user1' },
        { tenant: 'a/user1' },
        { tenant: 'a' },
        { tenant: 'a:b', user: 'c' },
        { tenant: 'a', user: 'b:c' },
        { tenant: 'a', user: "'; DROP TABLE memories; --" },
        { tenant: 'A', user: 'user1' },
        { tenant: 'a', user: 'us\u0435r1' },
      ];
      const items = scopes.map((scope) => memoryFor(scope, 'the same words'));
      await store.put(items);
      for (const [index, scope] of scopes.entries()) {
        const found = await store.newest(scope, NO_FILTER, 100);
        expect(found.map(({ id }) => id)).toEqual([items[index]!.memory.id]);
        for (const [other, { memory }] of items.entries()) {
          expect((await store.get(scope, memory.id)) !== null).toBe(other === index);
          if (other !== index) expect(await store.remove(scope, memory.id)).toBe(false);
        }
        const view = await store.lexical(scope, ['word']);
        expect(view.documents.liveDocuments).toBe(1);
        expect(view.postings.get('word')?.count).toBe(1);
      }
      expect(store.statistics()).toEqual({ memories: scopes.length, scopes: scopes.length });
    });

    it('keeps all of a batch or nothing', async () => {
      const { store } = await fresh();
      const twice = memoryFor(ANN, 'first');
      await expect(store.put([memoryFor(ANN, 'other'), twice, twice])).rejects.toThrow();
      expect(await store.newest(ANN, NO_FILTER, 10)).toEqual([]);
      expect((await store.lexical(ANN, ['first', 'other'])).postings.size).toBe(0);
      await store.put([twice]);
      expect(await store.newest(ANN, NO_FILTER, 10)).toHaveLength(1);
    });

    it('applies every filter', async () => {
      const { store } = await fresh();
      const put = async (fields: Partial<StoredMemory>, scope: Scope = ANN) => {
        const item = memoryFor(scope, 'plain text', fields);
        await store.put([item]);
        return item.memory.id;
      };
      const plain = await put({});
      const tagged = await put({ tags: ['a', 'b'], importance: 0.9 });
      const early = await put({ atMs: 10 });
      const expired = await put({ expiresAtMs: NOW_MS });
      const closed = await put({ validToMs: NOW_MS });
      const future = await put({ validFromMs: NOW_MS + 1 });
      const inSession = await put({}, { ...ANN, session: 's1' });
      const ids = async (filter: Partial<MemoryFilter>) => {
        const full = { asOfMs: NOW_MS, ...filter };
        const newest = await store.newest(ANN, full, 100);
        const ordinals = await store.matching(ANN, full);
        expect([...ordinals]).toEqual(newest.map(({ ordinal }) => ordinal).reverse());
        const byOrdinals = await store.byOrdinals(ANN, [...ordinals], full);
        expect(byOrdinals.map(({ id }) => id)).toEqual(newest.map(({ id }) => id).reverse());
        return newest.map(({ id }) => id);
      };
      expect(await ids({})).toEqual([inSession, early, tagged, plain]);
      expect(await ids({ tags: ['a'] })).toEqual([tagged]);
      expect(await ids({ tags: ['b', 'a'] })).toEqual([tagged]);
      expect(await ids({ tags: ['a', 'c'] })).toEqual([]);
      expect(await ids({ minImportance: 0.9 })).toEqual([tagged]);
      expect(await ids({ fromMs: 10, toMs: 11 })).toEqual([early]);
      expect(await ids({ toMs: 10 })).toEqual([]);
      expect(await ids({ session: 's1' })).toEqual([inSession]);
      expect(await ids({ session: 's' })).toEqual([]);
      expect(await ids({ asOfMs: NOW_MS - 1 })).toEqual([inSession, closed, expired, early, tagged, plain]);
      expect(await ids({ asOfMs: NOW_MS + 1 })).toEqual([inSession, future, early, tagged, plain]);
    });

    it('replaces a source by version and tells its newest memory', async () => {
      const { store } = await fresh();
      const passage = (version: string, text: string, user = 'ann') =>
        memoryFor({ tenant: 'acme', user }, text, { source: 'guide.md', metadata: { version } });
      await store.put([passage('1', 'old one'), passage('1', 'old two'), passage('2', 'new one')]);
      await store.put([passage('1', 'of bob', 'bob'), memoryFor(ANN, 'unrelated')]);
      expect((await store.latestOfSource(ANN, 'guide.md'))?.text).toBe('new one');
      expect(await store.removeSource(ANN, 'guide.md', { keepVersion: '2' })).toBe(2);
      expect((await store.newest(ANN, NO_FILTER, 9)).map(({ text }) => text)).toEqual(['unrelated', 'new one']);
      expect(await store.removeSource(ANN, 'guide.md')).toBe(1);
      expect(await store.latestOfSource(ANN, 'guide.md')).toBeNull();
      expect(await store.latestOfSource({ tenant: 'acme', user: 'bob' }, 'guide.md')).not.toBeNull();
    });

    it('reaches only into the session a scope names', async () => {
      const { store } = await fresh();
      const inA = memoryFor({ ...ANN, session: 'a' }, 'same words', { source: 'doc', metadata: { version: '1' } });
      const inB = memoryFor({ ...ANN, session: 'b' }, 'same words', { source: 'doc', metadata: { version: '2' } });
      await store.put([inA, inB]);
      const a: Scope = { ...ANN, session: 'a' };
      expect(await store.get(a, inB.memory.id)).toBeNull();
      expect(await store.remove(a, inB.memory.id)).toBe(false);
      expect((await store.latestOfSource(a, 'doc'))?.id).toBe(inA.memory.id);
      expect((await store.latestOfSource(ANN, 'doc'))?.id).toBe(inB.memory.id);
      expect(await store.removeSource({ ...ANN, session: 'nowhere' }, 'doc')).toBe(0);
      expect(await store.removeSource(a, 'doc')).toBe(1);
      expect((await store.newest(ANN, NO_FILTER, 9)).map(({ id }) => id)).toEqual([inB.memory.id]);
    });

    it('removes a source of any size', async () => {
      const { store } = await fresh();
      const passages = Array.from({ length: 700 }, (_, index) =>
        memoryFor(ANN, `common rare${index}`, { source: index % 2 === 0 ? 'even' : 'odd', tags: ['t'] }),
      );
      await store.put(passages);
      expect(await store.removeSource(ANN, 'even')).toBe(350);
      expect((await store.lexical(ANN, ['common'])).postings.get('common')?.count).toBe(350);
      expect((await store.matching(ANN, { ...NO_FILTER, tags: ['t'] })).length).toBe(350);
    });

    it('counts uses and keeps the later time', async () => {
      const { store } = await fresh();
      const item = memoryFor(ANN, 'used');
      await store.put([item]);
      await store.countUses([{ id: item.memory.id, uses: 2, lastUsedAtMs: 50 }]);
      await store.countUses([{ id: item.memory.id, uses: 1, lastUsedAtMs: 40 }]);
      expect(await store.get(ANN, item.memory.id)).toMatchObject({ uses: 3, lastUsedAtMs: 50 });
    });

    it('counts uses of a memory that was removed for nobody, not even for the next one', async () => {
      const { store } = await fresh();
      const gone = memoryFor(ANN, 'gone');
      const next = memoryFor(ANN, 'next');
      await store.put([gone]);
      await store.countUses([{ id: gone.memory.id, uses: 7, lastUsedAtMs: 50 }]);
      await store.remove(ANN, gone.memory.id);
      await store.put([next]);
      await store.countUses([{ id: gone.memory.id, uses: 1, lastUsedAtMs: 60 }]);
      expect(await store.get(ANN, next.memory.id)).toMatchObject({ uses: 0, lastUsedAtMs: null });
    });

    it('shows uses and model wherever it gives back a memory', async () => {
      const { store } = await fresh();
      const used = memoryFor(ANN, 'used', { source: 'doc', model: 'm1' });
      await store.put([memoryFor(ANN, 'other'), used]);
      await store.countUses([{ id: used.memory.id, uses: 2, lastUsedAtMs: 50 }]);
      const expected = { id: used.memory.id, model: 'm1', uses: 2, lastUsedAtMs: 50 };
      expect(await store.newest(ANN, NO_FILTER, 1)).toMatchObject([expected]);
      expect(await store.byOrdinals(ANN, [1, 0], NO_FILTER)).toMatchObject([
        expected,
        { model: null, uses: 0, lastUsedAtMs: null },
      ]);
      expect(await store.latestOfSource(ANN, 'doc')).toMatchObject(expected);
    });

    it('knows its totals after changes of whoever made them', async () => {
      const under = await fresh();
      const other = await under.reopen();
      const bob: Scope = { tenant: 'acme', user: 'bob' };
      const [first, second, third] = [memoryFor(ANN, 'a'), memoryFor(ANN, 'b'), memoryFor(bob, 'c')] as const;
      const totals = () => {
        expect(other.statistics()).toEqual(under.store.statistics());
        return Object.values(under.store.statistics());
      };
      expect(totals()).toEqual([0, 0]);
      await under.store.put([first, second]);
      await other.put([third]);
      expect(totals()).toEqual([3, 2]);
      await other.remove(ANN, first.memory.id);
      await under.store.remove(bob, third.memory.id);
      expect(totals()).toEqual([1, 1]);
      await expect(under.store.put([memoryFor(bob, 'd'), second])).rejects.toThrow();
      expect(totals()).toEqual([1, 1]);
    });

    it('sees what was written and removed elsewhere', async () => {
      const under = await fresh();
      const other = await under.reopen();
      const item = memoryFor(ANN, 'zebra');
      expect((await under.store.lexical(ANN, ['zebra'])).postings.size).toBe(0);
      await other.put([item]);
      expect((await under.store.lexical(ANN, ['zebra'])).postings.get('zebra')?.count).toBe(1);
      await other.remove(ANN, item.memory.id);
      expect((await under.store.lexical(ANN, ['zebra'])).postings.size).toBe(0);
    });

    it('agrees with a plain list after any history', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
          const under = await open();
          try {
            const model = new ListModel();
            for (const one of steps) {
              await model.apply(one, under.store);
              await model.compare(under.store);
            }
            await model.compare(await under.reopen());
          } finally {
            await under.close();
          }
        }),
        { numRuns: 25 },
      );
    }, 60_000);
  });
}

const WORDS = ['budget', 'limit', 'cache', 'vector', 'agent', 'session', 'pressure', 'reading'];
const USERS = ['ann', 'bob'];

/** Batches large enough that histories cross the indexing threshold several times. */
const step = fc.oneof(
  fc.record({
    kind: fc.constant('put' as const),
    user: fc.constantFrom(...USERS),
    count: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 200, max: 700 })),
    seed: fc.nat(1000),
  }),
  fc.record({
    kind: fc.constant('remove' as const),
    user: fc.constantFrom(...USERS),
    choices: fc.array(fc.nat(), { maxLength: 5 }),
  }),
  fc.record({ kind: fc.constant('removeSource' as const), user: fc.constantFrom(...USERS), source: fc.nat(3) }),
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class ListModel {
  readonly #lists = new Map<string, NewMemory[]>(USERS.map((user) => [user, []]));

  async apply(one: Step, store: MemoryStore): Promise<void> {
    const list = this.#lists.get(one.user)!;
    const scope: Scope = { tenant: 'acme', user: one.user };
    if (one.kind === 'put') {
      const added = Array.from({ length: one.count }, (_, index) => {
        const pick = (salt: number) => WORDS[(one.seed * 7 + index * salt) % WORDS.length]!;
        return memoryFor(
          { ...scope, session: `s${index % 3}` },
          `${pick(3)} ${pick(5)} ${pick(11)} number${index % 40}`,
          {
            source: `source${index % 4}`,
          },
        );
      });
      await store.put(added);
      list.push(...added);
    } else if (one.kind === 'remove') {
      for (const choice of one.choices) {
        if (list.length === 0) continue;
        const [gone] = list.splice(choice % list.length, 1);
        expect(await store.remove(scope, gone!.memory.id)).toBe(true);
      }
    } else {
      const source = `source${one.source}`;
      const kept = list.filter(({ memory }) => memory.source !== source);
      expect(await store.removeSource(scope, source)).toBe(list.length - kept.length);
      this.#lists.set(one.user, kept);
    }
  }

  async compare(store: MemoryStore): Promise<void> {
    for (const [user, list] of this.#lists) {
      const scope: Scope = { tenant: 'acme', user };
      const rows = await store.newest(scope, NO_FILTER, 100_000);
      expect(rows.map(({ id }) => id)).toEqual(list.map(({ memory }) => memory.id).reverse());
      const ordinalById = new Map(rows.map(({ id, ordinal }) => [id, ordinal]));
      const terms = [...WORDS.flatMap((word) => analyze(word)), 'number7', 'absent'];
      const { documents, postings } = await store.lexical(scope, terms);
      expect(documents.liveDocuments).toBe(list.length);
      for (const term of terms) {
        const expected = list.flatMap(({ memory, terms: own }) =>
          own.has(term) ? [[ordinalById.get(memory.id), own.get(term)]] : [],
        );
        const actual = postings.get(term);
        const found = Array.from({ length: actual?.count ?? 0 }, (_, at) => [
          actual!.ordinals[at],
          actual!.frequencies[at],
        ]);
        expect(found).toEqual(expected);
      }
      let totalLength = 0;
      for (const { memory, terms: own } of list) {
        const ordinal = ordinalById.get(memory.id)!;
        const length = [...own.values()].reduce((sum, frequency) => sum + frequency, 0);
        totalLength += length;
        expect(documents.lengths[ordinal]).toBe(length);
        expect(documents.sessionNames[documents.sessions[ordinal]! - 1]).toBe(memory.scope.session);
      }
      expect(documents.totalLength).toBe(totalLength);
    }
    const lists = [...this.#lists.values()];
    expect(store.statistics()).toEqual({
      memories: lists.reduce((sum, list) => sum + list.length, 0),
      scopes: lists.filter((list) => list.length > 0).length,
    });
  }
}
