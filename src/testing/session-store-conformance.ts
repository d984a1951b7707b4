/**
 * What every `SessionStore` must do, as a suite any adapter can run.
 *
 * `open` gives two stores over the same sessions, as two processes would have. Random changes through either are compared with a model.
 */
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { NewSession, SessionStore, StoredItems } from '../storage/session-store.ts';

/** Two stores of one pool, empty, one of another pool beside them, and how to get rid of all. */
export interface SessionStoresUnderTest {
  readonly one: SessionStore;
  readonly other: SessionStore;
  readonly stranger: SessionStore;
  close(): Promise<void>;
}

const NOW_MS = Date.UTC(2026, 0, 1);
const TTL_MS = 60_000;

/** A new session with defaults, for tests. */
export function newSession(id: string, fields: Partial<NewSession> = {}): NewSession {
  return { id, owner: null, value: plain('value'), items: null, nowMs: NOW_MS, ttlMs: TTL_MS, ...fields };
}

const plain = (text: string) => ({ form: 'plain' as const, bytes: new TextEncoder().encode(text) });
const itemsOf = (...texts: string[]): StoredItems => ({ ...plain(texts.join(' ')), count: texts.length });
const textOf = ({ bytes }: { bytes: Uint8Array }) => new TextDecoder().decode(bytes);

async function contentOf(store: SessionStore, id: string, nowMs = NOW_MS) {
  const session = await store.read(id, nowMs);
  if (!session) return null;
  const items = session.items.flatMap((chunk) => textOf(chunk).split(' ')).slice(session.droppedItems);
  expect(session.itemCount).toBe(items.length);
  return { version: session.version, value: textOf(session.value), items };
}

export function describeSessionStore(name: string, open: () => Promise<SessionStoresUnderTest>): void {
  describe(`${name} keeps sessions`, () => {
    const opened: SessionStoresUnderTest[] = [];
    const fresh = async () => {
      const under = await open();
      opened.push(under);
      return under;
    };
    afterEach(async () => {
      for (const under of opened.splice(0)) await under.close();
    });

    it('gives back a session, every field', async () => {
      const { one } = await fresh();
      const value = { form: 'deflate' as const, bytes: Uint8Array.of(0, 1, 255) };
      await one.create(newSession('a', { owner: 'ann', value, items: itemsOf('x', 'y') }));
      expect(await one.read('a', NOW_MS)).toEqual({
        ...{ id: 'a', owner: 'ann', version: 1, storedBytes: 6, itemCount: 2, droppedItems: 0, value },
        ...{ createdAtMs: NOW_MS, usedAtMs: NOW_MS, ttlMs: TTL_MS, expiresAtMs: NOW_MS + TTL_MS },
        items: [itemsOf('x', 'y')],
      });
      expect(await one.read('b', NOW_MS)).toBeNull();
    });

    it('makes one of two that want the same id', async () => {
      const { one, other } = await fresh();
      const made = await Promise.all([one.create(newSession('a')), other.create(newSession('a'))]);
      expect(made.map(({ isWritten }) => isWritten).sort()).toEqual([false, true]);
      expect(made.map(({ version }) => version)).toEqual([1, 1]);
    });

    it('writes from the version that is there, and from no other', async () => {
      const { one, other } = await fresh();
      await one.create(newSession('a'));
      const writes = [one, other].map((store, index) =>
        store.write({ id: 'a', fromVersion: 1, version: 2, value: plain(`by ${index}`) }),
      );
      const written = await Promise.all(writes);
      expect(written.map(({ version }) => version)).toEqual([2, 2]);
      const winner = written.findIndex(({ isWritten }) => isWritten);
      expect(written.filter(({ isWritten }) => isWritten)).toHaveLength(1);
      expect(await contentOf(other, 'a')).toEqual({ version: 2, value: `by ${winner}`, items: [] });
      expect(await one.write({ id: 'none', fromVersion: 1, version: 2 })).toEqual({ isWritten: false, version: null });
    });

    it('appends and drops items without touching the value, by the item and not by the chunk', async () => {
      const { one } = await fresh();
      await one.create(newSession('a', { items: itemsOf('1', '2', '3') }));
      await one.write({ id: 'a', fromVersion: 1, version: 2, append: itemsOf('4', '5') });
      expect((await contentOf(one, 'a'))?.items).toEqual(['1', '2', '3', '4', '5']);
      await one.write({ id: 'a', fromVersion: 2, version: 3, keepLast: 4 });
      expect((await contentOf(one, 'a'))?.items).toEqual(['2', '3', '4', '5']);
      const written = await one.write({ id: 'a', fromVersion: 3, version: 4, append: itemsOf('6'), keepLast: 2 });
      expect(await contentOf(one, 'a')).toEqual({ version: 4, value: 'value', items: ['5', '6'] });
      expect(written).toMatchObject({ isWritten: true, storedBytes: 'value'.length + '4 5'.length + 1 });
      await one.write({ id: 'a', fromVersion: 4, version: 5, keepLast: 0 });
      expect(await contentOf(one, 'a')).toEqual({ version: 5, value: 'value', items: [] });
      expect(await one.totals()).toEqual({ sessions: 1, bytes: 'value'.length });
    });

    it('adds items to whatever version is there, within a bound, and begins its life anew', async () => {
      const { one, other } = await fresh();
      await one.create(newSession('a', { items: itemsOf('1') }));
      await other.write({ id: 'a', fromVersion: 1, version: 5, value: plain('other') });
      const added = { id: 'a', items: itemsOf('2', '3'), nowMs: NOW_MS + 9, isRolling: true, maxBytes: 9 };
      expect(await one.append(added)).toEqual({ isWritten: true, version: 6, storedBytes: 9 });
      expect(await contentOf(other, 'a')).toEqual({ version: 6, value: 'other', items: ['1', '2', '3'] });
      // Nine of 60,000 milliseconds are not worth a write.
      expect((await one.read('a', NOW_MS))?.expiresAtMs).toBe(NOW_MS + TTL_MS);
      expect(await one.append(added)).toEqual({ isWritten: false, storedBytes: 12 });
      await one.append({ ...added, maxBytes: 99, nowMs: NOW_MS + 600 });
      expect(await one.read('a', NOW_MS)).toMatchObject({
        usedAtMs: NOW_MS + 600,
        expiresAtMs: NOW_MS + 600 + TTL_MS,
      });
      await one.append({ ...added, maxBytes: 99, nowMs: NOW_MS + 9_000, isRolling: false });
      expect((await one.read('a', NOW_MS))?.expiresAtMs).toBe(NOW_MS + 600 + TTL_MS);
      const nothing = { isWritten: false, storedBytes: null };
      expect(await one.append({ ...added, id: 'none' })).toEqual(nothing);
      expect(await one.append({ ...added, nowMs: NOW_MS + 600 + TTL_MS })).toEqual(nothing);
      expect(await one.totals()).toEqual({ sessions: 1, bytes: 'other'.length + 1 + 9 });
      await expect(one.append(added, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
    });

    it('reads the last items alone', async () => {
      const { one } = await fresh();
      await one.create(newSession('a', { items: itemsOf('1', '2', '3') }));
      await one.write({ id: 'a', fromVersion: 1, version: 2, append: itemsOf('4') });
      await one.write({ id: 'a', fromVersion: 2, version: 3, append: itemsOf('5', '6'), keepLast: 5 });
      const last = async (count: number) => {
        const session = (await one.readLast({ id: 'a', count, nowMs: NOW_MS }))!;
        const items = session.items.flatMap((chunk) => textOf(chunk).split(' ')).slice(session.droppedItems);
        return { items, chunks: session.items.length };
      };
      expect(await last(1)).toEqual({ items: ['6'], chunks: 1 });
      expect(await last(3)).toEqual({ items: ['4', '5', '6'], chunks: 2 });
      expect(await last(4)).toEqual({ items: ['3', '4', '5', '6'], chunks: 3 });
      expect((await last(99)).items).toEqual(['2', '3', '4', '5', '6']);
      expect(await one.readLast({ id: 'none', count: 1, nowMs: NOW_MS })).toBeNull();
      expect(await one.readLast({ id: 'a', count: 1, nowMs: NOW_MS + TTL_MS })).toBeNull();
      await one.create(newSession('empty'));
      expect(await one.readLast({ id: 'empty', count: 1, nowMs: NOW_MS })).toMatchObject({
        items: [],
        droppedItems: 0,
      });
    });

    it('does not read what has expired, and gives its id away', async () => {
      const { one } = await fresh();
      await one.create(newSession('a'));
      expect(await one.read('a', NOW_MS + TTL_MS - 1)).not.toBeNull();
      expect(await one.read('a', NOW_MS + TTL_MS)).toBeNull();
      expect(await one.versionOf('a')).toBe(1);
      expect(await one.create(newSession('a'))).toMatchObject({ isWritten: false });
      const later = newSession('a', { nowMs: NOW_MS + TTL_MS, value: plain('new') });
      expect(await one.create(later)).toMatchObject({ isWritten: true });
      expect((await contentOf(one, 'a', NOW_MS + TTL_MS))?.value).toBe('new');
    });

    it('begins a new session above every version of one that is gone', async () => {
      const { one, other } = await fresh();
      await one.create(newSession('a'));
      await one.write({ id: 'a', fromVersion: 1, version: 7 });
      await other.remove('a');
      expect(await one.create(newSession('a'))).toMatchObject({ version: 8 });
      await one.rename({ id: 'a', newId: 'b', fromVersion: 8, nowMs: NOW_MS });
      expect(await other.create(newSession('a'))).toMatchObject({ version: 9 });
    });

    it('moves the end of sessions, and leaves their versions', async () => {
      const { one } = await fresh();
      await one.create(newSession('a'));
      await one.touch([
        { id: 'a', usedAtMs: NOW_MS + 5, ttlMs: 10, expiresAtMs: NOW_MS + 15 },
        { id: 'none', usedAtMs: 0, ttlMs: 1, expiresAtMs: 1 },
      ]);
      expect(await one.read('a', NOW_MS)).toMatchObject({ version: 1, usedAtMs: NOW_MS + 5, expiresAtMs: NOW_MS + 15 });
      await one.write({
        id: 'a',
        fromVersion: 1,
        version: 2,
        touch: { usedAtMs: 1, ttlMs: 2, expiresAtMs: NOW_MS + 3 },
      });
      expect(await one.read('a', NOW_MS)).toMatchObject({ ttlMs: 2, expiresAtMs: NOW_MS + 3 });
    });

    it('gives a session another id with everything in it', async () => {
      const { one } = await fresh();
      await one.create(newSession('a', { items: itemsOf('1') }));
      await one.create(newSession('taken'));
      const rename = { id: 'a', newId: 'b', fromVersion: 1, nowMs: NOW_MS };
      expect(await one.rename({ ...rename, fromVersion: 2 })).toEqual({ isWritten: false, version: 1 });
      expect(await one.rename({ ...rename, newId: 'taken' })).toMatchObject({ isWritten: false });
      expect(await one.rename(rename)).toMatchObject({ isWritten: true, version: 2 });
      expect(await one.read('a', NOW_MS)).toBeNull();
      expect(await contentOf(one, 'b')).toEqual({ version: 2, value: 'value', items: ['1'] });
    });

    it('replaces what is kept by another form of it, while nobody has changed it', async () => {
      const { one } = await fresh();
      await one.create(newSession('a', { items: itemsOf('1', '2') }));
      await one.write({ id: 'a', fromVersion: 1, version: 2, append: itemsOf('3'), keepLast: 2 });
      const packed = { id: 'a', version: 2, value: plain('v'), items: itemsOf('2', '3') };
      expect(await one.pack({ ...packed, version: 1 })).toBe(false);
      expect(await one.pack(packed)).toBe(true);
      await one.write({ id: 'a', fromVersion: 2, version: 3, append: itemsOf('4') });
      expect(await contentOf(one, 'a')).toEqual({ version: 3, value: 'v', items: ['2', '3', '4'] });
      expect(await one.totals()).toEqual({ sessions: 1, bytes: 'v'.length + '2 3'.length + 1 });
    });

    it('tells a mark that moves when another has written', async () => {
      const { one, other } = await fresh();
      await one.create(newSession('a'));
      const mark = await one.changeMark();
      expect(await one.changeMark()).toBe(mark);
      await other.write({ id: 'a', fromVersion: 1, version: 2 });
      expect(await one.changeMark()).not.toBe(mark);
      expect(await one.versionOf('a')).toBe(2);
    });

    it('removes one, all, and what has expired', async () => {
      const { one, stranger } = await fresh();
      for (const [index, id] of ['a', 'b', 'c', 'd'].entries()) {
        await one.create(newSession(id, { ttlMs: TTL_MS + index, items: itemsOf('1') }));
      }
      await stranger.create(newSession('a'));
      expect(await one.remove('d')).toBe(true);
      expect(await one.remove('d')).toBe(false);
      const beforeMs = NOW_MS + TTL_MS + 1;
      expect(await one.removeExpired({ beforeMs, limit: 1 })).toBe(1);
      expect(await one.versionOf('a')).toBeNull();
      expect(await one.removeExpired({ beforeMs, limit: 10 })).toBe(1);
      expect(await one.removeExpired({ beforeMs, limit: 10 })).toBe(0);
      expect(await one.totals()).toMatchObject({ sessions: 1 });
      expect(await one.clear()).toBe(1);
      expect(await one.totals()).toEqual({ sessions: 0, bytes: 0 });
      expect(await contentOf(stranger, 'a')).not.toBeNull();
    });

    it('lists by pages, oldest first, of everybody or of one owner', async () => {
      const { one, stranger } = await fresh();
      await stranger.create(newSession('not mine'));
      for (let index = 0; index < 7; index++) {
        await one.create(newSession(`s${index}`, { owner: index % 2 ? 'odd' : null, ttlMs: index === 6 ? 1 : TTL_MS }));
      }
      const listed = async (owner?: string) => {
        const ids: string[] = [];
        for (let from: number | null = 0; from !== null; ) {
          const page = await one.list({ owner, from, limit: 2, nowMs: NOW_MS + 1 });
          expect(page.sessions.length).toBeLessThanOrEqual(2);
          ids.push(...page.sessions.map(({ id }) => id));
          from = page.next;
        }
        return ids;
      };
      expect(await listed()).toEqual(['s0', 's1', 's2', 's3', 's4', 's5']);
      expect(await listed('odd')).toEqual(['s1', 's3', 's5']);
      expect(await listed('nobody')).toEqual([]);
    });

    it('withdraws what waits when its signal aborts', async () => {
      const { one } = await fresh();
      const aborted = AbortSignal.abort(new Error('enough'));
      await expect(one.create(newSession('a'), aborted)).rejects.toThrow('enough');
      await one.create(newSession('a'));
      await expect(one.write({ id: 'a', fromVersion: 1, version: 2 }, aborted)).rejects.toThrow('enough');
      expect(await one.versionOf('a')).toBe(1);
    });

    it('agrees with a model, whatever is done through either', async () => {
      const id = fc.constantFrom('a', 'b', 'c');
      const step = fc.oneof(
        fc.record({ kind: fc.constant('create' as const), id, size: fc.nat(3) }),
        fc.record({
          kind: fc.constant('write' as const),
          id,
          value: fc.option(fc.nat(99)),
          append: fc.nat(3),
          keepLast: fc.option(fc.nat(5)),
          isStale: fc.boolean(),
        }),
        fc.record({ kind: fc.constant('append' as const), id, size: fc.integer({ min: 1, max: 3 }) }),
        fc.record({ kind: fc.constant('remove' as const), id }),
        fc.record({ kind: fc.constant('rename' as const), id, newId: id }),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(fc.tuple(step, fc.boolean()), { maxLength: 25 }), async (steps) => {
          const { one, other, close } = await open();
          const model = new Map<string, { version: number; value: string; items: string[] }>();
          let count = 0;
          let past = 0;
          const gone = (key: string) => {
            past = Math.max(past, model.get(key)?.version ?? 0);
            model.delete(key);
          };
          for (const [each, isOther] of steps) {
            const store = isOther ? other : one;
            const held = model.get(each.id);
            if (each.kind === 'create') {
              const texts = Array.from({ length: each.size }, () => `i${count++}`);
              const items = texts.length > 0 ? itemsOf(...texts) : null;
              const { isWritten, version } = await store.create(newSession(each.id, { items }));
              expect({ isWritten, version }).toEqual(
                held ? { isWritten: false, version: held.version } : { isWritten: true, version: past + 1 },
              );
              if (!held) model.set(each.id, { version: past + 1, value: 'value', items: texts });
            } else if (each.kind === 'write') {
              const texts = Array.from({ length: each.append }, () => `i${count++}`);
              const fromVersion = (held?.version ?? 1) - (each.isStale ? 1 : 0);
              const { isWritten } = await store.write({
                ...{ id: each.id, fromVersion, version: fromVersion + 1, keepLast: each.keepLast ?? undefined },
                value: each.value === null ? undefined : plain(`v${each.value}`),
                append: texts.length > 0 ? itemsOf(...texts) : undefined,
              });
              expect(isWritten).toBe(held !== undefined && !each.isStale);
              if (!held || each.isStale) continue;
              held.version++;
              if (each.value !== null) held.value = `v${each.value}`;
              held.items.push(...texts);
              if (each.keepLast !== null) held.items.splice(0, Math.max(0, held.items.length - each.keepLast));
            } else if (each.kind === 'append') {
              const texts = Array.from({ length: each.size }, () => `i${count++}`);
              const added = { id: each.id, items: itemsOf(...texts), nowMs: NOW_MS, isRolling: true, maxBytes: 1e6 };
              expect((await store.append(added)).isWritten).toBe(held !== undefined);
              if (!held) continue;
              held.version++;
              held.items.push(...texts);
            } else if (each.kind === 'remove') {
              expect(await store.remove(each.id)).toBe(held !== undefined);
              gone(each.id);
            } else {
              const isFree = held !== undefined && !model.has(each.newId);
              const rename = { id: each.id, newId: each.newId, fromVersion: held?.version ?? 1, nowMs: NOW_MS };
              expect((await store.rename(rename)).isWritten).toBe(isFree);
              if (!held || !isFree) continue;
              gone(each.id);
              model.set(each.newId, { ...held, version: held.version + 1 });
            }
          }
          for (const key of ['a', 'b', 'c']) {
            expect(await contentOf(one, key)).toEqual(model.get(key) ?? null);
            expect(await other.versionOf(key)).toBe(model.get(key)?.version ?? null);
          }
          expect((await one.totals()).sessions).toBe(model.size);
          await close();
        }),
        { numRuns: 30 },
      );
    });
  });
}
