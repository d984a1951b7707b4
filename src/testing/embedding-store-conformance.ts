/** What every `EmbeddingStore` must do, as a suite any adapter can run. */
import { afterEach, describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../base/errors.ts';
import type { EmbeddingStore } from '../storage/embedding-store.ts';

/** A store under test, empty, and how to get rid of it. */
export interface EmbeddingStoreUnderTest {
  readonly store: EmbeddingStore;
  /** Moves the store's clock on. */
  advance(ms: number): Promise<void>;
  close(): Promise<void>;
}

const HOUR_MS = 3_600_000;

/** Runs the suite; `open` makes a store with the bounds asked for, `undefined` for those of the adapter. */
export function describeEmbeddingStore(
  name: string,
  open: (bounds: { maxRows?: number; maxBytes?: number }) => Promise<EmbeddingStoreUnderTest>,
): void {
  describe(`embedding store ${name}`, () => {
    const opened: EmbeddingStoreUnderTest[] = [];
    const make = async (bounds: { maxRows?: number; maxBytes?: number } = {}) => {
      const made = await open(bounds);
      opened.push(made);
      return made;
    };
    afterEach(async () => {
      for (const each of opened.splice(0)) await each.close();
    });

    it('returns what was put, number for number, and only that', async () => {
      const { store } = await make();
      const vector = Float32Array.of(0, -0, 1.5, -3.25e-38, 3.4e38, Number.POSITIVE_INFINITY);
      const part = new Float32Array(8).fill(7).subarray(1, 4);
      await store.put('m', [
        { textHash: 'a', vector },
        { textHash: 'b', vector: part },
      ]);
      const found = await store.get('m', ['a', 'missing', 'b', 'a']);
      expect([...found.keys()].sort()).toEqual(['a', 'b']);
      expect(found.get('a')).toEqual(vector);
      expect(found.get('b')).toEqual(Float32Array.of(7, 7, 7));
      // An array of its own: nobody changes what the next one gets.
      found.get('a')![0] = 99;
      expect((await store.get('m', ['a'])).get('a')![0]).toBe(0);
      expect(store.totals()).toEqual({ rows: 2, bytes: 36 });
    });

    it('keeps models apart, and the last of two', async () => {
      const { store } = await make();
      await store.put('m', [{ textHash: 'a', vector: Float32Array.of(1, 2) }]);
      await store.put('n', [{ textHash: 'a', vector: Float32Array.of(2) }]);
      await store.put('m', [{ textHash: 'a', vector: Float32Array.of(3) }]);
      expect((await store.get('m', ['a'])).get('a')).toEqual(Float32Array.of(3));
      expect((await store.get('n', ['a'])).get('a')).toEqual(Float32Array.of(2));
      expect(store.totals()).toEqual({ rows: 2, bytes: 8 });
    });

    it('deletes some, or a whole model', async () => {
      const { store } = await make();
      await store.put(
        'm',
        ['a', 'b', 'c'].map((textHash) => ({ textHash, vector: Float32Array.of(1) })),
      );
      await store.put('n', [{ textHash: 'a', vector: Float32Array.of(1) }]);
      expect(await store.delete('m', ['a', 'a', 'z'])).toBe(1);
      expect(await store.delete('m')).toBe(2);
      expect(await store.delete('m')).toBe(0);
      expect(store.totals()).toEqual({ rows: 1, bytes: 4 });
    });

    it('lets go what was not used for longest, by rows', async () => {
      const { store, advance } = await make({ maxRows: 3 });
      for (const textHash of ['a', 'b', 'c']) {
        await store.put('m', [{ textHash, vector: Float32Array.of(1) }]);
        await advance(2 * HOUR_MS);
      }
      await store.get('m', ['a']);
      await advance(1000);
      await store.put('m', [{ textHash: 'd', vector: Float32Array.of(1) }]);
      const found = await store.get('m', ['a', 'b', 'c', 'd']);
      expect([...found.keys()].sort()).toEqual(['a', 'c', 'd']);
    });

    it('and by bytes, also where one put brings more than fits', async () => {
      const { store } = await make({ maxBytes: 4 * 10 });
      await store.put(
        'm',
        Array.from({ length: 500 }, (_, index) => ({
          textHash: `t${index}`,
          vector: Float32Array.of(index, index),
        })),
      );
      const { rows, bytes } = store.totals();
      expect(bytes).toBeLessThanOrEqual(40);
      expect(rows).toBe(bytes / 8);
      await store.put('m', [{ textHash: 'huge', vector: new Float32Array(100) }]);
      expect(store.totals().bytes).toBeLessThanOrEqual(40);
    });

    it('refuses what is no embedding, and keeps nothing of it', async () => {
      const { store } = await make();
      const good = { textHash: 'a', vector: Float32Array.of(1) };
      for (const bad of [
        { textHash: '', vector: Float32Array.of(1) },
        { textHash: 'x'.repeat(200), vector: Float32Array.of(1) },
        { textHash: 'b', vector: new Float32Array(0) },
        { textHash: 'b', vector: [1, 2] as unknown as Float32Array },
      ]) {
        await expect(store.put('m', [good, bad])).rejects.toThrow(InvalidArgumentError);
      }
      await expect(store.put('', [good])).rejects.toThrow(InvalidArgumentError);
      expect(store.totals()).toEqual({ rows: 0, bytes: 0 });
    });

    it('takes and finds nothing when asked for nothing', async () => {
      const { store } = await make();
      await store.put('m', []);
      expect((await store.get('m', [])).size).toBe(0);
      expect(await store.delete('m', [])).toBe(0);
    });
  });
}
