/** Several real processes on one store, and what is left when they are killed. */
import { renameSync, unlinkSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { INSERT_ROW, openRows, TemporaryDatabase, textsOf } from '../../src/testing/temporary-database.ts';
import { type Child, runTypeScript } from '../child-process.ts';

let temporary: TemporaryDatabase;
const children: Child[] = [];
beforeEach(async () => {
  temporary = await TemporaryDatabase.create();
});
afterEach(async () => {
  for (const child of children.splice(0)) await child[Symbol.asyncDispose]();
  await temporary[Symbol.asyncDispose]();
});

async function start(...args: readonly (string | number)[]): Promise<Child> {
  const child = await runTypeScript(new URL('../store-child.ts', import.meta.url), { args: args.map(String) });
  children.push(child);
  return child;
}

/** Lines that were printed to their end; a child may have been killed within its last. */
const linesOf = (stdout: string): string[] => stdout.split('\n').slice(0, -1);

/** Opens what is left, checks that it is whole, and returns every text in it. */
async function whole(): Promise<Set<string>> {
  const database = await temporary.open();
  expect(database.read((db) => db.all<object>('PRAGMA integrity_check'))).toEqual([{ integrity_check: 'ok' }]);
  const texts = new Set(textsOf(database));
  const halves = [...texts].filter((text) => !text.endsWith('/pair') && !texts.has(`${text}/pair`));
  expect(halves, 'writes of which only half is there').toEqual([]);
  return texts;
}

describe('several processes on one store', () => {
  it('keep every acknowledged write when each is killed amid fifty concurrent ones', async () => {
    const writers = await Promise.all(
      ['a', 'b', 'c', 'd'].map((name) => start('write', temporary.path, name, 50, Number.MAX_SAFE_INTEGER)),
    );
    for (const [index, writer] of writers.entries()) {
      await writer.printed((stdout) => linesOf(stdout).length > 200 * (index + 1));
      writer.kill('SIGKILL');
    }
    const endings = await Promise.all(writers.map((writer) => writer.ended));
    expect(endings.map(({ signal }) => signal)).toEqual(['SIGKILL', 'SIGKILL', 'SIGKILL', 'SIGKILL']);
    const acknowledged = endings.flatMap(({ stdout }) => linesOf(stdout));
    expect(acknowledged.length).toBeGreaterThan(2000);
    const kept = await whole();
    expect(acknowledged.filter((text) => !kept.has(text))).toEqual([]);
  });

  it('lose nothing of fifty concurrent writers each', async () => {
    const names = ['a', 'b', 'c', 'd'];
    const writers = await Promise.all(names.map((name) => start('write', temporary.path, name, 50, 10)));
    for (const { code, stderr } of await Promise.all(writers.map((writer) => writer.ended)))
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect((await whole()).size).toBe(names.length * 50 * 10 * 2);
  });

  it('may all open a new one at the same time: one applies the schema', async () => {
    const openers = await Promise.all(Array.from({ length: 6 }, () => start('open', temporary.path)));
    const endings = await Promise.all(openers.map((opener) => opener.ended));
    expect(endings.map(({ stderr }) => stderr).join('')).toBe('');
    const migrated = endings.map(({ stdout }) => JSON.parse(stdout).migrated).sort();
    expect(migrated).toEqual([0, 0, 0, 0, 0, 1]);
    expect(textsOf(await temporary.open())).toHaveLength(6);
  });

  it('see what another has written', async () => {
    const database = await temporary.open();
    const other = await start('open', temporary.path);
    await other.ended;
    expect(textsOf(database)).toEqual([expect.stringContaining('opened by')]);
  });
});

describe('a store that was taken away under an open process', () => {
  const rename = (from: string, to: string) => {
    for (const suffix of ['', '-wal', '-shm']) renameSync(`${from}${suffix}`, `${to}${suffix}`);
  };

  it('is not begun anew beside its own log', async () => {
    const database = await temporary.open();
    await database.write((db) => db.run(INSERT_ROW, 'first'));
    const moved = `${temporary.path}.moved`;
    renameSync(temporary.path, moved);
    const { stdout } = await (await start('open', temporary.path)).ended;
    expect(JSON.parse(stdout)).toMatchObject({ code: 'STORE_CANNOT_OPEN' });
    renameSync(moved, temporary.path);
    await database.write((db) => db.run(INSERT_ROW, 'second'));
    await database.close();
    expect(textsOf(await temporary.open())).toEqual(['first', 'second']);
  });

  it('takes nothing from the one another process has made since and was killed in', async () => {
    const database = await temporary.open();
    await database.write((db) => db.run(INSERT_ROW, 'first'));
    const moved = `${temporary.path}.moved`;
    rename(temporary.path, moved);
    const writer = await start('write', temporary.path, 'w', 5, Number.MAX_SAFE_INTEGER);
    await writer.printed((stdout) => linesOf(stdout).length > 50);
    await expect(database.write((db) => db.run(INSERT_ROW, 'lost'))).rejects.toMatchObject({ code: 'STORE_IO' });
    writer.kill('SIGKILL');
    const acknowledged = linesOf((await writer.ended).stdout);
    await database.close();
    const kept = await whole();
    expect(acknowledged.filter((text) => !kept.has(text))).toEqual([]);
    await using found = await openRows(moved);
    expect(textsOf(found)).toEqual(['first']);
  });

  it('takes nothing from the log another process has laid down in place of a removed one', async () => {
    const database = await temporary.open();
    await database.write((db) => db.run(INSERT_ROW, 'first'));
    database.checkpoint();
    for (const suffix of ['-wal', '-shm']) unlinkSync(`${temporary.path}${suffix}`);
    const writer = await start('write', temporary.path, 'w', 5, Number.MAX_SAFE_INTEGER);
    await writer.printed((stdout) => linesOf(stdout).length > 50);
    await expect(database.write((db) => db.run(INSERT_ROW, 'lost'))).rejects.toMatchObject({ code: 'STORE_IO' });
    writer.kill('SIGKILL');
    const acknowledged = linesOf((await writer.ended).stdout);
    await database.close();
    const reader = await start('read', temporary.path);
    const kept = new Set(linesOf((await reader.ended).stdout));
    expect(acknowledged.filter((text) => !kept.has(text))).toEqual([]);
  });
});

describe('a lock held by another process', () => {
  it('refuses a write after the time allowed, and lets it through once it is gone', async () => {
    const database = await temporary.open({ lockTimeoutMs: 300 });
    const holder = await start('hold', temporary.path);
    await holder.printed((stdout) => stdout.includes('holding'));
    const refused = database.write((db) => db.run(INSERT_ROW, 'refused'));
    await expect(refused).rejects.toMatchObject({ code: 'STORE_LOCKED', details: { path: temporary.path } });
    holder.endInput();
    expect(await holder.ended).toMatchObject({ code: 0, stderr: '' });
    await database.write((db) => db.run(INSERT_ROW, 'written'));
    expect(textsOf(database)).toEqual(['written']);
  });

  it('is gone with a process that is killed, and so is what it had not committed', async () => {
    const database = await temporary.open({ lockTimeoutMs: 20_000 });
    const holder = await start('hold', temporary.path);
    await holder.printed((stdout) => stdout.includes('holding'));
    const waiting = database.write((db) => db.run(INSERT_ROW, 'written'));
    holder.kill('SIGKILL');
    await waiting;
    expect(textsOf(database)).toEqual(['written']);
  });
});
