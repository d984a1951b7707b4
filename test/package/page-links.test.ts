/** The pages that are packed lead only to what is packed: who has the package has no repository to follow a link into. */
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectFiles, projectFolder } from '../tidy/project-files.ts';

const { files } = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8')) as { files: string[] };
const isPacked = (path: string) => files.some((packed) => path === packed || path.startsWith(`${packed}/`));
const pages = projectFiles().filter(({ path }) => path.endsWith('.md') && isPacked(path));

describe('the packed pages', () => {
  it.each(pages.map(({ path, text }) => ({ path, text })))('$path leads only to what is packed', ({ path, text }) => {
    const targets = [...text.matchAll(/\]\((?!https?:|mailto:|#)([^)\s#]+)/g)].map(([, target]) =>
      normalize(join(dirname(path), target!)),
    );
    expect(targets.filter((target) => !isPacked(target))).toEqual([]);
  });

  it('are README and documents', () => {
    expect(pages.map(({ path }) => path)).toEqual(expect.arrayContaining(['README.md', 'docs/guide/faq.md']));
  });
});
