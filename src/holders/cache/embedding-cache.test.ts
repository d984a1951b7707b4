import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ClosedError, InvalidArgumentError } from '../../base/errors.ts';
import { Budget } from '../../budget/budget.ts';
import type { EmbeddingStore, StoredEmbedding } from '../../storage/embedding-store.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { EmbeddingCache, type EmbeddingCacheOptions } from './embedding-cache.ts';

/** A store in memory that can be told to fail, or to hang. */
class FakeStore implements EmbeddingStore {
  readonly vectors = new Map<string, Float32Array>();
  readonly puts: number[] = [];
  mood: 'well' | 'failing' | 'hanging' = 'well';

  async get(model: string, hashes: readonly string[]): Promise<ReadonlyMap<string, Float32Array>> {
    await this.#moodily();
    return new Map(
      hashes.flatMap((hash) => {
        const vector = this.vectors.get(`${model} ${hash}`);
        return vector ? [[hash, vector] as const] : [];
      }),
    );
  }

  async put(model: string, embeddings: readonly StoredEmbedding[]): Promise<void> {
    await this.#moodily();
    this.puts.push(embeddings.length);
    for (const { textHash, vector } of embeddings) this.vectors.set(`${model} ${textHash}`, vector);
  }

  async delete(model: string, hashes: readonly string[] = []): Promise<number> {
    await this.#moodily();
    return hashes.filter((hash) => this.vectors.delete(`${model} ${hash}`)).length;
  }

  totals() {
    return { rows: this.vectors.size, bytes: 0 };
  }

  async #moodily(): Promise<void> {
    if (this.mood === 'failing') throw new Error('the store is locked');
    if (this.mood === 'hanging') await new Promise(() => {});
  }
}

const opened: { cache: EmbeddingCache; budget: Budget; clock: ManualClock }[] = [];

function make(options: Partial<EmbeddingCacheOptions> = {}) {
  const clock = new ManualClock();
  const budget = new Budget({ limitBytes: 100_000, clock });
  const cache = new EmbeddingCache({ name: 'embeddings', budget, clock, model: 'm', ...options });
  opened.push({ cache, budget, clock });
  const embed = vi.fn(async (texts: readonly string[]) => texts.map((text) => Float32Array.of(text.length, 1)));
  return { cache, budget, clock, embed };
}

afterEach(async () => {
  for (const { cache, budget, clock } of opened.splice(0)) {
    const closing = cache.close();
    await clock.advance(5000);
    await closing;
    expect(budget.close().leakedBytes).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  }
});

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('an embedding cache', () => {
  it('embeds each text once, in one batch, in order', async () => {
    const { cache, embed } = make();
    const vectors = await cache.embed(['a', 'bbb', 'a', 'cc'], embed);
    expect(vectors.map(([length]) => length)).toEqual([1, 3, 1, 2]);
    expect(embed.mock.calls.map(([texts]) => texts)).toEqual([['a', 'bbb', 'cc']]);
    await cache.embed(['cc', 'dddd'], embed);
    expect(embed.mock.calls.at(-1)?.[0]).toEqual(['dddd']);
    expect(cache.statistics()).toMatchObject({ embedded: 4, entries: 4, store: null, hits: 1 });
    expect(await cache.embed([], embed)).toEqual([]);
  });

  it('asks the store before the embedder, and stores what was embedded', async () => {
    const store = new FakeStore();
    const first = make({ store });
    await first.cache.embed(['a', 'bb'], first.embed);
    await first.cache.flush();
    expect(store.puts).toEqual([2]);
    const second = make({ store });
    expect((await second.cache.embed(['bb', 'ccc'], second.embed)).map(([length]) => length)).toEqual([2, 3]);
    expect(second.embed.mock.calls.map(([texts]) => texts)).toEqual([['ccc']]);
    expect(second.cache.statistics().store).toMatchObject({ hits: 1, misses: 1 });
    const other = make({ store, model: 'n' });
    await other.cache.embed(['a'], other.embed);
    expect(other.embed).toHaveBeenCalledTimes(1);
  });

  it('works on when the store fails, and counts it', async () => {
    const store = new FakeStore();
    store.mood = 'failing';
    const { cache, embed } = make({ store });
    expect(await cache.embed(['a'], embed)).toEqual([Float32Array.of(1, 1)]);
    await cache.flush();
    expect(cache.statistics().store).toMatchObject({ errors: 2, written: 0, queuedBytes: 0 });
    store.mood = 'well';
    await cache.embed(['bb'], embed);
    await cache.flush();
    expect(store.puts).toEqual([1]);
    store.mood = 'failing';
    await expect(cache.delete(['bb'])).rejects.toThrow('locked');
    store.mood = 'well';
  });

  it('does not wait long for a store that hangs, also not at close', async () => {
    const store = new FakeStore();
    store.mood = 'hanging';
    const { cache, embed, clock } = make({ store, storeTimeoutMs: 100 });
    const waiting = cache.embed(['a'], embed);
    await clock.advance(100);
    expect(await waiting).toEqual([Float32Array.of(1, 1)]);
    const closing = cache.close();
    await clock.advance(100);
    await closing;
    expect(cache.statistics().store).toMatchObject({ errors: 2 });
  });

  it('bounds what waits for a slow store', async () => {
    const store = new FakeStore();
    store.mood = 'hanging';
    const { cache, clock } = make({ store, storeTimeoutMs: 1, maxQueuedBytes: 3000 });
    const embed = async (texts: readonly string[]) => texts.map(() => new Float32Array(100));
    for (let index = 0; index < 20; index++) {
      const waiting = cache.embed([`text ${index}`], embed);
      await clock.advance(1);
      await waiting;
    }
    const { queuedBytes, dropped } = cache.statistics().store!;
    expect(queuedBytes).toBeLessThanOrEqual(3000);
    expect(dropped).toBeGreaterThan(10);
  });

  it('shares what is being embedded among all who ask, each free to leave', async () => {
    const { cache } = make();
    const batches: { texts: readonly string[]; resolve: (vectors: Float32Array[]) => void; signal: AbortSignal }[] = [];
    const embed = (texts: readonly string[], signal: AbortSignal) =>
      new Promise<Float32Array[]>((resolve) => batches.push({ texts, resolve, signal }));
    const leaving = new AbortController();
    const first = cache.embed(['a', 'b'], embed, { signal: leaving.signal });
    const second = cache.embed(['b', 'c'], embed);
    await turn();
    expect(batches.map(({ texts }) => texts)).toEqual([['a', 'b'], ['c']]);
    leaving.abort(new Error('left'));
    await expect(first).rejects.toThrow('left');
    expect(batches[0]!.signal.aborted).toBe(false);
    expect(getEventListeners(leaving.signal, 'abort')).toHaveLength(0);
    for (const { texts, resolve } of batches) resolve(texts.map(() => Float32Array.of(5)));
    expect(await second).toEqual([Float32Array.of(5), Float32Array.of(5)]);
    expect(cache.statistics().computing).toBe(0);
    const alone = new AbortController();
    const third = cache.embed(['z'], embed, { signal: alone.signal });
    await turn();
    alone.abort(new Error('gone'));
    await expect(third).rejects.toThrow('gone');
    expect(batches[2]!.signal.aborted).toBe(true);
    batches[2]!.resolve([Float32Array.of(1)]);
    await turn();
    expect(cache.statistics().entries).toBe(3);
  });

  it('does not bring back what was deleted while it was embedded', async () => {
    const store = new FakeStore();
    const { cache } = make({ store });
    let resolve: (vectors: Float32Array[]) => void = () => {};
    const waiting = cache.embed(['secret'], () => new Promise((answer) => (resolve = answer)));
    await turn();
    await cache.delete(['secret']);
    resolve([Float32Array.of(1)]);
    expect(await waiting).toEqual([Float32Array.of(1)]);
    await cache.flush();
    expect(cache.statistics().entries).toBe(0);
    expect(store.vectors.size).toBe(0);
  });

  it('deletes what waits to be written, too', async () => {
    const store = new FakeStore();
    const { cache, embed } = make({ store });
    await cache.embed(['a', 'b'], embed);
    await cache.delete(['a']);
    await cache.flush();
    expect(store.vectors.size).toBe(1);
    await cache.embed(['a'], embed);
    expect(embed).toHaveBeenCalledTimes(2);
  });

  it('passes on what the embedder throws, and tries again', async () => {
    const { cache, embed } = make();
    const failing = async () => {
      throw new Error('no quota');
    };
    await expect(cache.embed(['a'], failing)).rejects.toThrow('no quota');
    expect(await cache.embed(['a'], embed)).toHaveLength(1);
  });

  it.each([[[]], [[Float32Array.of(1), Float32Array.of(2)]], [[[1, 2]]], [[new Float32Array(0)]], ['x'], [null]])(
    'refuses an embedder that returns %j',
    async (answer) => {
      const { cache } = make();
      await expect(cache.embed(['a'], async () => answer as never)).rejects.toThrow(InvalidArgumentError);
      expect(cache.statistics().entries).toBe(0);
    },
  );

  it('rejects who waits when it closes', async () => {
    const { cache, embed } = make();
    const waiting = cache.embed(['a'], () => new Promise(() => {}));
    const closing = cache.close();
    await expect(waiting).rejects.toThrow(ClosedError);
    await closing;
    await expect(cache.embed(['a'], embed)).rejects.toThrow(ClosedError);
    await expect(cache.delete(['a'])).rejects.toThrow(ClosedError);
  });

  it('gives its memory under pressure and reads from the store again', async () => {
    const store = new FakeStore();
    const { cache, budget, embed } = make({ store });
    const texts = Array.from({ length: 50 }, (_, index) => `text ${index}`);
    await cache.embed(texts, embed);
    await cache.flush();
    await budget.reclaim({ targetBytes: budget.reservedBytes, level: 'critical' });
    expect(cache.statistics().entries).toBe(0);
    await cache.embed(texts, embed);
    expect(embed).toHaveBeenCalledTimes(1);
  });

  it.each([{ model: '' }, { model: 5 as unknown as string }, { maxQueuedBytes: -1 }, { storeTimeoutMs: Number.NaN }])(
    'refuses %o',
    (options) => {
      const budget = new Budget({ limitBytes: 1000 });
      expect(() => new EmbeddingCache({ name: 'e', budget, model: 'm', ...options })).toThrow(InvalidArgumentError);
      budget.close();
    },
  );

  it.each([[null], [['a', 5]]])('refuses %j for texts', async (texts) => {
    const { cache, embed } = make();
    await expect(cache.embed(texts as never, embed)).rejects.toThrow(InvalidArgumentError);
  });
});

it('keeps vectors that are cut out of one buffer, or of one that is used again, in buffers of their own', async () => {
  const { cache, budget } = make();
  const answer = new Float32Array(2000);
  const embed = async (texts: readonly string[]) => {
    answer.fill(texts.length);
    return texts.map((_, index) => answer.subarray(index * 2, index * 2 + 2));
  };
  const [vector] = await cache.embed(['a', 'b'], embed);
  await cache.embed(['c'], embed);
  expect(await cache.embed(['a'], embed)).toEqual([Float32Array.of(2, 2)]);
  expect(vector!.buffer.byteLength).toBe(8);
  expect(budget.snapshot().consumers).toMatchObject([{ name: 'embeddings', where: 'native' }]);
  await expect(cache.embed(['d'], undefined as never)).rejects.toThrow(InvalidArgumentError);
});
