/** For tests: the command line without a process, over a real node in a folder of its own. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { Tenure } from '../platform/tenure.ts';
import { type Outside, run } from './run.ts';
import type { OutputStream } from './terminal.ts';

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Collects what is written. */
export class Written implements OutputStream {
  text = '';
  readonly isTTY: boolean;
  readonly columns = 80;

  constructor(isTTY = false) {
    this.isTTY = isTTY;
  }

  write(text: string): boolean {
    this.text += text;
    return true;
  }
}

/** One user: a folder, and the commands given in it. */
export class CommandLine implements AsyncDisposable {
  readonly folder: string;
  readonly environment: Record<string, string> = {};
  /** Nodes opened and not closed. */
  openNodes = 0;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(): Promise<CommandLine> {
    return new CommandLine(await mkdtemp(join(tmpdir(), 'tenure-cli-')));
  }

  /** Writes a file in the user's folder, with the folders it stands in; returns its path. */
  async file(path: string, content: string): Promise<string> {
    const full = join(this.folder, path);
    await mkdir(dirname(full), { recursive: true });
    await writeFile(full, content);
    return full;
  }

  async run(args: readonly string[], more: Partial<Outside> & { input?: string; isTTY?: boolean } = {}): Promise<Ran> {
    const { input = '', isTTY = false, ...rest } = more;
    const [stdout, stderr] = [new Written(isTTY), new Written(isTTY)];
    const exitCode = await run(args, {
      stdout,
      stderr,
      stdin: inputOf(input),
      environment: { TENURE_DIRECTORY: join(this.folder, 'store'), TENURE_PORT: '0', ...this.environment },
      clock: systemClock,
      signal: new AbortController().signal,
      openNode: (options) => this.openNode(options),
      ...rest,
    });
    return { exitCode, stdout: stdout.text, stderr: stderr.text };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  /** A node of this user, counted until it is closed. */
  async openNode(options: Parameters<Outside['openNode']>[0]): Promise<Tenure> {
    const environment = { TENURE_DIRECTORY: join(this.folder, 'store'), TENURE_PORT: '0', ...this.environment };
    const node = await Tenure.open({ ...options, environment });
    this.openNodes++;
    const close = node.close.bind(node);
    let closed = false;
    node.close = async () => {
      await close();
      if (!closed) this.openNodes--;
      closed = true;
    };
    return node;
  }
}

async function* inputOf(text: string): AsyncGenerator<Uint8Array, void, void> {
  if (text) yield Buffer.from(text);
}
