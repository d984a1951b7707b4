import { describe, expect, it } from 'vitest';
import { columnsOf, type Sample, sampleOfPoint, scaleOf, thin, weave } from './trace.ts';

const MB = 2 ** 20;

function sample(atMs: number, anonMb = 100): Sample {
  const anonBytes = anonMb * MB;
  return { atMs, anonBytes, peakAnonBytes: anonBytes, liveHeapBytes: null, limitBytes: 512 * MB, score: 20 };
}

function every(stepMs: number, count: number, fromMs = 0): Sample[] {
  return Array.from({ length: count }, (_, index) => sample(fromMs + index * stepMs));
}

/** Times in seconds at which nothing is drawn. */
function gapsOf(samples: readonly Sample[]): number[] {
  const [seconds, , anon] = columnsOf(samples);
  return seconds.filter((_, index) => anon[index] === null);
}

describe('columnsOf', () => {
  it('draws nothing where nobody measured', () => {
    expect(gapsOf([...every(250, 8), ...every(250, 8, 20_000)])).toEqual([(1.75 + 20) / 2]);
  });

  it('takes a slow cadence for what it is', () => {
    expect(gapsOf(every(30_000, 20))).toEqual([]);
    expect(gapsOf([...every(30_000, 5), ...every(250, 5, 150_000)])).toEqual([]);
  });

  it('keeps short silences of a quick cadence together', () => {
    expect(gapsOf([...every(250, 4), ...every(250, 4, 4000)])).toEqual([]);
  });
});

describe('weave', () => {
  it('fills what the live samples miss, in order of time, and doubles nothing', () => {
    const live = every(250, 4, 100_000);
    const woven = weave(live, every(30_000, 6), 30_000);
    expect(woven.map(({ atMs }) => atMs)).toEqual([0, 30_000, 60_000, 100_000, 100_250, 100_500, 100_750, 150_000]);
  });
});

describe('scaleOf', () => {
  it('shows the limit while the lines stay readable, and leaves it out when it would press them flat', () => {
    expect(scaleOf([sample(0, 200)])).toEqual({ topBytes: 512 * MB * 1.08, showsLimit: true });
    const small = scaleOf([sample(0, 100)]);
    expect(small.showsLimit).toBe(false);
    expect(small.topBytes).toBeLessThan(200 * MB);
  });

  it('has a scale for nothing at all', () => {
    expect(scaleOf([]).topBytes).toBeGreaterThan(0);
  });
});

describe('thin', () => {
  it('keeps the same rows while the window moves on', () => {
    const times = (samples: readonly Sample[]) => thin(samples, 25_000).map(({ atMs }) => atMs);
    expect(times(every(250, 400, 5000))).toEqual([25_000, 50_000, 75_000, 100_000]);
    expect(times(every(250, 400, 7000))).toEqual([25_000, 50_000, 75_000, 100_000]);
  });

  it('has a row as soon as there is a sample', () => {
    expect(thin(every(250, 3, 1000), 25_000)).toHaveLength(1);
    expect(thin([], 25_000)).toEqual([]);
  });
});

describe('sampleOfPoint', () => {
  const point = { atMs: 1, rssBytes: 9, anonBytes: 5, heapUsedBytes: 3, liveHeapBytes: null, externalBytes: 1 };

  it('shows the peaks a down-sampled point stands for', () => {
    const mean = { ...point, limitBytes: 10, score: 50, level: 'low' as const, reservedBytes: 0 };
    expect(sampleOfPoint({ ...mean, peakAnonBytes: 8, peakScore: 80 })).toMatchObject({ peakAnonBytes: 8, score: 80 });
    expect(sampleOfPoint(mean)).toMatchObject({ peakAnonBytes: 5, score: 50 });
  });
});
