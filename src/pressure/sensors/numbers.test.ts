import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FieldReader, numberAt } from './numbers.ts';

const bytesOf = (text: string) => Buffer.from(text);
const read = (text: string, from = 0) => numberAt(bytesOf(text), from, text.length);

describe('numbers in kernel files', () => {
  it('reads every whole number and fraction a kernel writes', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 53 - 1), fc.nat(99), (whole, hundredths) => {
        expect(read(`${whole}\n`)).toBe(whole);
        const text = `${whole % 1000}.${String(hundredths).padStart(2, '0')}`;
        expect(read(` ${text} x`)).toBeCloseTo(Number(text), 10);
      }),
    );
  });

  it('reads numbers beyond 2^53 to the nearest double, as Number does', () => {
    expect(read('9223372036854771712')).toBeCloseTo(2 ** 63, -4);
    expect(read('18446744073709551615')).toBeCloseTo(1.8446744073709552e19, -5);
  });

  it.each(['', 'max', '-1', '.5', ' '])('says that %j is none', (text) => {
    expect(read(text)).toBeNaN();
  });

  it('stops at the length of what was read: the rest of the buffer is from another file', () => {
    expect(numberAt(bytesOf('1234'), 0, 2)).toBe(12);
    expect(numberAt(bytesOf('1234'), 4, 4)).toBeNaN();
    const reader = new FieldReader(['anon', 'file']);
    expect([...reader.read(bytesOf('anon 1\nfile 2\n'), 7)]).toEqual([1, Number.NaN]);
  });

  it('finds fields in any order by their whole name', () => {
    const reader = new FieldReader(['anon', 'file', 'MemTotal', 'missing']);
    const text = 'file_mapped 9\nactive_anon 8\nMemTotal:     12 kB\nanon_thp 7\nfile 2\nanon 1';
    expect([...reader.read(bytesOf(text), text.length)]).toEqual([1, 2, 12, Number.NaN]);
    expect([...reader.read(bytesOf(''), 0)]).toEqual([Number.NaN, Number.NaN, Number.NaN, Number.NaN]);
  });
});
