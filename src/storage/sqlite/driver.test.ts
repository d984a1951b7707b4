import { afterEach, describe, expect, it, vi } from 'vitest';
import { loadDriver, withoutExperimentalWarning } from './driver.ts';

describe('the driver', () => {
  afterEach(() => vi.restoreAllMocks());

  it('has what the store is built on', async () => {
    const { DatabaseSync } = await loadDriver();
    const connection = new DatabaseSync(':memory:', {});
    const { version } = connection.prepare('SELECT sqlite_version() AS version').get();
    connection.close();
    const [major, minor] = version.split('.').map(Number);
    expect(major).toBe(3);
    expect(minor).toBeGreaterThanOrEqual(50);
  });

  it('drops the warning that SQLite is experimental, and no other', () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const emitWarning = process.emitWarning;
    const loaded = withoutExperimentalWarning(() => {
      process.emitWarning('SQLite is an experimental feature and might change at any time', 'ExperimentalWarning');
      process.emitWarning('something else', { code: 'X' });
      return 'driver';
    });
    expect(loaded).toBe('driver');
    expect(warned.mock.calls).toEqual([['something else', { code: 'X' }]]);
    expect(process.emitWarning).toBe(emitWarning);
  });

  it('listens to warnings again after a load that failed', () => {
    const emitWarning = process.emitWarning;
    const fail = () =>
      withoutExperimentalWarning(() => {
        throw new Error('no driver');
      });
    expect(fail).toThrow('no driver');
    expect(process.emitWarning).toBe(emitWarning);
  });
});
