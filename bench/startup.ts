/** How long from starting the process to the first answer, and what does an idle node hold? */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { MIB } from '../src/base/bytes.ts';
import { median } from './data/percentile.ts';
import type { Bench } from './table.ts';

const QUESTION = 'How do I set a busy timeout?';

export const bench: Bench = {
  name: 'startup',
  question: 'How soon does a warm installation answer its first question, and what does an idle node hold?',
  async run({ small }) {
    const rounds = small ? 1 : 7;
    const directory = await mkdtemp(join(tmpdir(), 'tenure-startup-'));
    try {
      const first = await measure(directory, { idleSeconds: 20 });
      const rest: Measured[] = [];
      for (let round = 0; round < rounds; round++) rest.push(await measure(directory, { idleSeconds: small ? 1 : 20 }));
      const commandMs = await commandTimes(directory, rounds);
      const row = (name: string, measured: readonly Measured[]) => [
        name,
        Math.round(median(measured.map(({ answerMs }) => answerMs))),
        (median(measured.map(({ idleRssBytes }) => idleRssBytes)) / MIB).toFixed(1),
        (median(measured.map(({ idleAnonBytes }) => idleAnonBytes)) / MIB).toFixed(1),
      ];
      return {
        columns: ['start', 'first answer ms', 'idle resident MB', 'of it anonymous MB'],
        rows: [
          row('first start: empty store, learns its documents', [first]),
          row('warm start: documents known', rest),
          ['`tenure ask`, whole command', Math.round(median(commandMs)), '–', '–'],
        ],
        notes: [
          'Floor: 5 s to the first answer and 120 MB idle. Aim: 1.5 s and 70 MB: a Node process that does nothing holds 39 MB on this machine.',
          'From spawning `tenure serve` to the end of the first successful `POST /ask` with sources; 20 s later, untouched, resident and anonymous bytes of the process.',
        ],
      };
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
};

interface Measured {
  readonly answerMs: number;
  readonly idleRssBytes: number;
  readonly idleAnonBytes: number;
}

async function measure(directory: string, options: { idleSeconds: number }): Promise<Measured> {
  const port = await freePort();
  const started = performance.now();
  const server = start(['serve', '--directory', directory, '--port', String(port)]);
  try {
    while (!(await answered(port))) await pause(10);
    const answerMs = performance.now() - started;
    await pause(options.idleSeconds * 1000);
    const statm = (await readFile(`/proc/${server.pid}/statm`, 'utf8')).split(' ').map(Number);
    return { answerMs, idleRssBytes: statm[1]! * 4096, idleAnonBytes: (statm[1]! - statm[2]!) * 4096 };
  } finally {
    server.kill('SIGTERM');
    await ended(server);
  }
}

async function answered(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/ask`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ question: QUESTION }),
    });
    const answer = (await response.json()) as { sources?: unknown[] };
    return response.ok && (answer.sources?.length ?? 0) > 0;
  } catch {
    return false;
  }
}

async function commandTimes(directory: string, rounds: number): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    await ended(start(['ask', QUESTION, '--directory', directory]));
    times.push(performance.now() - started);
  }
  return times;
}

function start(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, ['dist/cli/main.js', ...args], { stdio: 'ignore' });
}

function ended(child: ChildProcess): Promise<void> {
  return child.exitCode === null ? new Promise((resolve) => child.once('exit', () => resolve())) : Promise.resolve();
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
