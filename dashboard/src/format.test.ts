import { describe, expect, it } from 'vitest';
import { formatAgo, formatBytes, formatDuration, formatShare } from './format.ts';

const plain = (text: string) => text.replaceAll('\u00a0', ' ');

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '2 KB'],
    [412 * 2 ** 20, '412 MB'],
    [1.44 * 2 ** 30, '1.4 GB'],
    [2 ** 30, '1 GB'],
    [null, 'not known'],
  ])('tells %d bytes as %s', (bytes, told) => {
    expect(plain(formatBytes(bytes))).toBe(told);
  });

  it('keeps its decimals where a live figure asks for them', () => {
    expect(plain(formatBytes(412 * 2 ** 20, 1))).toBe('412.0 MB');
    expect(plain(formatBytes(12_000, 1))).toBe('12 KB');
  });
});

describe('formatDuration', () => {
  it.each([
    [3.24, '3.2 ms'],
    [184, '0.2 s'],
    [40_000, '40 s'],
    [7 * 60_000, '7 min'],
    [5 * 3_600_000, '5 h'],
    [3 * 86_400_000, '3 days'],
  ])('tells %d ms as %s', (durationMs, told) => {
    expect(plain(formatDuration(durationMs))).toBe(told);
  });
});

describe('formatAgo', () => {
  it('takes a server clock that runs ahead for now', () => {
    expect(formatAgo(-5000)).toBe('just now');
    expect(plain(formatAgo(61_999))).toBe('61 s ago');
  });
});

describe('formatShare', () => {
  it('says nothing of a share of nothing', () => {
    expect(formatShare(5, 0)).toBe('–');
    expect(plain(formatShare(206, 512))).toBe('40 %');
  });
});
