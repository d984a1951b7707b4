/**
 * docs/errors.md: every code an error of Tenure can carry, read from the classes that carry them.
 *
 * A class states its code in its constructor, or takes it as its first argument; then the places that create it state it. A code
 * belongs to one class, and a class whose code cannot be read here is refused: users write code against these strings.
 */
import ts from 'typescript';
import { cell, firstSentence, nodesOf, sourcesOf } from './sources.mjs';

/** What the server answers for an error without a code. */
const UNNAMED = 'INTERNAL';
const CODE = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/;

export const path = 'docs/errors.md';

export function page(root) {
  const sources = sourcesOf(root);
  const classes = errorClasses(sources);
  const rows = [...classes.values()].flatMap((one) => one.codes.map(({ code, says }) => ({ ...one, code, says })));
  const byCode = new Map();
  for (const row of rows) {
    const other = byCode.get(row.code);
    if (other && other.name !== row.name) {
      throw new Error(
        `${row.code} belongs to ${other.name} (${other.file}) and to ${row.name} (${row.file}); give one of them its own.`,
      );
    }
    if (!other) byCode.set(row.code, row);
  }
  const statuses = statusesOf(sources);
  for (const code of statuses.keys()) {
    if (!byCode.has(code) && code !== UNNAMED)
      throw new Error(`The server maps ${code} to a status, but no error carries it.`);
  }
  const table = [...byCode.values()]
    .sort((a, b) => (a.code < b.code ? -1 : 1))
    .map(
      ({ code, name, means, says }) =>
        `| \`${code}\` | ${statuses.get(code) ?? ''} | \`${name}\` | ${cell(means)} | ${cell(says)} |`,
    );
  return `# Error codes

Every error Tenure expects is an instance of \`TenureError\` with a stable \`code\`, the numbers of the case in \`details\`, and a
message that says what happened and what to do. Over HTTP the code and the details stand in the problem body; on the command line
the message is printed and the exit code is not 0. An \`InvariantError\` has no code: it is a defect of Tenure; please report it. Over HTTP
a code without a number is answered with 500, and an error without a code as \`${UNNAMED}\` (500, and the log says what it was).

This page is generated from the source by \`npm run docs\`.

| code | HTTP | class | when | what it says |
| --- | --- | --- | --- | --- |
${table.join('\n')}
`;
}

/** Code → HTTP status, from the one table the server has. */
function statusesOf(sources) {
  const tree = sources.find(({ path: file }) => file === 'src/server/problem.ts')?.tree;
  const table =
    tree &&
    [...nodesOf(tree)].find((node) => ts.isVariableDeclaration(node) && node.name.getText() === 'STATUS_BY_CODE');
  if (!table) return new Map();
  return new Map(
    table.initializer.properties.map((entry) => [entry.name.getText(), Number(entry.initializer.getText())]),
  );
}

/** Name → `{ name, file, means, codes }` of every class that descends from `TenureError`, and `TenureError` where used bare. */
function errorClasses(sources) {
  const all = new Map();
  for (const { path: file, tree } of sources) {
    for (const node of nodesOf(tree)) {
      if (ts.isClassDeclaration(node) && node.name)
        all.set(node.name.text, { name: node.name.text, file, node, parent: parentOf(node) });
    }
  }
  const descends = (one) => one?.name === 'TenureError' || (one?.parent !== undefined && descends(all.get(one.parent)));
  const errors = new Map([...all].filter(([, one]) => descends(one)));
  for (const one of errors.values()) {
    one.means = firstSentence(
      ts.getJSDocCommentsAndTags(one.node).map((doc) => ts.getTextOfJSDocComment(doc.comment) ?? '')[0] ?? '',
    );
    one.codes = ownCodes(one.node);
  }
  for (const { tree } of sources) {
    for (const node of nodesOf(tree)) {
      const one = ts.isNewExpression(node) ? errors.get(node.expression.getText()) : undefined;
      const stated = one && node.arguments?.[0] ? literals(node.arguments[0]).filter((code) => CODE.test(code)) : [];
      for (const code of stated) {
        if (one.codes.every((known) => known.code !== code))
          one.codes.push({ code, says: messageIn(node.arguments[1]) });
      }
    }
  }
  for (const { name, file, codes } of errors.values()) {
    const isBase = name === 'TenureError' || [...errors.values()].some(({ parent }) => parent === name);
    if (codes.length === 0 && !isBase)
      throw new Error(`${name} (${file}): no code can be read; state it as a literal.`);
  }
  return errors;
}

function parentOf(node) {
  const clause = node.heritageClauses?.find(({ token }) => token === ts.SyntaxKind.ExtendsKeyword);
  return clause?.types[0]?.expression.getText();
}

/** Codes a class's own `super(...)` states. */
function ownCodes(node) {
  return [...nodesOf(node)]
    .filter(
      (call) =>
        ts.isCallExpression(call) && call.expression.kind === ts.SyntaxKind.SuperKeyword && call.arguments.length > 0,
    )
    .flatMap((call) =>
      literals(call.arguments[0])
        .filter((code) => CODE.test(code))
        .map((code) => ({ code, says: messageIn(call.arguments[1]) })),
    );
}

/** String literals an expression may evaluate to. */
function literals(node) {
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isConditionalExpression(node)) return [...literals(node.whenTrue), ...literals(node.whenFalse)];
  return [];
}

/** The message as a reader sees it, with … for what changes. */
function messageIn(node) {
  if (!node) return '';
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node))
    return node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('');
  if (ts.isBinaryExpression(node)) return messageIn(node.left) + messageIn(node.right);
  if (ts.isParenthesizedExpression(node)) return messageIn(node.expression);
  return '…';
}
