/** The sources a generated document is made from: every file of `src/` that is not a test, parsed, in one order everywhere. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** Sources under `root` as `{ path, text, tree }`; paths are relative to `root` and use `/`. */
export function sourcesOf(root, folder = 'src') {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return sourcesOf(root, path);
      if (!entry.name.endsWith('.ts') || entry.name.endsWith('.test.ts')) return [];
      const text = readFileSync(join(root, path), 'utf8');
      return [{ path, text, tree: ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true) }];
    });
}

/** Every node under `tree`, parents first, in source order. */
export function* nodesOf(tree) {
  yield tree;
  const children = [];
  ts.forEachChild(tree, (child) => void children.push(child));
  for (const child of children) yield* nodesOf(child);
}

/** The first sentence of a comment's text, on one line. */
export function firstSentence(comment) {
  const text = comment
    .replaceAll(/^\s*\*? ?/gm, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return /^.*?[.?](?=\s|$)/.exec(text)?.[0] ?? text;
}

/** Text that is safe in a cell of a Markdown table. */
export const cell = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
