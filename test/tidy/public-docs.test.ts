/** Every export a user can import says what it is. */
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

describe('documentation of the public entries', { timeout: 60_000 }, () => {
  it.each([
    'src/index.ts',
    'src/testing.ts',
    'src/integrations/pg.ts',
    'src/integrations/llm.ts',
    'src/integrations/http.ts',
  ])('is on every export of %s', (entry) => {
    expect(undocumented(join(projectFolder, entry), options)).toEqual([]);
  });

  it('is missed where it is missing', () => {
    const entry = join(projectFolder, 'test/tidy/fixtures/public-entry.ts');
    expect(undocumented(entry, options).sort()).toEqual(['Shape', 'Told.silent', 'renamed']);
  });
});
