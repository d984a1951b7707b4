/**
 * The memory files of one cgroup: its limit, its charge, and what of the charge can never be reclaimed.
 *
 *                 version 1 (cgroup-v1/memory.rst)            version 2 (cgroup-v2.rst)
 *   limit         memory.limit_in_bytes                       the lower of memory.max (kill) and memory.high (throttle)
 *   charged       memory.usage_in_bytes                       memory.current
 *   page cache    total_inactive_file + total_active_file     inactive_file + active_file
 *   anonymous     total_rss + total_shmem                     anon + shmem
 *   kernel        not told apart: 0                           slab_unreclaimable, stacks, page tables, per-CPU, sockets, vmalloc
 *
 * Both versions charge page cache, and the kernel drops it before it kills, so it never counts as used. Shared memory is cache by
 * name, but only swap could take it. Version 1's kernel charge mixes in directory entries, easily as large as all else; counting
 * it would evict for bytes that come back by themselves.
 */
import { join } from 'node:path';
import { isLimit } from '../limit.ts';
import { KeptFile } from './kept-file.ts';
import { type MemoryGroup, USAGE_FILE } from './memory-groups.ts';
import { FieldReader, numberAt } from './numbers.ts';

const LIMIT_FILES = { 1: ['memory.limit_in_bytes'], 2: ['memory.max', 'memory.high'] } as const;

/** The names in memory.stat, by kind. */
const FIELDS = {
  1: { cache: ['total_inactive_file', 'total_active_file'], anon: ['total_rss', 'total_shmem'], kernel: [] },
  2: {
    cache: ['inactive_file', 'active_file'],
    anon: ['anon', 'shmem'],
    kernel: ['slab_unreclaimable', 'kernel_stack', 'pagetables', 'sec_pagetables', 'percpu', 'sock', 'vmalloc'],
  },
} as const;

export interface GroupState {
  /** Charged bytes less page cache. */
  readonly usedBytes: number;
  readonly anonBytes: number;
  readonly unreclaimableKernelBytes: number;
  /** Tightest limit from this group up, those included that cannot be seen; version 1 only. */
  readonly hierarchyLimitBytes: number;
}

export class GroupFiles implements Disposable {
  readonly path: string;
  readonly #limits: readonly KeptFile[];
  readonly #usage: KeptFile;
  readonly #stat: KeptFile;
  readonly #fields: FieldReader;
  readonly #counts: { readonly cache: number; readonly anon: number; readonly kernel: number };

  constructor(group: MemoryGroup, version: 1 | 2) {
    const { cache, anon, kernel } = FIELDS[version];
    this.path = group.path;
    this.#limits = LIMIT_FILES[version].map((name) => new KeptFile(join(group.folder, name)));
    this.#usage = new KeptFile(join(group.folder, USAGE_FILE[version]));
    this.#stat = new KeptFile(join(group.folder, 'memory.stat'));
    this.#fields = new FieldReader([...cache, ...anon, ...kernel, 'hierarchical_memory_limit']);
    this.#counts = { cache: cache.length, anon: anon.length, kernel: kernel.length };
  }

  /** The group's own limit; Infinity when it has none. */
  limitBytes(): number {
    let lowest = Number.POSITIVE_INFINITY;
    for (const file of this.#limits) {
      const bytes = numberAt(file.content, 0, file.read());
      if (isLimit(bytes) && bytes < lowest) lowest = bytes;
    }
    return lowest;
  }

  /** Charged bytes, page cache included; NaN when the group is gone. */
  chargedBytes(): number {
    return numberAt(this.#usage.content, 0, this.#usage.read());
  }

  /** What the group holds; null when it is gone. */
  read(): GroupState | null {
    const chargedBytes = this.chargedBytes();
    const length = this.#stat.read();
    if (Number.isNaN(chargedBytes) || length === 0) return null;
    const values = this.#fields.read(this.#stat.content, length);
    let next = 0;
    const sumOf = (count: number) => {
      let sum = 0;
      for (const end = next + count; next < end; next++) sum += values[next]! || 0;
      return sum;
    };
    const cacheBytes = sumOf(this.#counts.cache);
    const anonBytes = sumOf(this.#counts.anon);
    const unreclaimableKernelBytes = sumOf(this.#counts.kernel);
    const hierarchyLimitBytes = isLimit(values[next]!) ? values[next]! : Number.POSITIVE_INFINITY;
    return {
      // The charge and memory.stat are not counted at one instant; the stat lags by up to 2 s.
      usedBytes: Math.max(chargedBytes - cacheBytes, 0),
      anonBytes,
      unreclaimableKernelBytes,
      hierarchyLimitBytes,
    };
  }

  [Symbol.dispose](): void {
    for (const file of [...this.#limits, this.#usage, this.#stat]) file[Symbol.dispose]();
  }
}
