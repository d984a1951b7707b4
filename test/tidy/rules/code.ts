/** STYLE of code that neither the compiler nor the linter checks: time, chance, units, errors, left-over work. */
import ts from 'typescript';
import { file, isCode, isSource, isTest, isTypeScript, type Rule } from '../rule.ts';

const CLOCK = 'src/base/clock.ts';
const BARE_CALLS = new Set(['setTimeout', 'setInterval', 'Date']);
const BARE_MEMBERS = new Set(['Date.now', 'Math.random', 'performance.now', 'process.hrtime', 'AbortSignal.timeout']);

const timeAndChance: Rule = {
  name: 'time and chance come from base, not from the machine',
  applies: (path) => isSource(path) && path !== CLOCK && !path.startsWith('src/testing/'),
  problems: (source) =>
    [...source.nodes()].flatMap((node) => {
      const used = bareUse(node);
      return used ? [source.problem(node.getStart(), `${used}: take a Clock, or a Random, instead.`)] : [];
    }),
  planted: [
    file('src/budget/a.ts', 'const startedMs = Date.now();'),
    file('src/budget/a.ts', 'const at = new Date();'),
    file('src/budget/a.ts', 'const x = Math.random();'),
    file('src/budget/a.ts', 'setTimeout(() => {}, 5);'),
    file('src/budget/a.ts', 'globalThis.setInterval(() => {}, 5);'),
    file('src/budget/a.ts', "import { setTimeout as wait } from 'node:timers/promises';"),
    file('src/budget/a.ts', 'fetch(url, { signal: AbortSignal.timeout(5) });'),
  ],
  innocent: [
    file('src/budget/a.ts', '/** Never Date.now(). */', "const text = 'Math.random()';", 'const at = new Date(atMs);'),
    file('src/budget/a.ts', 'interface Clock { setTimeout: 1 }', 'setImmediate(() => {});'),
    file('src/budget/a.ts', "import { setImmediate as nextTurn } from 'node:timers/promises';"),
  ],
};

function bareUse(node: ts.Node): string | undefined {
  if (ts.isPropertyAccessExpression(node)) {
    const name = node.getText();
    if (BARE_MEMBERS.has(name)) return name;
    const isGlobal = ts.isIdentifier(node.expression) && node.expression.text === 'globalThis';
    return isGlobal && BARE_CALLS.has(node.name.text) ? name : undefined;
  }
  if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && BARE_CALLS.has(node.expression.text)) {
    return node.expression.text;
  }
  if (ts.isNewExpression(node) && node.expression.getText() === 'Date' && !node.arguments?.length) return 'new Date()';
  const isTimer = ts.isImportSpecifier(node) && BARE_CALLS.has((node.propertyName ?? node.name).text);
  return isTimer && /^'node:timers/.test(node.parent.parent.parent.moduleSpecifier.getText())
    ? 'node:timers'
    : undefined;
}

const SILENCED = /(\/\/|\/\*)\s*@ts-(ignore|expect-error|nocheck)/g;

const typesKept: Rule = {
  name: 'no type is given up',
  applies: isTypeScript,
  problems: (source) => [
    ...[...source.nodes()]
      .filter((node) => node.kind === ts.SyntaxKind.AnyKeyword)
      .map((node) => source.problem(node.getStart(), 'any: say what it is, or unknown.')),
    ...[...source.text.matchAll(SILENCED)].map(({ index }) =>
      source.problem(index, 'mend the type instead of silencing the compiler.'),
    ),
  ],
  planted: [
    file('src/base/a.ts', 'let x: any;'),
    file('src/base/a.ts', 'const x = y as any[];'),
    file('test/a.ts', `// @ts-${'ignore'}`, 'f();'),
    file('test/a.ts', `/* @ts-${'expect-error'} */ f();`),
  ],
  innocent: [file('src/base/a.ts', '// any of them', "const any = '@ts-ignore';")],
};

/** In pieces, so that this file does not break its own rule. */
const MARKS = [`TO${'DO'}`, `FIX${'ME'}`, `XX${'X'}`, `HA${'CK'}`];
const UNFINISHED = ['not', 'implemented'].join(' ');
const LEFT_OVER = new RegExp(`\\b(${MARKS.join('|')})\\b|${UNFINISHED}`, 'g');

const finishedWork: Rule = {
  name: 'nothing is left for later',
  applies: (path) => isCode(path) || path.endsWith('.md'),
  problems: (source) =>
    [...source.text.matchAll(LEFT_OVER)].map(({ index, 0: text }) =>
      source.problem(index, `"${text}": finish it, or leave it out.`),
    ),
  planted: [
    file('src/base/a.ts', `// ${MARKS[0]}: handle this`),
    file('src/base/a.ts', `throw new Error('${UNFINISHED}');`),
    file('docs/guide/a.md', `${MARKS[1]} write this`),
  ],
  innocent: [file('src/base/a.ts', '// Nothing to do here.')],
};

const TEST_MODIFIERS = new Set(['skip', 'only', 'todo', 'skipIf', 'runIf', 'fails']);
const TEST_NAMES = /^(it|test|describe|suite|bench)\b/;

const testsRun: Rule = {
  name: 'every test runs, and none runs alone',
  applies: isTest,
  problems: (source) =>
    [...source.nodes()].flatMap((node) => {
      if (ts.isIdentifier(node) && /^(x|f)(it|describe|test)$/.test(node.text))
        return [source.problem(node.getStart(), node.text)];
      if (!ts.isPropertyAccessExpression(node) || !TEST_MODIFIERS.has(node.name.text)) return [];
      return TEST_NAMES.test(node.expression.getText()) || /^(context|ctx|t)$/.test(node.expression.getText())
        ? [source.problem(node.getStart(), `${node.getText()}: a test that cannot run fails; it never passes empty.`)]
        : [];
    }),
  planted: [
    file('src/a.test.ts', "it.skip('x', () => {});"),
    file('src/a.test.ts', "describe.concurrent.only('x', () => {});"),
    file('src/a.test.ts', "it.skipIf(onWindows)('x', () => {});"),
    file('src/a.test.ts', "it('x', (context) => context.skip());"),
    file('src/a.test.ts', "xit('x', () => {});"),
  ],
  innocent: [file('src/a.test.ts', "it.each([1])('x', () => cursor.skip(3));")],
};

const UNIT_FIRST = /^(bytes|ms|mb|kb|gb|mib|kib|seconds|millis|minutes|hours|days|percent)(?!Per|Of|(?:At|In)$)[A-Z]/;

const unitsLast: Rule = {
  name: 'units stand last in names',
  applies: isTypeScript,
  problems: (source) =>
    [...source.nodes()].flatMap((node) => {
      const name = isValueDeclaration(node) ? node.name.getText() : '';
      return UNIT_FIRST.test(name.replace('#', ''))
        ? [source.problem(node.getStart(), `${name}: put the unit last, as in limitBytes.`)]
        : [];
    }),
  planted: [
    file('src/base/a.ts', 'const bytesLimit = 5;'),
    file('src/base/a.ts', 'interface A { readonly msTimeout: number }'),
    file('src/base/a.ts', 'function f(mbUsed: number) {}'),
    file('src/base/a.ts', 'class A { #bytesHeld = 0; }'),
  ],
  innocent: [
    file(
      'src/base/a.ts',
      'const limitBytes = 5, bytesPerEntry = 3, msgCount = 1;',
      'const bytesOf = (x: string) => x.length;',
    ),
  ],
};

type ValueDeclaration =
  | ts.VariableDeclaration
  | ts.ParameterDeclaration
  | ts.PropertySignature
  | ts.PropertyDeclaration;

function isValueDeclaration(node: ts.Node): node is ValueDeclaration {
  if (ts.isVariableDeclaration(node) || ts.isPropertyDeclaration(node)) {
    return !node.initializer || !(ts.isArrowFunction(node.initializer) || ts.isFunctionExpression(node.initializer));
  }
  return (ts.isParameter(node) || ts.isPropertySignature(node)) && node.type?.kind !== ts.SyntaxKind.FunctionType;
}

const errorsKept: Rule = {
  name: 'no error is swallowed in silence, and a broken invariant is never caught',
  // `base/assert.ts` is where it is passed on.
  applies: (path) => isSource(path) && path !== 'src/base/assert.ts',
  problems: (source) =>
    [...source.nodes()].flatMap((node) => {
      if (ts.isCatchClause(node) && node.block.statements.length === 0 && !/\/[/*]/.test(node.block.getText())) {
        return [source.problem(node.getStart(), 'an empty catch: handle it, or say why nothing is to be done.')];
      }
      const isTestOfInvariant =
        ts.isBinaryExpression(node) &&
        node.operatorToken.kind === ts.SyntaxKind.InstanceOfKeyword &&
        node.right.getText() === 'InvariantError';
      return isTestOfInvariant ? [source.problem(node.getStart(), 'InvariantError is never caught.')] : [];
    }),
  planted: [
    file('src/budget/a.ts', 'try { f(); } catch {}'),
    file('src/budget/a.ts', 'try { f(); } catch (e) { if (!(e instanceof InvariantError)) throw e; }'),
  ],
  innocent: [file('src/budget/a.ts', 'try { f(); } catch {', '  // Gone already: what we wanted.', '}')],
};

export const codeRules: readonly Rule[] = [timeAndChance, typesKept, finishedWork, testsRun, unitsLast, errorsKept];
