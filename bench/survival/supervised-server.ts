/**
 * A server that is started again whenever it ends, as a container runtime does with `restart: always`, and how it ended each time.
 *
 * There are two ways to die of memory, and a user sees the same restart: the kernel kills the process that is over the group's limit
 * (SIGKILL, and the group counts it), or V8 gives up at the heap limit that it has derived from the group's (SIGABRT).
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { LimitedGroup } from './limited-group.ts';

const RESTART_AFTER_MS = 100;
const SAMPLE_MS = 50;
const STARTS_WITHIN_MS = 30_000;
const LAST_WORDS = 2_000;

export interface Death {
  readonly by: 'the kernel' | 'the heap limit' | 'another cause';
  /** Since the server was first ready. */
  readonly atMs: number;
  /** The end of what it printed as errors. */
  readonly lastWords: string;
}

export interface ServerOptions {
  readonly group: LimitedGroup;
  readonly command: readonly string[];
  readonly port: number;
  /** Variables besides those of this process. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
}

export class SupervisedServer implements AsyncDisposable {
  readonly deaths: Death[] = [];
  anonPeakBytes = 0;
  readonly #options: ServerOptions;
  readonly #sampling: NodeJS.Timeout;
  #child!: ChildProcess;
  #readyAtMs = performance.now();
  #isStopping = false;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#start();
    this.#sampling = setInterval(() => {
      this.anonPeakBytes = Math.max(this.anonPeakBytes, options.group.anonBytes);
    }, SAMPLE_MS);
  }

  /** Waits until it answers; the clock of `deaths` starts when it does for the first time. */
  async ready(): Promise<void> {
    const startedMs = performance.now();
    while ((await this.health()) === null) {
      if (performance.now() - startedMs > STARTS_WITHIN_MS) {
        throw new Error(`The server does not start: ${this.deaths.at(-1)?.lastWords ?? 'it prints nothing'}`);
      }
      await pause(20);
    }
    if (this.deaths.length === 0) this.#readyAtMs = performance.now();
  }

  /** What `GET /health` says; null while nobody answers. */
  async health(): Promise<Health | null> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.#options.port}/health`);
      const body = await response.text();
      return response.ok ? (JSON.parse(body) as Health) : null;
    } catch {
      return null;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#sampling);
    this.#isStopping = true;
    this.#child.kill('SIGKILL');
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
  }

  #start(): void {
    const { group, command, environment } = this.#options;
    const killsBefore = group.kills;
    const child = group.run(command, environment);
    let lastWords = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      lastWords = (lastWords + text).slice(-LAST_WORDS);
    });
    child.once('close', async (_code, signal) => {
      if (this.#isStopping) return;
      const by = group.kills > killsBefore ? 'the kernel' : signal === 'SIGABRT' ? 'the heap limit' : 'another cause';
      this.deaths.push({ by, atMs: performance.now() - this.#readyAtMs, lastWords });
      await pause(RESTART_AFTER_MS);
      if (!this.#isStopping) this.#start();
    });
    this.#child = child;
  }
}

/** Garbage collections since the process began. */
export interface Health {
  readonly major: number;
  readonly minor: number;
  readonly pauseMs: number;
}
