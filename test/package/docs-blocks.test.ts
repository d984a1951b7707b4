/**
 * Every code block of README and docs runs, in the order of its page, against the package as built.
 *
 * A page is one reader in one empty folder with a copy of `docs/` to ingest: `sh` blocks run `tenure …` for real (`tenure serve` stays up
 * until the page ends and must stop cleanly; `curl` asks it), `npm …` must name a script there is; `ts` blocks are type-checked
 * together and then run; `js` blocks run as they stand; `yaml` blocks must be a configuration Tenure accepts; `json` must parse. A block
 * that names a file after its language is saved as that for the commands that follow. Anything else is shown as `text`.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProjectFile, projectFiles, projectFolder } from '../tidy/project-files.ts';
import { builtCommand, RunningServer, run } from './built-package.ts';
import { type CodeBlock, codeBlocks, commandsOf } from './code-blocks.ts';
import { curl } from './curl.ts';

const SHOWN_ONLY = new Set(['text', 'mermaid']);
const RUN = new Set(['sh', 'ts', 'js', 'yaml', 'json']);

const pages = projectFiles().filter(({ path }) => /^(README\.md|docs\/(?!decisions\/).*\.md)$/.test(path));
const scripts = (
  JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
).scripts;
const compiled = join(projectFolder, '.cache', 'docs-blocks');

/** One reader of one page. */
class Reader {
  readonly folder = mkdtempSync(join(tmpdir(), 'tenure-docs-'));
  /** Variables the page has set so far. */
  readonly #env: Record<string, string> = {};
  #server: RunningServer | undefined;

  constructor() {
    cpSync(join(projectFolder, 'docs'), join(this.folder, 'docs'), { recursive: true });
    cpSync(join(projectFolder, 'README.md'), join(this.folder, 'README.md'));
  }

  async command(command: readonly string[]): Promise<void> {
    const words = command.filter((word) => {
      const [, name, value] = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(word) ?? [];
      if (name !== undefined) this.#env[name] = value!;
      return name === undefined;
    });
    if (words.length === 0) return;
    const [program, ...rest] = words[0] === 'npx' ? words.slice(1) : words;
    if (program === 'tenure') return this.#tenure(rest);
    if (program === 'npm') return expectScript(rest);
    if (program === 'curl') {
      const { status, body } = await curl(rest, { address: (await this.#serving()).address, folder: this.folder });
      expect(status, body).toBeLessThan(400);
      return;
    }
    throw new Error(`${words.join(' ')}: a sh block holds tenure, npm and curl commands only; show others as text.`);
  }

  async #tenure(args: readonly string[]): Promise<void> {
    if (args[0] === 'serve' && !args.includes('--help')) {
      await this.#serving(args.slice(1));
      return;
    }
    const { status, output } = await run([...builtCommand, ...args], { cwd: this.folder, env: this.#env });
    // 3: doctor found something to mend on this machine, and said so.
    const good = args[0] === 'doctor' ? [0, 3] : [0];
    expect(good, `tenure ${args.join(' ')}\n${output}`).toContain(status);
  }

  async #serving(args: readonly string[] = []): Promise<RunningServer> {
    this.#server ??= await RunningServer.start([...builtCommand, 'serve', '--port', '0', ...withoutPort(args)], {
      cwd: this.folder,
      env: this.#env,
    });
    return this.#server;
  }

  async leave(): Promise<void> {
    const ended = await this.#server?.stop();
    rmSync(this.folder, { recursive: true, force: true });
    expect(ended?.status ?? 0, ended?.output).toBe(0);
  }
}

/** A page may show a port; the test takes a free one. */
function withoutPort(args: readonly string[]): string[] {
  return args.filter((arg, index) => arg !== '--port' && args[index - 1] !== '--port');
}

function expectScript([verb, name]: readonly string[]): void {
  if (['install', 'i', 'ci', 'pack'].includes(verb ?? '')) return;
  const script = verb === 'run' || verb === 'run-script' ? name : verb;
  expect(Object.keys(scripts), `npm ${verb} ${name ?? ''}`).toContain(script);
}

describe.each(pages.map((page) => ({ path: page.path, page })))('$path', ({ page }: { page: ProjectFile }) => {
  const blocks = codeBlocks(page);
  let reader: Reader;
  beforeAll(() => {
    reader = new Reader();
  });
  afterAll(() => reader.leave());

  it('names a language for each block', () => {
    const unknown = blocks.filter(({ language, file }) => !RUN.has(language) && !SHOWN_ONLY.has(language) && !file);
    expect(unknown).toEqual([]);
  });

  for (const block of blocks.filter(({ language, file }) => RUN.has(language) || file)) {
    const { file } = block;
    if (file !== undefined) {
      it(`saves ${file} of line ${block.line}`, () => writeFileSync(join(reader.folder, file), `${block.code}\n`));
      continue;
    }
    it(`runs its ${block.language} block of line ${block.line}`, { timeout: 90_000 }, async () => {
      if (block.language === 'sh') for (const words of commandsOf(block)) await reader.command(words);
      if (block.language === 'ts') await runModule(block, { cwd: reader.folder, code: withoutTypes(block.code) });
      if (block.language === 'js') await runModule(block, { cwd: reader.folder, code: block.code });
      if (block.language === 'json') expect(() => JSON.parse(block.code)).not.toThrow();
      if (block.language === 'yaml') await acceptConfiguration(block, reader.folder);
    });
  }
});

describe('the TypeScript of the documents', () => {
  it('passes the type check of a strict project', { timeout: 90_000 }, () => {
    const blocks = pages.flatMap(codeBlocks).filter(({ language }) => language === 'ts');
    expect(blocks).not.toHaveLength(0);
    expect(typeProblems(blocks.map(sourceFile))).toEqual([]);
  });

  it('would be seen to fail', { timeout: 90_000 }, () => {
    const wrong = sourceFile({
      page: 'planted.md',
      line: 1,
      language: 'ts',
      code: "import { nowhere } from 'tenure';\nnowhere();",
    });
    expect(typeProblems([wrong]).join()).toContain('nowhere');
  });
});

/** Writes a block as a module inside the project, where the name `tenure` means the package itself. */
function sourceFile({ page, line, code }: CodeBlock): string {
  mkdirSync(compiled, { recursive: true });
  const file = join(compiled, `${basename(page, '.md')}-${line}.ts`);
  writeFileSync(file, `${code}\nexport {};\n`);
  return file;
}

function typeProblems(files: string[]): string[] {
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(join(projectFolder, 'tsconfig.json'), ts.sys.readFile).config,
    ts.sys,
    projectFolder,
  );
  const program = ts.createProgram(files, { ...options, noUnusedLocals: false });
  return ts.getPreEmitDiagnostics(program).map((diagnostic) => {
    const { line = 0 } = diagnostic.file?.getLineAndCharacterOfPosition(diagnostic.start ?? 0) ?? {};
    return `${diagnostic.file?.fileName}:${line + 1}: ${ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n')}`;
  });
}

function withoutTypes(code: string): string {
  const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
  return ts.transpileModule(code, { compilerOptions: options }).outputText;
}

async function runModule(block: CodeBlock, { cwd, code }: { cwd: string; code: string }): Promise<void> {
  const file = sourceFile(block).replace(/\.ts$/, '.mjs');
  writeFileSync(file, code);
  const { status, output } = await run([process.execPath, file], { cwd });
  expect(status, output).toBe(0);
}

async function acceptConfiguration(block: CodeBlock, cwd: string): Promise<void> {
  const file = join(cwd, `sample-${block.line}.yml`);
  writeFileSync(file, block.code);
  const { loadConfiguration } = (await import(
    pathToFileURL(join(projectFolder, 'dist/platform/configuration/load.js')).href
  )) as typeof import('../../src/platform/configuration/load.ts');
  await expect(loadConfiguration({ path: file, environment: {} })).resolves.toBeDefined();
}
