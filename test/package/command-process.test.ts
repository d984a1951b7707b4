/** The command line as a process: pipes that close, signals, and being killed in the middle of an ingest. */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { builtCommand, run } from './built-package.ts';

let folder: string;
const children: ChildProcessWithoutNullStreams[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tenure-process-'));
});

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'close');
    }
  }
  rmSync(folder, { recursive: true, force: true });
});

const tenure = (...args: string[]) => run([...builtCommand, ...args], { cwd: folder });

function start(...args: string[]) {
  return startNode([], ...args);
}

/** Starts the command in a Node that is given `options`. */
function startNode(options: readonly string[], ...args: string[]) {
  const [node, main] = builtCommand;
  const env = { ...process.env, NO_COLOR: '1' };
  const child = spawn(node!, [...options, main!, ...args], { cwd: folder, env });
  children.push(child);
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      written[name] += text;
    });
  }
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, ...written }));
  return { child, ended, written };
}

/** Resolves when `condition` holds; looks each time the event loop comes round. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
}

async function isListening(port: number): Promise<boolean> {
  const socket = createConnection(port, '127.0.0.1');
  const listening = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return listening;
}

/** Whether the process handles SIGTERM itself: proc_pid_status(5). */
function handlesSigterm(pid: number): boolean {
  const [, caught] = /^SigCgt:\s*([0-9a-f]+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
  return (BigInt(`0x${caught}`) & (1n << 14n)) !== 0n;
}

/** `count` passages with a word each that no other has. */
function pages(count: number): string {
  const filler = 'These words fill the page so that it is a passage of its own. '.repeat(12);
  return Array.from({ length: count }, (_, index) => `unique${index}word ${filler}`).join('\n\n');
}

describe('the command as a process', () => {
  it('does not mind a reader that goes away', async () => {
    writeFileSync(join(folder, 'pages.txt'), pages(200));
    await tenure('ingest', 'pages.txt');
    const { child, ended } = start('recall', 'passage', '--limit', '200', '--json');
    child.stdout.destroy();
    expect(await ended).toMatchObject({ code: 0, signal: null, stderr: '' });
  });

  it('reads a document from a pipe', async () => {
    const { child, ended } = start('ingest', '-', '--kind', 'text', '--name', 'piped');
    child.stdin.end(pages(300));
    expect(await ended).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringContaining('1 learned (300 passages)'),
    });
    expect((await tenure('ask', 'unique299word')).output).toContain('piped');
  });

  it('stops waiting for standard input when told to', async () => {
    const { child, ended } = start('remember', '-');
    // More than a pipe holds: when it is gone, the command is reading.
    await new Promise((resolve) => child.stdin.write('half a text '.repeat(20_000), resolve));
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ code: 130, stdout: '', stderr: 'error INTERRUPTED: Stopped by SIGINT.\n' });
  });

  it('closes at the first signal and ends at the second', async () => {
    const { child, ended, written } = start('serve', '--port', '0');
    await until(() => /http:\/\/127\.0\.0\.1:\d+/.test(written.stdout));
    const port = Number(/127\.0\.0\.1:(\d+)/.exec(written.stdout)![1]);
    // A request in flight keeps the server from closing.
    const socket = createConnection(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(
      'POST /ingest?name=a.md&tenant=t HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/markdown\r\nContent-Length: 99\r\n\r\n#',
    );
    await until(() => existsSync(join(folder, '.tenure', 'incoming')));
    child.kill('SIGTERM');
    await until(async () => !(await isListening(port)));
    expect(child.exitCode).toBeNull();
    child.kill('SIGINT');
    socket.destroy();
    expect(await ended).toMatchObject({ signal: 'SIGINT' });
  });

  it('ends at the second signal though a call of the system never returns', async () => {
    // Opened for reading, a pipe waits for a writer, and `process.exit` for the thread that opens it.
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    writeFileSync(join(folder, 'stuck.mjs'), `import { open } from 'node:fs';\nopen('pipe', () => {});\n`);
    const { child, ended, written } = startNode(['--import', './stuck.mjs'], 'recall', 'anything');
    await until(() => written.stdout.includes('Nothing was found'));
    child.kill('SIGTERM');
    await until(() => !handlesSigterm(child.pid!));
    expect(child.exitCode).toBeNull();
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ signal: 'SIGTERM' });
  });

  it('says in one line that its output cannot be written', async () => {
    await tenure('remember', 'something to find');
    const full = openSync('/dev/full', 'w');
    const [node, main] = builtCommand;
    for (const args of [['recall', 'find'], ['--help']]) {
      const { status, stderr } = spawnSync(node!, [main!, ...args], { cwd: folder, stdio: ['ignore', full, 'pipe'] });
      expect([status, String(stderr)]).toEqual([1, expect.stringMatching(/^error ENOSPC: .*\n$/)]);
    }
    closeSync(full);
  });

  it('hides the folder it makes from git, and that one alone', async () => {
    await tenure('remember', 'something');
    expect(readFileSync(join(folder, '.tenure', '.gitignore'), 'utf8')).toBe('*\n');
    await tenure('remember', 'something', '--directory', 'elsewhere');
    expect(existsSync(join(folder, 'elsewhere', '.gitignore'))).toBe(false);
    rmSync(join(folder, '.tenure', '.gitignore'));
    await tenure('remember', 'something');
    expect(existsSync(join(folder, '.tenure', '.gitignore'))).toBe(false);
  });

  it('takes up a tenure.yml that is made while it runs', async () => {
    const { child, ended, written } = start('serve', '--port', '0');
    await until(() => /http:\/\/127\.0\.0\.1:\d+/.test(written.stdout));
    writeFileSync(join(folder, 'tenure.yml'), 'log: { level: debug }\n');
    await until(() => written.stderr.includes('platform.configuration_reloaded'));
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 0 });
  });

  it('goes on with a document where it was killed, and knows each passage once', async () => {
    writeFileSync(join(folder, 'pages.txt'), pages(6000));
    const log = join(folder, '.tenure', 'tenure.db-wal');
    const { child, ended } = start('ingest', 'pages.txt');
    await until(() => (statSync(log, { throwIfNoEntry: false })?.size ?? 0) > 3 * 2 ** 20);
    child.kill('SIGKILL');
    expect(await ended).toMatchObject({ signal: 'SIGKILL' });
    const again = await tenure('ingest', 'pages.txt', '--json');
    const { passages } = JSON.parse(again.output) as { passages: number };
    expect(passages).toBeGreaterThan(0);
    expect(passages).toBeLessThan(6000);
    for (const index of [0, 255, 256, 3000, 5999]) {
      const { output } = await tenure('recall', `unique${index}word`, '--json', '--limit', '3');
      const { results } = JSON.parse(output) as { results: { memory: { text: string } }[] };
      expect(results.filter(({ memory }) => memory.text.startsWith(`unique${index}word`))).toHaveLength(1);
    }
    expect((await tenure('ingest', 'pages.txt')).output).toContain('1 unchanged');
  }, 60_000);
});
