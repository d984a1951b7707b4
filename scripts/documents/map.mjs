/** src/README.md: every room and every file of `src/`, with the first sentence of the file's header comment. */
import { entries, rooms } from '../rooms.mjs';
import { firstSentence, sourcesOf } from './sources.mjs';

export const path = 'src/README.md';

export function page(root) {
  const sources = sourcesOf(root).map((source) => ({ path: source.path, about: headerOf(source) }));
  const sections = rooms.flatMap(({ name, purpose, mayImport }) => {
    const own = sources.filter((source) => source.path.startsWith(`src/${name}/`));
    if (own.length === 0) return [];
    const allowed = mayImport.length === 0 ? 'nothing of ours' : mayImport.join(', ');
    return [`## ${name}\n\n${purpose}\n\nMay import: ${allowed}.\n\n${listOf(own, `src/${name}/`)}`];
  });
  const public_ = sources.filter((source) => entries.includes(source.path.slice('src/'.length)));
  return `# Map of the source

Rooms from the lowest to the highest; what a file promises stands in its header comment, of which this is the first sentence.
Generated from the source by \`npm run docs\`.

## The public entries

${listOf(public_, 'src/')}

${sections.join('\n\n')}
`;
}

function headerOf({ text }) {
  return firstSentence(/^(?:#!.*\n)?\/\*\*([\s\S]*?)\*\//.exec(text)?.[1] ?? '');
}

function listOf(files, folder) {
  return files.map(({ path: file, about }) => `- \`${file.slice(folder.length)}\` — ${about}`).join('\n');
}
