import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ClosedError, InvalidArgumentError } from '../../base/errors.ts';
import { Budget } from '../../budget/budget.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { Cache } from './cache.ts';

interface Pending {
  resolve(value: number): void;
  reject(error: unknown): void;
  readonly signal: AbortSignal;
}

const caches: Cache<string, number>[] = [];

function make() {
  const cache = new Cache<string, number>({ name: 'c', maxEntries: 10, clock: new ManualClock(), sizeOf: () => 1 });
  caches.push(cache);
  const started: Pending[] = [];
  const compute = vi.fn(
    (signal: AbortSignal) => new Promise<number>((resolve, reject) => started.push({ resolve, reject, signal })),
  );
  return { cache, started, compute };
}

afterEach(() => {
  for (const cache of caches.splice(0)) {
    cache.close();
    expect(cache.statistics()).toMatchObject({ computing: 0, bytes: 0 });
  }
});

const turn = () => new Promise((resolve) => setImmediate(resolve));

it('tells all who wait when the value cannot be kept because the budget was closed first', async () => {
  const budget = new Budget({ limitBytes: 1000 });
  const cache = new Cache<string, number>({ name: 'c', budget, clock: new ManualClock(), sizeOf: () => 1 });
  let resolve: (value: number) => void = () => {};
  const compute = () =>
    new Promise<number>((resolved) => {
      resolve = resolved;
    });
  const waits = [cache.getOrCompute('a', compute), cache.getOrCompute('a', compute)];
  budget.close();
  resolve(1);
  for (const wait of waits) await expect(wait).rejects.toThrow(ClosedError);
  expect(cache.statistics().computing).toBe(0);
  cache.close();
});

describe('getOrCompute', () => {
  it('computes once for all who ask meanwhile, and keeps the value', async () => {
    const { cache, started, compute } = make();
    const waits = Array.from({ length: 10_000 }, () => cache.getOrCompute('a', compute));
    expect(cache.statistics().computing).toBe(1);
    started[0]!.resolve(7);
    expect(new Set(await Promise.all(waits))).toEqual(new Set([7]));
    expect(compute).toHaveBeenCalledTimes(1);
    expect(await cache.getOrCompute('a', compute)).toBe(7);
    expect(cache.statistics()).toMatchObject({ computations: 1, hits: 1, misses: 10_000, computing: 0 });
  });

  it('computes at once when the computation is not a promise', async () => {
    const { cache } = make();
    expect(await cache.getOrCompute('a', () => 3)).toBe(3);
    expect(cache.get('a')).toBe(3);
  });

  it('keeps no error: all who wait get it, the next one tries again', async () => {
    const { cache, started, compute } = make();
    const waits = [cache.getOrCompute('a', compute), cache.getOrCompute('a', compute)];
    started[0]!.reject(new Error('no'));
    const results = await Promise.allSettled(waits);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(
      cache.getOrCompute('a', () => {
        throw new Error('at once');
      }),
    ).rejects.toThrow('at once');
    expect(await cache.getOrCompute('a', () => 1)).toBe(1);
    expect(cache.statistics()).toMatchObject({ computationErrors: 2, computations: 3 });
  });

  it('lets each caller leave alone, and stops when all have left', async () => {
    const { cache, started, compute } = make();
    const [one, two] = [new AbortController(), new AbortController()];
    const first = cache.getOrCompute('a', compute, { signal: one.signal });
    const second = cache.getOrCompute('a', compute, { signal: two.signal });
    one.abort(new Error('first left'));
    await expect(first).rejects.toThrow('first left');
    expect(started[0]!.signal.aborted).toBe(false);
    two.abort(new Error('second left'));
    await expect(second).rejects.toThrow('second left');
    expect(started[0]!.signal.aborted).toBe(true);
    expect(cache.statistics().computing).toBe(0);
    // Whoever comes now does not join a computation that was stopped.
    const third = cache.getOrCompute('a', compute);
    started[0]!.resolve(1);
    await turn();
    expect(cache.has('a')).toBe(false);
    started[1]!.resolve(2);
    expect(await third).toBe(2);
    expect(cache.get('a')).toBe(2);
  });

  it('leaves no listener behind, whatever the end', async () => {
    const { cache, started, compute } = make();
    const { signal } = new AbortController();
    const one = cache.getOrCompute('a', compute, { signal });
    const two = cache.getOrCompute('b', compute, { signal });
    expect(getEventListeners(signal, 'abort')).toHaveLength(2);
    started[0]!.resolve(1);
    started[1]!.reject(new Error('no'));
    await Promise.allSettled([one, two]);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('refuses a signal that has aborted, without computing', async () => {
    const { cache, compute } = make();
    await expect(cache.getOrCompute('a', compute, { signal: AbortSignal.abort(new Error('over')) })).rejects.toThrow(
      'over',
    );
    expect(compute).not.toHaveBeenCalled();
  });

  it.each([
    ['deleted', (cache: Cache<string, number>) => cache.delete('a'), undefined],
    ['cleared', (cache: Cache<string, number>) => cache.clear(), undefined],
    ['set', (cache: Cache<string, number>) => cache.set('a', 99), 99],
  ] as const)('does not keep what was computed before the key was %s', async (_, touch, kept) => {
    const { cache, started, compute } = make();
    const waiting = cache.getOrCompute('a', compute);
    touch(cache);
    expect(cache.statistics().computing).toBe(1);
    started[0]!.resolve(7);
    // Who asked before may have the old news.
    expect(await waiting).toBe(7);
    expect(cache.get('a')).toBe(kept);
    expect(cache.statistics().lateResults).toBe(1);
  });

  it('starts anew for who asks after the key was deleted', async () => {
    const { cache, started, compute } = make();
    const before = cache.getOrCompute('a', compute);
    cache.delete('a');
    const after = cache.getOrCompute('a', compute);
    started[1]!.resolve(2);
    expect(await after).toBe(2);
    started[0]!.resolve(1);
    expect(await before).toBe(1);
    expect(cache.get('a')).toBe(2);
  });

  it('rejects who waits when it closes, at once, and stops the computation', async () => {
    const { cache, started, compute } = make();
    const waiting = cache.getOrCompute('a', compute);
    const disowned = cache.getOrCompute('b', compute);
    cache.delete('b');
    cache.close();
    await expect(waiting).rejects.toThrow(ClosedError);
    await expect(disowned).rejects.toThrow(ClosedError);
    expect(started.map(({ signal }) => signal.aborted)).toEqual([true, true]);
    started[0]!.resolve(1);
    started[1]!.reject(new Error('late'));
    await turn();
    expect(cache.statistics()).toMatchObject({ entries: 0, computing: 0, lateResults: 1 });
  });

  it('survives a computation that closes the cache, or sets its own key', async () => {
    const { cache } = make();
    expect(
      await cache.getOrCompute('a', () => {
        cache.set('a', 1);
        return 2;
      }),
    ).toBe(2);
    expect(cache.get('a')).toBe(1);
    const closing = cache.getOrCompute('b', () => {
      cache.close();
      return 2;
    });
    await expect(closing).rejects.toThrow(ClosedError);
  });

  it('does not wait for a computation that hangs longer than the caller wants', async () => {
    const { cache, compute } = make();
    const leaving = new AbortController();
    const waiting = cache.getOrCompute('a', compute, { signal: leaving.signal });
    const other = cache.getOrCompute('b', () => 1);
    leaving.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(await other).toBe(1);
  });

  it('returns a value that is refused, and undefined, without keeping them', async () => {
    const { cache } = make();
    expect(await cache.getOrCompute('a', () => 1, { sizeBytes: Number.POSITIVE_INFINITY })).toBe(1);
    expect(await cache.getOrCompute('b', () => undefined as unknown as number)).toBeUndefined();
    expect(cache.size).toBe(0);
    expect(cache.statistics().refusals.too_large).toBe(1);
  });

  it('checks what it is given before it computes', async () => {
    const { cache, compute } = make();
    await expect(cache.getOrCompute('a', compute, { ttlMs: Number.NaN })).rejects.toThrow(InvalidArgumentError);
    await expect(cache.getOrCompute('a', compute, { owner: '' })).rejects.toThrow(InvalidArgumentError);
    await expect(cache.getOrCompute('a', compute, { sizeBytes: -1 })).rejects.toThrow(InvalidArgumentError);
    await expect(cache.getOrCompute('a', 5 as never)).rejects.toThrow(InvalidArgumentError);
    expect(compute).not.toHaveBeenCalled();
  });
});
