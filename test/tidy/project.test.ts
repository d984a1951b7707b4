/** What holds for the project as a whole: its rooms, its decisions, its version, the size of its files. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { projectFiles, projectFolder } from './project-files.ts';
import { isSource } from './rule.ts';

/** What `scripts/rooms.mjs` exports. */
interface RoomPlan {
  readonly rooms: readonly { readonly name: string }[];
  readonly alone: string;
  readonly entries: readonly string[];
}

const files = projectFiles();
const textOf = (path: string): string => files.find((file) => file.path === path)?.text ?? '';

describe('the project', () => {
  it('has no room the fence does not know', async () => {
    const plan = (await import(pathToFileURL(join(projectFolder, 'scripts/rooms.mjs')).href)) as RoomPlan;
    const known = [...plan.rooms.map(({ name }) => name), plan.alone, ...plan.entries, 'README.md'];
    const found = new Set(files.flatMap(({ path }) => /^src\/([^/]+)/.exec(path)?.[1] ?? []));
    expect(found).toContain('base');
    expect([...found].filter((room) => !known.includes(room))).toEqual([]);
  });

  it('numbers each decision once', () => {
    const numbers = files.flatMap(({ path }) => /^docs\/decisions\/(\d{3})-/.exec(path)?.[1] ?? []);
    expect(numbers).not.toHaveLength(0);
    expect(numbers).toEqual([...new Set(numbers)]);
  });

  it('says in the changelog what its version brings', () => {
    const { version } = JSON.parse(textOf('package.json')) as { version: string };
    expect(textOf('CHANGELOG.md')).toContain(`## ${version}`);
  });

  /** Their tables are due: half an hour on a machine that does nothing else. */
  const UNMEASURED = ['agent-server', 'survival'];

  it('has a table for each bench, and a bench for each table', () => {
    const names = (pattern: RegExp) => files.flatMap(({ path }) => pattern.exec(path)?.[1] ?? []).sort();
    const benches = files.filter(
      ({ path, text }) => /^bench\/[\w-]+\.ts$/.test(path) && /^export const bench\b/m.test(text),
    );
    expect(benches).not.toHaveLength(0);
    expect([...names(/^bench\/results\/(?!README)([\w-]+)\.md$/), ...UNMEASURED].sort()).toEqual(
      benches.map(({ path }) => path.slice('bench/'.length, -'.ts'.length)),
    );
  });

  it('keeps most files short', () => {
    const lengths = files.filter(({ path }) => isSource(path)).map(({ text }) => text.split('\n').length);
    const short = lengths.filter((lines) => lines <= 200).length;
    expect(short / lengths.length).toBeGreaterThan(0.75);
  });
});
