/** Every house rule holds in the project, and would be seen to break. */
import { describe, expect, it } from 'vitest';
import { projectFiles } from './project-files.ts';
import { codeRules } from './rules/code.ts';
import { documentRules } from './rules/documents.ts';
import { layoutRules } from './rules/layout.ts';

const files = projectFiles();

for (const rule of [...layoutRules, ...codeRules, ...documentRules]) {
  describe(rule.name, () => {
    it('holds in every file it is about', () => {
      const about = files.filter(({ path }) => rule.applies(path));
      const problems = about.flatMap((file) => rule.problems(file));
      expect(problems, problems.join('\n')).toHaveLength(0);
    });

    it('sees each planted breach', () => {
      expect(rule.planted).not.toHaveLength(0);
      for (const file of rule.planted) {
        expect(rule.applies(file.path), file.path).toBe(true);
        expect(rule.problems(file), file.text).not.toEqual([]);
      }
    });

    it('leaves alone what only looks like one', () => {
      for (const file of rule.innocent)
        expect(rule.applies(file.path) ? rule.problems(file) : [], file.text).toEqual([]);
    });
  });
}

describe('the walk over the project', () => {
  it('finds sources, tests and documents, and nothing that is built', () => {
    const paths = files.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['package.json', 'README.md', 'src/base/clock.ts', '.gitignore']));
    expect(paths.filter((path) => /(^|\/)(node_modules|dist|\.cache|\.git)\//.test(path))).toEqual([]);
  });
});
