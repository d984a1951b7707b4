/**
 * A memory cgroup with a hard limit and no swap, as a container runtime makes one, and a command that runs in it.
 *
 * The command joins the group before it becomes Node (the shell writes its own id, then `exec`s), so V8 sees the limit when it sizes
 * its heap, as in a container. Version 1 and version 2 of cgroups, see cgroups(7) and the kernel's `admin-guide/cgroup-v1/memory`; both need
 * the right to make groups, which root has where the memory controller is delegated.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { findMemoryGroups } from '../../src/pressure/sensors/memory-groups.ts';

/** The groups that a run needs cannot be made here. */
class NoCgroupError extends Error {
  override readonly name = 'NoCgroupError';
}

const FILES = {
  1: { limit: 'memory.limit_in_bytes', peak: 'memory.max_usage_in_bytes', kills: 'memory.oom_control' },
  2: { limit: 'memory.max', peak: 'memory.peak', kills: 'memory.events' },
} as const;
/** Version 1 limits memory and swap together, version 2 swap alone; neither file is there on a kernel without swap accounting. */
const SWAP_FILES = { 1: 'memory.memsw.limit_in_bytes', 2: 'memory.swap.max' } as const;
const ANONYMOUS = { 1: 'total_rss', 2: 'anon' } as const;
const JOIN_AND_RUN = 'echo $$ > "$0/cgroup.procs" && exec "$@"';

let groupsMade = 0;

export class LimitedGroup implements AsyncDisposable {
  readonly #version: 1 | 2;
  readonly #folder: string;

  /** @param options.limitBytes Infinity only measures. */
  constructor(options: { limitBytes: number }) {
    const found = findMemoryGroups({ root: '/' });
    if (found === null) throw new NoCgroupError('This bench needs Linux with a memory cgroup mounted.');
    const parent = found.groups.at(found.version === 1 ? 0 : -1)!.folder;
    this.#version = found.version;
    this.#folder = join(parent, `tenure-survival-${process.pid}-${groupsMade++}`);
    try {
      if (found.version === 2) enableMemory(parent);
      mkdirSync(this.#folder);
      if (options.limitBytes < Number.POSITIVE_INFINITY) this.#limit(options.limitBytes);
    } catch (cause) {
      throw new NoCgroupError(
        `No cgroup can be made in ${parent}: run this bench as root, with the memory controller delegated.`,
        { cause },
      );
    }
  }

  #limit(bytes: number): void {
    this.#write(FILES[this.#version].limit, bytes);
    if (existsSync(join(this.#folder, SWAP_FILES[this.#version])))
      this.#write(SWAP_FILES[this.#version], this.#version === 1 ? bytes : 0);
  }

  /** Starts a command as a member of the group. */
  run(command: readonly string[], environment: Readonly<Record<string, string>> = {}): ChildProcess {
    return spawn('sh', ['-c', JOIN_AND_RUN, this.#folder, ...command], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...environment },
    });
  }

  /** How many members the kernel has killed for want of memory. */
  get kills(): number {
    return this.#field(FILES[this.#version].kills, 'oom_kill');
  }

  /** The most that was charged to the group, page cache included. */
  get peakBytes(): number {
    return Number(this.#read(FILES[this.#version].peak));
  }

  /** What no file stands behind, and what the kernel can therefore not take back. */
  get anonBytes(): number {
    return this.#field('memory.stat', ANONYMOUS[this.#version]);
  }

  /** A group stays busy for a moment after its last member has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return rmdirSync(this.#folder);
      } catch (error) {
        if (attempt === 1_000) throw error;
        await pause(5);
      }
    }
  }

  #field(file: string, name: string): number {
    return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(this.#read(file))?.[1] ?? 0);
  }

  #read(file: string): string {
    return readFileSync(join(this.#folder, file), 'utf8');
  }

  #write(file: string, value: number): void {
    writeFileSync(join(this.#folder, file), String(value));
  }
}

function enableMemory(folder: string): void {
  const file = join(folder, 'cgroup.subtree_control');
  if (!readFileSync(file, 'utf8').split(/\s/).includes('memory')) writeFileSync(file, '+memory');
}
