import { describe, expect, it } from 'vitest';
import { formatBytes, GIB, MIB, parseBytes, requireBytes } from './bytes.ts';

describe('parseBytes', () => {
  it.each([
    ['512 MB', 512 * MIB],
    ['1.5GiB', 1.5 * GIB],
    ['64k', 65_536],
    ['7', 7],
    ['0 B', 0],
    [12, 12],
  ])('reads %s', (input, bytes) => {
    expect(parseBytes(input)).toBe(bytes);
  });

  it.each(['', 'lots', '5 parsecs', '1.2.3 MB', '-1 MB', 'NaN', '1e20 GB', Number.NaN, -1, Number.POSITIVE_INFINITY])(
    'refuses %s',
    (input) => {
      expect(() => parseBytes(input, 'limit')).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    },
  );
});

describe('requireBytes', () => {
  it.each([-1, 0.5, Number.NaN, 2 ** 53, '5' as unknown as number])('refuses %s', (value) => {
    expect(() => requireBytes(value, 'size')).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [12 * 1024, '12 KB'],
    [1.44 * MIB, '1.4 MB'],
    [412 * MIB, '412 MB'],
    [1.5 * GIB, '1.5 GB'],
    [-3 * MIB, '-3 MB'],
  ])('writes %d as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});
