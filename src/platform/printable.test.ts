import { expect, it } from 'vitest';
import { printable } from './printable.ts';

it('shows control characters as escapes and leaves lines and tabs', () => {
  expect(printable('a\u001b[31m\u0007\u007f\u009b\r\n\tü')).toBe('a\\u001b[31m\\u0007\\u007f\\u009b\\u000d\n\tü');
});

it('leaves the meaning of JSON as it was', () => {
  const value = { 'key\u009b': 'text\u007f\u001b\n' };
  expect(JSON.parse(printable(JSON.stringify(value, null, 2)))).toEqual(value);
});
