/** Fifty concurrent remembers in each of four processes, all killed: what was acknowledged is there, and found. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { seededRandom } from '../../src/base/random.ts';
import { Tenure } from '../../src/platform/tenure.ts';
import { SqliteDatabase } from '../../src/storage/sqlite/connection.ts';
import { readPostings } from '../../src/storage/sqlite/text-segments.ts';
import { type Child, runTypeScript } from '../child-process.ts';

const PROCESSES = ['a', 'b', 'c', 'd'];
/** Enough from each that the text index has been rewritten many times when it dies. */
const ACKNOWLEDGED = 700;

let directory: string;
const children: Child[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tenure-killed-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) await child[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

describe('remember in several processes that are killed', () => {
  it('keeps every acknowledged memory, whole and found by its words', async () => {
    for (const name of PROCESSES) {
      children.push(await runTypeScript(new URL('../remember-child.ts', import.meta.url), { args: [directory, name] }));
    }
    for (const child of children) {
      await child.printed((stdout) => stdout.split('\n').length > ACKNOWLEDGED);
      child.kill('SIGKILL');
    }
    const endings = await Promise.all(children.map((child) => child.ended));
    expect(endings.map(({ signal, stderr }) => [signal, stderr])).toEqual(PROCESSES.map(() => ['SIGKILL', '']));
    const acknowledged = endings.flatMap(({ stdout }) =>
      stdout
        .split('\n')
        .slice(0, -1)
        .map((line) => ({ id: line.slice(0, 36), user: line.slice(37) })),
    );

    await using tenure = await Tenure.open({ directory, environment: {} });
    for (const { id, user } of acknowledged) {
      expect(await tenure.memory.get(id, { tenant: 'acme', user })).not.toBeNull();
    }
    const { memories } = tenure.memory.statistics();
    expect(memories).toBeGreaterThanOrEqual(acknowledged.length);
    for (const name of PROCESSES) {
      const scope = { tenant: 'acme', user: 'user 3' };
      const found = await tenure.memory.recall(`note 1 writer 3 process ${name}`, { scope, tags: [name], limit: 10 });
      expect(found.map(({ memory }) => memory.text)).toContain(`note 1 of writer 3 in process ${name}`);
    }
    await booksAgree(memories);
  });
});

/** Rows, counters and index tell the same; nothing is half-written. */
async function booksAgree(memories: number): Promise<void> {
  await using database = await SqliteDatabase.open({
    path: join(directory, 'tenure.db'),
    clock: systemClock,
    random: seededRandom(1),
    onEvent: () => {},
  });
  const count = (sql: string) => database.read((db) => db.get<{ count: number }>(`SELECT ${sql} AS count`)!.count);
  expect(database.read((db) => db.all<object>('PRAGMA integrity_check'))).toEqual([{ integrity_check: 'ok' }]);
  expect(count('(SELECT count(*) FROM memories)')).toBe(memories);
  expect(count('(SELECT count(*) FROM memory_tags)')).toBe(memories);
  expect(count('(SELECT sum(length) FROM memories)')).toBe(count('(SELECT sum(total_length) FROM partitions)'));
  const indexed = '(SELECT sum(indexed_ordinals) FROM partitions)';
  expect(count(indexed)).toBeGreaterThan(0);
  const postings = database.read((db) =>
    db.all<{ id: number }>('SELECT id FROM partitions').map(({ id }) => readPostings(db, id, 'writer').count),
  );
  expect(postings.reduce((sum, each) => sum + each, 0)).toBe(count(indexed));
  expect(count('(SELECT sum(count) FROM text_documents)')).toBe(count(indexed));
}
