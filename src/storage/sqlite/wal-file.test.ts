import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { TemporaryDatabase } from '../../testing/temporary-database.ts';
import { adaptiveSync } from './sync-file.ts';
import { WalFile } from './wal-file.ts';

const files = { loss: () => null };

describe('the log', () => {
  let temporary: TemporaryDatabase;
  beforeEach(async () => {
    temporary = await TemporaryDatabase.create();
  });
  afterEach(() => temporary[Symbol.asyncDispose]());

  it('is forced to the disk by the system: a pipe, which cannot be, fails', async () => {
    execFileSync('mkfifo', [`${temporary.path}-wal`]);
    const failures: unknown[] = [];
    const wal = new WalFile(temporary.path, {
      sync: adaptiveSync(systemClock),
      files,
      onFailure: (error) => failures.push(error),
    });
    await expect(wal.durable()).rejects.toMatchObject({
      code: 'STORE_IO',
      cause: { code: 'EINVAL', syscall: 'fdatasync' },
    });
    await expect(wal.durable()).rejects.toBe(wal.failure);
    expect(failures).toEqual([wal.failure]);
    await wal.close();
  });

  it('is synced to the end of what was asked before it closes', async () => {
    writeFileSync(`${temporary.path}-wal`, '');
    let synced = 0;
    const sync = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      synced++;
    };
    const wal = new WalFile(temporary.path, { sync, files, onFailure: () => {} });
    const first = wal.durable();
    const second = wal.durable();
    await wal.close();
    expect(synced).toBe(2);
    await Promise.all([first, second]);
  });
});
