/**
 * Real memory cgroups for a test, of whichever version this machine uses: `outer` with a limit, and `inner` in it without.
 *
 * Version 1: below the group this process is in. Version 2: below the top of what is mounted, where the memory controller must be
 * handed down and no process may stand. Both need the right to make groups, which root has; without it making one fails and says so.
 */
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findMemoryGroups } from '../../src/pressure/sensors/memory-groups.ts';

const LIMIT_FILE = { 1: 'memory.limit_in_bytes', 2: 'memory.max' } as const;

export class TemporaryCgroup implements Disposable {
  readonly version: 1 | 2;
  readonly outer: string;
  readonly inner: string;
  readonly #limitFile: string;

  constructor(options: { limitBytes: number }) {
    const found = findMemoryGroups({ root: '/' });
    if (found === null)
      throw new Error('This machine has no memory cgroup: run the host tests on Linux with cgroups mounted.');
    const { version, groups } = found;
    const parent = groups.at(version === 1 ? 0 : -1)!.folder;
    this.version = version;
    this.outer = join(parent, `tenure-test-${process.pid}`);
    this.inner = join(this.outer, 'inner');
    this.#limitFile = join(this.outer, LIMIT_FILE[version]);
    try {
      if (version === 2) enableMemory(parent);
      mkdirSync(this.outer);
      if (version === 2) enableMemory(this.outer);
      mkdirSync(this.inner);
      writeFileSync(this.#limitFile, String(options.limitBytes));
    } catch (cause) {
      throw new Error(
        `No cgroup can be made in ${parent}: run the host tests as root, with the memory controller delegated.`,
        { cause },
      );
    }
  }

  [Symbol.dispose](): void {
    for (const folder of [this.inner, this.outer]) removeGroup(folder);
  }
}

function enableMemory(folder: string): void {
  const file = join(folder, 'cgroup.subtree_control');
  if (!readFileSync(file, 'utf8').split(/\s/).includes('memory')) writeFileSync(file, '+memory');
}

/** A group stays busy for a moment after its last process has ended. */
function removeGroup(folder: string): void {
  for (let attempt = 1; ; attempt++) {
    try {
      rmdirSync(folder);
      return;
    } catch (error) {
      if (attempt === 1_000) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
