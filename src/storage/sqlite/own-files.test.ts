import { renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { TemporaryDatabase } from '../../testing/temporary-database.ts';
import { OwnFiles } from './own-files.ts';

const WHATS = [
  ['', 'file'],
  ['-wal', 'log'],
  ['-shm', 'shared-memory index'],
] as const;

it.each(WHATS)('tells when rows.db%s is gone, replaced, and back', async (suffix, what) => {
  await using temporary = await TemporaryDatabase.create();
  for (const [each] of WHATS) writeFileSync(`${temporary.path}${each}`, 'ours');
  const files = new OwnFiles(temporary.path);
  const path = `${temporary.path}${suffix}`;
  const elsewhere = join(temporary.folder, 'elsewhere');
  const loss = `its ${what} was removed or replaced while it was open.`;
  const told = () => [files.loss(), files.hasFile(), files.hasForeignLog()];
  expect(told()).toEqual([null, true, false]);
  renameSync(path, elsewhere);
  expect(told()).toEqual([loss, suffix !== '', false]);
  writeFileSync(path, 'of another');
  expect(told()).toEqual([loss, suffix !== '', suffix !== '']);
  renameSync(elsewhere, path);
  expect(told()).toEqual([null, true, false]);
});

it('is not sure of a file that cannot be looked at', async () => {
  await using temporary = await TemporaryDatabase.create();
  writeFileSync(temporary.path, 'ours');
  const files = new OwnFiles(temporary.path);
  renameSync(temporary.path, join(temporary.folder, 'elsewhere'));
  symlinkSync(temporary.path, temporary.path);
  expect(files.hasFile()).toBe(false);
  expect(() => files.loss()).toThrow('ELOOP');
});
