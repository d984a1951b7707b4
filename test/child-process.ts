/**
 * Runs a TypeScript file of ours in a Node process of its own: to be killed, to hold a lock, to run under other rights.
 *
 * The file is bundled with what it imports of ours (some 50 ms) into `.cache/`, from where packages resolve as they do for
 * the project. A child that still runs when it is disposed is killed.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { build } from 'tsdown';

const root = fileURLToPath(new URL('..', import.meta.url));

export interface ChildOptions {
  readonly args?: readonly string[];
  /** The Node to run it with; this one by default. */
  readonly node?: string;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** How a child ended, and all it printed. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts `entry`; resolves when the process runs. */
export async function runTypeScript(entry: URL, options: ChildOptions = {}): Promise<Child> {
  const { args = [], node = process.execPath, cwd, env = process.env } = options;
  const script = await bundle(fileURLToPath(entry));
  const child = spawn(node, ['--enable-source-maps', script, ...args], { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] });
  await once(child, 'spawn');
  return new Child(child);
}

async function bundle(entry: string): Promise<string> {
  const [built] = await build({
    config: false,
    cwd: root,
    entry: [entry],
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    sourcemap: 'inline',
    dts: false,
    write: false,
    clean: false,
    report: false,
    logLevel: 'error',
  });
  const code = built?.chunks.map((chunk) => ('code' in chunk ? chunk.code : '')).join('') ?? '';
  const folder = join(root, '.cache', 'children');
  const path = join(folder, `${createHash('sha256').update(code).digest('hex').slice(0, 16)}.mjs`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${path}.${process.pid}`, code);
  renameSync(`${path}.${process.pid}`, path);
  return path;
}

export class Child implements AsyncDisposable {
  readonly ended: Promise<Ending>;
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>;
  #stdout = '';

  constructor(child: ChildProcessByStdio<Writable, Readable, Readable>) {
    this.#process = child;
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    this.ended = once(child, 'close').then(([code, signal]) => ({ code, signal, stdout: this.#stdout, stderr }));
  }

  /** All it has printed so far. */
  get stdout(): string {
    return this.#stdout;
  }

  /** Resolves when what it printed meets `condition`; rejects with its errors if it ends first. */
  async printed(condition: (stdout: string) => boolean): Promise<void> {
    let hasEnded = false;
    const ended = this.ended.then((ending) => {
      hasEnded = true;
      return ending;
    });
    while (!condition(this.#stdout)) {
      if (hasEnded) throw new Error(`the child ended before: ${JSON.stringify(await ended)}`);
      await Promise.race([ended, once(this.#process.stdout, 'data')]);
    }
  }

  /** Ends its standard input: for a child that waits for that. */
  endInput(): void {
    this.#process.stdin.end();
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#process.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    await this.ended;
  }
}
