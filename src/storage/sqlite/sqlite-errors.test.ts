import { describe, expect, it } from 'vitest';
import { StoreError } from '../storage-errors.ts';
import { isBusy, toStoreError } from './sqlite-errors.ts';

/** An error as the drivers throw it. */
function sqliteError(message: string, errcode?: number): Error {
  return Object.assign(new Error(message), { code: 'ERR_SQLITE_ERROR', ...(errcode === undefined ? {} : { errcode }) });
}

const codeOf = (error: unknown) => (toStoreError(error, '/data/tenure.db') as StoreError).code;

describe('an error of SQLite', () => {
  it('becomes an error of the store, whatever its result code', () => {
    const codes = Array.from({ length: 27 }, (_, index) => index + 1);
    for (const primary of codes) {
      for (const code of [primary, primary | (1 << 8), primary | (12 << 8), primary | (19 << 8)]) {
        expect(toStoreError(sqliteError('text', code), '/data/tenure.db'), `code ${code}`).toBeInstanceOf(StoreError);
      }
    }
  });

  it.each([
    ['STORE_FAILED', 1, 'no such table: rows'],
    ['STORE_READ_ONLY', 3, 'access permission denied'],
    ['STORE_LOCKED', 517, 'database is locked'],
    ['STORE_FAILED', 7, 'out of memory'],
    ['STORE_FAILED', 9, 'interrupted'],
    ['STORE_IO', 1034, 'disk I/O error'],
    ['STORE_FAILED', 3082, 'disk I/O error'],
    ['STORE_FULL', 4874, 'disk I/O error'],
    ['STORE_FULL', 13, 'database or disk is full'],
    ['STORE_LOCKED', 15, 'locking protocol'],
    ['STORE_FAILED', 18, 'string or blob too big'],
    ['STORE_FAILED', 2067, 'UNIQUE constraint failed: memories.id'],
  ])('has the code %s for %i', (expected, code, message) => {
    expect(codeOf(sqliteError(message, code))).toBe(expected);
  });

  it('is known by its text where the driver gives no code', () => {
    expect(codeOf(sqliteError('database or disk is full'))).toBe('STORE_FULL');
    expect(codeOf(sqliteError('locking protocol'))).toBe('STORE_LOCKED');
    expect(toStoreError(sqliteError('never heard of'), '/data/tenure.db')).toMatchObject({
      code: 'STORE_FAILED',
      details: { resultCode: null },
      message: expect.stringContaining('"never heard of"'),
    });
  });

  it('keeps what SQLite said, and its result code', () => {
    const cause = sqliteError('string or blob too big', 18);
    expect(toStoreError(cause, '/data/tenure.db')).toMatchObject({ cause, details: { resultCode: 18 } });
  });

  it('is worth another try when another connection is in the way', () => {
    expect([5, 261, 517, 15, 6, 7, 10].map((code) => isBusy(sqliteError('text', code)))).toEqual([
      ...[true, true, true, true],
      ...[false, false, false],
    ]);
  });
});

it('leaves an error that is none of SQLite as it is', () => {
  for (const error of [new RangeError('no'), 'text', null, undefined]) {
    expect(toStoreError(error, '/data/tenure.db')).toBe(error);
    expect(isBusy(error)).toBe(false);
  }
});
