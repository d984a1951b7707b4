/** The scripts of this folder as processes of their own: where they are, running one to its end, talking with one that stays. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export function script(name: string): string {
  return join(import.meta.dirname, name);
}

/** Runs a script until it ends. */
export async function run(name: string, ...args: string[]): Promise<void> {
  const child = spawn(process.execPath, [script(name), ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${name} ended with ${code}.`);
}

/** Starts a script that prints one JSON value a line; `next` waits for the next. */
export function start(name: string, ...args: string[]): { child: ChildProcess; next: <T>() => Promise<T> } {
  const child = spawn(process.execPath, ['--expose-gc', script(name), ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const next = async <T>(): Promise<T> => {
    const { done, value } = await lines.next();
    if (done) throw new Error(`${name} ended before it had told its results.`);
    return JSON.parse(value) as T;
  };
  return { child, next };
}
