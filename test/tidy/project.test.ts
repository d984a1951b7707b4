/** What holds for the project as a whole: its rooms, its decisions, its version, the size of its files. */
import { describe, expect, it } from 'vitest';
import { projectFiles } from './project-files.ts';
import { isSource } from './rule.ts';

const files = projectFiles();
const textOf = (path: string): string => files.find((file) => file.path === path)?.text ?? '';

describe('the project', () => {
  it('has no room the fence does not know', () => {
    const known = [...textOf('scripts/rooms.mjs').matchAll(/^ {4}'?([a-z-]+)'?:|^ {2}\{ '?([a-z-]+)'?:/gm)].map(
      ([, inner, single]) => inner ?? single,
    );
    const rooms = new Set(files.filter(({ path }) => isSource(path)).map(({ path }) => path.split('/')[1]!));
    expect(known).toContain('base');
    expect([...rooms].filter((room) => ![...known, 'eslint-plugin', 'index.ts', 'testing.ts'].includes(room))).toEqual(
      [],
    );
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

  it('keeps most files short', () => {
    const lengths = files.filter(({ path }) => isSource(path)).map(({ text }) => text.split('\n').length);
    const short = lengths.filter((lines) => lines <= 200).length;
    expect(short / lengths.length).toBeGreaterThan(0.75);
  });
});
