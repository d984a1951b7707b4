import { describe, expect, it } from 'vitest';
import { MIB } from '../base/bytes.ts';
import { seededRandom } from '../base/random.ts';
import { Figures } from './figures.ts';
import { SlidingWindow } from './sliding-window.ts';
import { usefulness } from './usefulness.ts';

const HOUR_MS = 3_600_000;

/** Half an hour of readings, one a second. */
function figuresOf(bytesAt: (minute: number) => number, minutes = 30): Figures {
  const figures = new Figures();
  for (let second = 0; second < minutes * 60; second++) figures.add(second * 1000, bytesAt(second / 60));
  return figures;
}

describe('figures', () => {
  it('know nothing before the first reading', () => {
    const figures = new Figures();
    expect(figures).toMatchObject({ peakBytes: 0, growthBytesPerHour: 0, trend: 'stable' });
    expect(figures.averageBytes(1000)).toBe(0);
  });

  it('keep the peak and the average of the last five minutes', () => {
    const figures = figuresOf((minute) => (minute < 1 ? 300 : 100) * MIB, 12);
    expect(figures.peakBytes).toBe(300 * MIB);
    expect(figures.averageBytes(12 * 60_000)).toBeCloseTo(100 * MIB);
  });

  it('find growth under a sawtooth of garbage', () => {
    const random = seededRandom(1);
    const figures = figuresOf((minute) => (200 + minute + 40 * random()) * MIB);
    expect(figures.trend).toBe('increasing');
    expect(figures.growthBytesPerHour / MIB).toBeCloseTo(60, -0.5);
  });

  it.each([
    ['a flat figure', () => 200 * MIB, 'stable'],
    ['noise', (_: number, random: () => number) => (200 + 40 * random()) * MIB, 'stable'],
    ['real growth too small to matter', (minute: number) => 200 * MIB + minute * 10_000, 'stable'],
    ['a fall', (minute: number) => (300 - minute) * MIB, 'decreasing'],
    ['a spike', (minute: number) => (minute > 14 && minute < 15 ? 400 : 200) * MIB, 'stable'],
  ] as const)('call %s by its name', (_, bytesAt, trend) => {
    const random = seededRandom(2);
    expect(figuresOf((minute) => bytesAt(minute, random)).trend).toBe(trend);
  });

  it('say nothing in the first five minutes', () => {
    expect(figuresOf((minute) => minute * 10 * MIB, 4.9)).toMatchObject({ trend: 'stable', growthBytesPerHour: 0 });
  });

  it('take a gap in the readings for what it is', () => {
    const figures = new Figures();
    for (let second = 0; second < 900; second++) figures.add(second * 1000, 100 * MIB);
    for (let second = 0; second < 900; second++) figures.add(10 * HOUR_MS + second * 1000, 110 * MIB);
    expect(figures.growthBytesPerHour).toBeLessThan(2 * MIB);
  });
});

describe('sliding window', () => {
  it('forgets what is older, to one bucket', () => {
    const sum = SlidingWindow.sum({ windowMs: 1000, buckets: 10 });
    sum.add(0, 5);
    sum.add(950, 2);
    expect(sum.value(950)).toBe(7);
    expect(sum.value(1000)).toBe(2);
    expect(sum.value(1900)).toBe(2 - 2);
  });

  it('keeps the lowest, and Infinity for none', () => {
    const lowest = SlidingWindow.lowest({ windowMs: 1000, buckets: 10 });
    expect(lowest.value(0)).toBe(Number.POSITIVE_INFINITY);
    lowest.add(0, 3);
    lowest.add(0, 5);
    lowest.add(500, 4);
    expect(lowest.value(900)).toBe(3);
    expect(lowest.value(1400)).toBe(4);
    expect(lowest.value(1e12)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('usefulness', () => {
  const heap = { usedBytes: 60, liveBytes: 50, committedBytes: 80, limitBytes: 1000, usableLimitBytes: 900 };

  it('is what is left after idle, garbage, empty pages and what the allocator keeps', () => {
    const { efficiencyScore, opportunities } = usefulness({
      heldBytes: 200,
      heap,
      idle: [
        { name: 'sessions', idleBytes: 25 },
        { name: 'cache', idleBytes: 1 },
      ],
      retainedBytes: 4,
    });
    expect(efficiencyScore).toBe(70);
    expect(opportunities.map(({ what, bytes }) => `${what}: ${bytes} B`)).toEqual([
      'idle in sessions: 25 B',
      'empty heap pages: 20 B',
      'garbage on the heap: 10 B',
      'kept by the allocator: 4 B',
    ]);
  });

  it.each([
    [0, 100],
    [1, 0],
  ])('of a process that holds %i bytes is %i', (heldBytes, score) => {
    expect(usefulness({ heldBytes, heap, idle: [], retainedBytes: 0 }).efficiencyScore).toBe(score);
  });
});
