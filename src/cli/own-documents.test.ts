import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ownDocuments } from './own-documents.ts';

async function namesOf(folder?: string): Promise<string[]> {
  const names = [];
  for await (const { name } of ownDocuments(folder)) names.push(name);
  return names;
}

describe('ownDocuments', () => {
  it('finds README, docs and the README files of this package', async () => {
    const names = await namesOf();
    expect(names).toContain('tenure/README.md');
    expect(names).toContain('tenure/docs/guide/getting-started.md');
    for (const name of ['hono/README.md', 'commander/Readme.md', '@photostructure/sqlite/README.md'])
      expect(names).toContain(name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('gives the same names where dependencies lie beside the package, as when it is installed', async () => {
    const project = await mkdtemp(join(tmpdir(), 'tenure-own-'));
    try {
      const write = async (path: string, text: string) => {
        await mkdir(join(project, path, '..'), { recursive: true });
        await writeFile(join(project, path), text);
      };
      const installed = 'node_modules/tenure';
      await write(
        `${installed}/package.json`,
        '{"name":"tenure","dependencies":{"far":"1","@near/one":"1","bare":"1","gone":"1"}}',
      );
      await write(`${installed}/README.md`, 'Read me.');
      await write(`${installed}/docs/guide/a.md`, 'A.');
      await write(`${installed}/node_modules/@near/one/README.txt`, 'Near text.');
      await write(`${installed}/node_modules/@near/one/readme.md`, 'Near.');
      await write('node_modules/@near/one/README.md', 'Another version.');
      await write('node_modules/far/Readme.markdown', 'Far.');
      await write('node_modules/bare/package.json', '{"exports":{}}');
      expect(await namesOf(join(project, installed))).toEqual([
        'tenure/README.md',
        'tenure/docs/guide/a.md',
        '@near/one/readme.md',
        'far/Readme.markdown',
      ]);
    } finally {
      await rm(project, { recursive: true });
    }
  });
});
