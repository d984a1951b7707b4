/** The code blocks of the documents, each with the place a reader would find it. */
import type { ProjectFile } from '../tidy/project-files.ts';

export interface CodeBlock {
  readonly page: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
  readonly language: string;
  /** The file that the reader is told to save it as; named after the language. */
  readonly file?: string | undefined;
  readonly code: string;
}

export function codeBlocks(page: ProjectFile): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: (Omit<CodeBlock, 'page' | 'code'> & { indent: string; lines: string[] }) | undefined;
  for (const [index, line] of page.text.split('\n').entries()) {
    const [, indent, language, file] = /^(\s*)```(\S*)(?: +(\S+))?/.exec(line) ?? [];
    if (open && indent !== undefined && language === '') {
      const { lines, indent: _, ...about } = open;
      blocks.push({ page: page.path, ...about, code: lines.join('\n') });
      open = undefined;
    } else if (open) {
      open.lines.push(line.startsWith(open.indent) ? line.slice(open.indent.length) : line);
    } else if (indent !== undefined) {
      open = { line: index + 1, language: language ?? '', file, indent, lines: [] };
    }
  }
  if (open) throw new Error(`${page.path}:${open.line}: the code block is never closed.`);
  return blocks;
}

/** Commands of a shell block: one each line, continued by a backslash; comments and blank lines left out. */
export function commandsOf({ code }: Pick<CodeBlock, 'code'>): string[][] {
  return code
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(wordsOf);
}

/** Words of a plain command: quotes group, `#` begins a comment; pipes and redirections are not for these documents. */
function wordsOf(command: string): string[] {
  const words: string[] = [];
  for (const [whole, double, single] of command.matchAll(/"((?:\\"|[^"])*)"|'([^']*)'|[^\s]+/g)) {
    if (whole.startsWith('#')) break;
    if (/^([|<>;&]|&&|\|\|)/.test(whole)) throw new Error(`"${command}": write one plain command on each line.`);
    words.push(single ?? double?.replaceAll('\\"', '"') ?? whole);
  }
  return words;
}
