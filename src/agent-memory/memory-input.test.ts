import { describe, expect, it } from 'vitest';
import { newMemory, type RememberItem, TEXT_LIMIT } from './memory-input.ts';

const SCOPE = { tenant: 'acme', user: 'ann' };
const NOW_MS = Date.UTC(2026, 4, 8);

function codeOf(item: Record<string, unknown>): string | undefined {
  try {
    newMemory({ scope: SCOPE, text: 'something', ...item } as RememberItem, NOW_MS);
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

describe('newMemory', () => {
  it('fills in the defaults', () => {
    const { memory } = newMemory({ scope: SCOPE, text: 'Ann likes tea.' }, NOW_MS);
    expect(memory).toMatchObject({
      importance: 0.5,
      pinned: false,
      createdAtMs: NOW_MS,
      atMs: NOW_MS,
      expiresAtMs: null,
    });
    expect(memory.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('makes the speaker and a given date searchable', () => {
    const { terms } = newMemory({ scope: SCOPE, text: 'We met.', speaker: 'Caroline', atMs: NOW_MS }, NOW_MS);
    expect([...terms.keys()]).toEqual(expect.arrayContaining(['8', 'may', '2026', 'carolin', 'met']));
    expect(newMemory({ scope: SCOPE, text: 'We met.' }, NOW_MS).terms.has('2026')).toBe(false);
  });

  it('turns a time to live into an expiry', () => {
    expect(newMemory({ scope: SCOPE, text: 'x', ttlMs: 1000 }, NOW_MS).memory.expiresAtMs).toBe(NOW_MS + 1000);
  });

  it('repairs what databases cannot keep: lone surrogates and NUL', () => {
    const item = { scope: SCOPE, text: 'a\ud800b\0c', tags: ['x\0'], source: 's\0' };
    expect(newMemory(item, NOW_MS).memory).toMatchObject({
      text: 'a\ufffdb\ufffdc',
      tags: ['x\ufffd'],
      source: 's\ufffd',
    });
  });

  it.each([
    ['SCOPE_REQUIRED', { scope: undefined }],
    ['SCOPE_REQUIRED', { scope: {} }],
    ['SCOPE_INVALID', { scope: { tenant: '' } }],
    ['SCOPE_INVALID', { scope: { tenant: 'a', user: 7 } }],
    ['SCOPE_INVALID', { scope: { tenant: 'a', usr: 'ann' } }],
    ['SCOPE_INVALID', { scope: { tenant: 'a'.repeat(10_000) } }],
    ['SCOPE_INVALID', { scope: { tenant: 'a\0b' } }],
    ['SCOPE_INVALID', { scope: { tenant: '\ud800' } }],
    ['INVALID_ARGUMENT', { text: '' }],
    ['INVALID_ARGUMENT', { text: ' \n' }],
    ['INVALID_ARGUMENT', { text: 42 }],
    ['MEMORY_TOO_LARGE', { text: 'x'.repeat(TEXT_LIMIT + 1) }],
    ['MEMORY_TOO_LARGE', { metadata: { large: 'x'.repeat(20_000) } }],
    ['INVALID_ARGUMENT', { metadata: [] }],
    ['INVALID_ARGUMENT', { metadata: { big: 1n } }],
    ['INVALID_ARGUMENT', { tags: Array.from({ length: 33 }, String) }],
    ['INVALID_ARGUMENT', { tags: [''] }],
    ['INVALID_ARGUMENT', { importance: 1.1 }],
    ['INVALID_ARGUMENT', { importance: Number.NaN }],
    ['INVALID_ARGUMENT', { atMs: Number.NaN }],
    ['INVALID_ARGUMENT', { atMs: 1e300 }],
    ['INVALID_ARGUMENT', { ttlMs: -1 }],
    ['INVALID_ARGUMENT', { ttlMs: Number.POSITIVE_INFINITY }],
    ['INVALID_ARGUMENT', { validFromMs: 5, validToMs: 5 }],
    ['INVALID_ARGUMENT', { source: '' }],
    ['INVALID_ARGUMENT', { ttl: 5 }],
    ['INVALID_ARGUMENT', { pinned: 'no' }],
    ['INVALID_ARGUMENT', { metadata: JSON.parse(`{"a":${'['.repeat(100)}${']'.repeat(100)}}`) }],
    ['INVALID_ARGUMENT', { metadata: { toJSON: () => undefined } }],
  ])('refuses with %s: %o', (code, item) => {
    expect(codeOf(item)).toBe(code);
  });
});
