/** The map in ARCHITECTURE.md, between its two marks: every room, what it is for and whom it may import. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lines } from '../rooms.mjs';
import { cell, sourcesOf } from './sources.mjs';

const OPEN = '<!-- map: written by npm run docs -->';
const CLOSE = '<!-- end of map -->';

export const path = 'ARCHITECTURE.md';

export function page(root) {
  const text = readFileSync(join(root, path), 'utf8');
  const [before, rest] = text.split(OPEN);
  const after = rest?.split(CLOSE)[1];
  if (after === undefined) throw new Error(`${path}: the marks "${OPEN}" and "${CLOSE}" are gone.`);
  return `${before}${OPEN}\n\n${map(root)}\n\n${CLOSE}${after}`;
}

/** Rooms that stand today; the lines keep their numbers, so a reader sees where a later room will go. */
function map(root) {
  const files = sourcesOf(root).map((source) => source.path);
  const rows = lines.flatMap((line, index) =>
    Object.entries(line).flatMap(([name, purpose]) => {
      const count = files.filter((file) => file.startsWith(`src/${name}/`)).length;
      return count === 0 ? [] : [`| ${index + 1} | \`src/${name}/\` | ${cell(purpose)} | ${count} |`];
    }),
  );
  return ['| line | room | what it is for | files |', '| --- | --- | --- | --- |', ...rows].join('\n');
}
