/**
 * The files of the project as a reader would get them: what git would commit, found without git.
 *
 * `npm test` needs only Node and npm, so the tree is walked and the folders of `.gitignore` are left out by name.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export const projectFolder = fileURLToPath(new URL('../..', import.meta.url));

const NOT_OURS = new Set(['node_modules', 'dist', 'coverage', '.cache', '.git', '.tenure']);
const BINARY = /\.(png|jpe?g|gif|ico|woff2?|gz|zst|tgz|bin|wasm)$|\.db(-wal|-shm)?$/;

/** One file, parsed when a rule asks for it. */
export class ProjectFile {
  readonly path: string;
  readonly text: string;
  #tree: ts.SourceFile | undefined;

  constructor(path: string, text: string) {
    this.path = path;
    this.text = text;
  }

  get tree(): ts.SourceFile {
    this.#tree ??= ts.createSourceFile(this.path, this.text, ts.ScriptTarget.Latest, true);
    return this.#tree;
  }

  /** `src/x.ts:12: what` */
  problem(position: number, what: string): string {
    const line = this.text.slice(0, position).split('\n').length;
    return `${this.path}:${line}: ${what}`;
  }

  /** Every node of the tree, parents first. */
  *nodes(): Generator<ts.Node> {
    const waiting: ts.Node[] = [this.tree];
    for (let node = waiting.pop(); node; node = waiting.pop()) {
      yield node;
      ts.forEachChild(node, (child) => void waiting.push(child));
    }
  }
}

/** Every text file of the project, sorted by path; paths use `/`. */
export function projectFiles(): ProjectFile[] {
  return [...walk(projectFolder)]
    .map((path) => relative(projectFolder, path).split(sep).join('/'))
    .filter((path) => !BINARY.test(path))
    .sort()
    .map((path) => new ProjectFile(path, readFileSync(join(projectFolder, path), 'utf8')));
}

function* walk(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (NOT_OURS.has(entry.name)) continue;
    if (entry.isDirectory()) yield* walk(join(folder, entry.name));
    else if (entry.isFile()) yield join(folder, entry.name);
  }
}
