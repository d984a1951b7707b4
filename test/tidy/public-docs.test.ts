/** Every export a user can import says what it is. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { projectFolder } from './project-files.ts';
import { undocumented } from './public-docs.ts';

const { options } = ts.parseJsonConfigFileContent(
  ts.readConfigFile(join(projectFolder, 'tsconfig.json'), ts.sys.readFile).config,
  ts.sys,
  projectFolder,
);

const subpaths = readdirSync(join(projectFolder, 'src/integrations'))
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  .map((file) => `src/integrations/${file}`);

describe('documentation of the public entries', { timeout: 60_000 }, () => {
  it.each(['src/index.ts', 'src/testing.ts', ...subpaths])('is on every export of %s', (entry) => {
    expect(undocumented(join(projectFolder, entry), options)).toEqual([]);
  });

  it('is missed where it is missing', () => {
    const entry = join(projectFolder, 'test/tidy/fixtures/public-entry.ts');
    expect(undocumented(entry, options).sort()).toEqual(['Shape', 'Told.silent', 'renamed']);
  });
});
