/** The package as it was built, run as its users run it: commands in a child process, a server on a free port. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { projectFolder } from '../tidy/project-files.ts';

export interface Ran {
  readonly status: number | null;
  readonly output: string;
}

/** Where a command runs, and what it finds in its environment besides ours. */
export interface Place {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The command line of the build in `dist`. */
export const builtCommand: readonly string[] = [process.execPath, join(projectFolder, 'dist', 'cli', 'main.js')];

/** Runs a command to its end, without terminal or input. Fails when it takes longer than a minute. */
export async function run(command: readonly string[], options: Place): Promise<Ran> {
  const child = start(command, options);
  const timer = setTimeout(() => child.process.kill('SIGKILL'), 60_000);
  const [status] = (await once(child.process, 'close')) as [number | null];
  clearTimeout(timer);
  return { status, output: child.output() };
}

/** A server of the command line, ready to answer. */
export class RunningServer {
  readonly address: string;
  readonly #child: Started;

  private constructor(address: string, child: Started) {
    this.address = address;
    this.#child = child;
  }

  /** Runs `command`, a `serve` on a free port, and waits until it says where it listens. */
  static async start(command: readonly string[], place: Place): Promise<RunningServer> {
    const child = start(command, place);
    const ended = once(child.process, 'close').then(() => {
      throw new Error(`serve ended before it listened:\n${child.output()}`);
    });
    const address = await Promise.race([child.address, ended]);
    ended.catch(() => {});
    return new RunningServer(address, child);
  }

  /** Asks the server to stop and returns how its command ended. Told itself, for `npx` does not pass a signal on. */
  async stop(): Promise<Ran> {
    const closed = once(this.#child.process, 'close');
    const status = await fetch(`${this.address}/monitoring/memory`);
    const { node } = (await status.json()) as { node: { pid: number } };
    process.kill(node.pid, 'SIGTERM');
    const [code] = (await closed) as [number | null];
    return { status: code, output: this.#child.output() };
  }
}

interface Started {
  readonly process: ChildProcess;
  readonly address: Promise<string>;
  output(): string;
}

function start([command, ...args]: readonly string[], { cwd, env = {} }: Place): Started {
  const inherited = { ...process.env, NO_COLOR: '1', TENURE_DIRECTORY: undefined, TENURE_PORT: undefined };
  const child = spawn(command!, args, { cwd, env: { ...inherited, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const address = new Promise<string>((resolve) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      const found = /http:\/\/[\d.]+:\d+/.exec(output);
      if (found) resolve(found[0]);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
  });
  return { process: child, address, output: () => output };
}
