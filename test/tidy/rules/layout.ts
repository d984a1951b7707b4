/** STYLE of files: how long they are, what they are called, what they open with. */
import { file, isCode, isTest, isTypeScript, type Rule } from '../rule.ts';

const LONGEST_LINES = 400;

const fileSize: Rule = {
  name: 'no file of code is longer than 400 lines',
  applies: isCode,
  problems({ path, text }) {
    const lines = text.split('\n').length - 1;
    return lines > LONGEST_LINES ? [`${path}: ${lines} lines; split it by idea.`] : [];
  },
  planted: [file('src/base/long.ts', ...Array.from({ length: LONGEST_LINES + 1 }, () => '//'))],
  innocent: [file('src/base/short.ts', ...Array.from({ length: LONGEST_LINES }, () => '//'))],
};

const EMPTY_NAME = /^(utils?|helpers?|lib|libs|types?|common|misc|managers?|interfaces?|constants?)$/i;
const EMPTY_SUFFIX = /(Utils?|Helpers?|Managers?)$/;

const tellingNames: Rule = {
  name: 'no file, folder or type has a name that says nothing',
  applies: isCode,
  problems(source) {
    const problems: string[] = [];
    for (const part of source.path.split('/')) {
      const name = part.replace(/(\.test)?\.(tsx?|mjs)$/, '');
      if (name.split(/[-.]/).some((word) => EMPTY_NAME.test(word)) || EMPTY_SUFFIX.test(name)) {
        problems.push(`${source.path}: "${part}" says nothing; name the idea it holds.`);
      }
    }
    for (const match of source.text.matchAll(/^export (?:abstract )?(?:class|interface|type|function) (\w+)/gm)) {
      if (EMPTY_SUFFIX.test(match[1]!)) problems.push(source.problem(match.index, `${match[1]}: name what it does.`));
    }
    return problems;
  },
  planted: [
    file('src/base/utils.ts', ''),
    file('src/helpers/size.ts', ''),
    file('src/budget/budget-types.ts', ''),
    file('src/budget/tree.ts', 'export class BudgetManager {}'),
  ],
  innocent: [file('src/budget/tree.ts', 'export class BudgetTree {}'), file('src/base/library.ts', '')],
};

const header: Rule = {
  name: 'every source file opens with a comment that says what it is',
  applies: (path) => /^(src|bench|scripts|dashboard)\/.*\.(tsx?|mjs)$/.test(path) && !isTest(path),
  problems({ path, text }) {
    const [, comment] = /^(?:#!.*\n)?\/\*\*([\s\S]*?)\*\//.exec(text) ?? [];
    if (comment === undefined) return [`${path}: open with a header comment: what it is, what it promises, why so.`];
    const sentence = comment.replaceAll(/^\s*\*/gm, '').trim();
    return /^\S[\s\S]{18,}[.:;)?]/.test(sentence) ? [] : [`${path}: the header is not a sentence.`];
  },
  planted: [
    file('src/base/bare.ts', "import 'node:fs';", '/** A comment that came too late to be a header. */'),
    file('src/base/curt.ts', '/** Bytes. */'),
  ],
  innocent: [
    file(
      'src/cli/main.ts',
      '#!/usr/bin/env node',
      '/** The command line: reads the arguments and runs one command. */',
    ),
  ],
};

const ownExtensions: Rule = {
  name: 'imports of our own code carry their extension',
  applies: isTypeScript,
  problems: (source) =>
    source.tree.statements.flatMap((statement) => {
      const specifier =
        'moduleSpecifier' in statement ? (statement.moduleSpecifier as { text?: string } | undefined)?.text : undefined;
      const wrong =
        specifier !== undefined && /^\.{1,2}\//.test(specifier) && !/\.(tsx?|mjs|json|css)$/.test(specifier);
      return wrong ? [source.problem(statement.getStart(), `import "${specifier}" with its extension.`)] : [];
    }),
  planted: [file('src/base/a.ts', "import { b } from './b.js';"), file('src/base/a.ts', "export * from './b';")],
  innocent: [file('src/base/a.ts', "import { b } from './b.ts';", "import { readFile } from 'node:fs/promises';")],
};

export const layoutRules: readonly Rule[] = [fileSize, tellingNames, header, ownExtensions];
