/** Stores that may not be written. Root may write everything, so a child without rights tries. */
import { chmodSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { INSERT_ROW, openRows, TemporaryDatabase, textsOf } from '../../src/testing/temporary-database.ts';
import { runTypeScript } from '../child-process.ts';

let temporary: TemporaryDatabase;
let path: string;
beforeEach(async () => {
  temporary = await TemporaryDatabase.create();
  chmodSync(temporary.folder, 0o755);
  path = join(temporary.folder, 'store', 'rows.db');
  mkdirSync(dirname(path));
  await using database = await openRows(path);
  await database.write((db) => db.run(INSERT_ROW, 'kept'));
});
afterEach(() => temporary[Symbol.asyncDispose]());

/** What a user without rights gets. */
async function openUnprivileged(of = path): Promise<unknown> {
  const args = ['open', of, '--unprivileged'];
  await using child = await runTypeScript(new URL('../store-child.ts', import.meta.url), { args });
  const { stdout, stderr } = await child.ended;
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

const refused = (about: string) => ({ code: 'STORE_READ_ONLY', message: expect.stringContaining(about) });

it('a file that may be read and not written is refused', async () => {
  chmodSync(dirname(path), 0o777);
  chmodSync(path, 0o444);
  expect(await openUnprivileged()).toEqual(refused(path));
});

it('a file in a folder that may not be written is refused, for its log could not be', async () => {
  chmodSync(dirname(path), 0o555);
  chmodSync(path, 0o666);
  expect(await openUnprivileged()).toEqual(refused(path));
});

it('a new file and a new folder where nothing may be made are refused', async () => {
  chmodSync(dirname(path), 0o555);
  expect(await openUnprivileged(join(dirname(path), 'new.db'))).toEqual(refused('new.db'));
  expect(await openUnprivileged(join(dirname(path), 'new', 'new.db'))).toEqual(refused('new.db'));
});

it('nothing of it is changed, and with rights it opens', async () => {
  chmodSync(dirname(path), 0o777);
  chmodSync(path, 0o444);
  await openUnprivileged();
  chmodSync(path, 0o666);
  expect(await openUnprivileged()).toEqual({ migrated: 0 });
  await using database = await openRows(path);
  expect(textsOf(database)).toEqual(['kept', expect.stringContaining('opened by')]);
});
