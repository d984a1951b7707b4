/** The limits a guide names are the code's: a number that moves in one place and not in the other is a wrong promise. */
import { describe, expect, it } from 'vitest';
import { projectFiles } from './project-files.ts';

const files = projectFiles();
const textOf = (path: string): string => files.find((file) => file.path === path)!.text;

/** The value of `const NAME = 1_000;` in a source file. */
function constant(path: string, name: string): number {
  const [, value] = new RegExp(`^(?:export )?const ${name} = ([\\d_.]+);`, 'm').exec(textOf(path)) ?? [];
  if (value === undefined) throw new Error(`${path} has no constant ${name}; name the one that took its place.`);
  return Number(value.replaceAll('_', ''));
}

const INPUT = 'src/agent-memory/memory-input.ts';
const MEMORY = 'src/agent-memory/long-term.ts';
const RECALL = 'src/agent-memory/recall/recall.ts';

describe('docs/guide/remember-and-recall.md', () => {
  const guide = textOf('docs/guide/remember-and-recall.md').replaceAll(/\s+/g, ' ');

  it.each([
    [INPUT, 'TEXT_LIMIT', /The maximum size of one memory is ([\d,]+) characters/],
    [INPUT, 'TAGS_LIMIT', /up to (\d+) labels/],
    ['src/agent-memory/memory-input.ts', 'BATCH_LIMIT', /in one transaction of up to ([\d,]+) memories/],
    [MEMORY, 'BATCH_CHARACTERS', /memories and ([\d,]+) characters together/],
    [RECALL, 'QUERY_LIMIT', /one above ([\d,]+) characters with `QUERY_TOO_LONG`/],
    [RECALL, 'RESULT_LIMIT', /`limit` is 5 unless you set it, ([\d,]+) at most/],
  ])('names %s %s', (path, name, place) => {
    expect(place.exec(guide)?.[1]).toBe(constant(path, name).toLocaleString('en'));
  });

  it('names the size of metadata', () => {
    expect(/JSON object of up to (\d+) KB/.exec(guide)?.[1]).toBe(String(constant(INPUT, 'METADATA_LIMIT') / 1024));
  });
});

describe('docs/guide/budget-and-consumers.md', () => {
  const guide = textOf('docs/guide/budget-and-consumers.md').replaceAll(/\s+/g, ' ');
  const table = textOf('bench/results/estimator.md');

  it('names the accuracy of estimateBytes as it was measured', () => {
    const [, largest, median, shapes] = /^Largest error ([\d.]+) %, median ([\d.]+) %, of (\d+) shapes/m.exec(table)!;
    expect(guide).toContain(`On ${shapes} shapes`);
    expect(guide).toContain(`the largest error against the real heap is ${largest} %, the median ${median} %`);
  });

  it('names the bound of an estimate', () => {
    const most = constant('src/budget/estimator.ts', 'MOST_NODES').toLocaleString('en');
    expect(guide).toContain(`at most about ${most} values`);
  });
});
