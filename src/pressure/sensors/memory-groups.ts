/**
 * Where the process's memory cgroup is mounted, and the groups above it.
 *
 * `/proc/self/cgroup` names the group from the root of the hierarchy as the process sees it; `/proc/self/mountinfo` says which part
 * of that hierarchy is mounted where (cgroups(7), proc_pid_mountinfo(5)). The two meet in several ways:
 *
 *   mount root `/`, group `/a/b`             host, or a container with its own cgroup namespace: mount point + `/a/b`
 *   mount root `/docker/c`, group `/docker/c/x`  container without a namespace: mount point + `/x`
 *   group `/..` or outside the mount root    group above the namespace: the mount point is all there is to see
 *
 * On hybrid systems memory stays with version 1 while an empty version 2 tree is mounted beside it: the version whose files are there
 * wins. Groups without memory files (the controller is not enabled so deep) are left out; the next above accounts for them.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';

export interface MemoryGroup {
  /** Folder to read, below the root the sensors were given. */
  readonly folder: string;
  /** Path in the hierarchy, for people. */
  readonly path: string;
}

export interface MemoryGroups {
  readonly version: 1 | 2;
  /** The process's own group first, then those above it, as far up as can be seen. Never empty. */
  readonly groups: readonly MemoryGroup[];
}

interface Mount {
  readonly version: 1 | 2;
  /** The part of the hierarchy that is mounted. */
  readonly root: string;
  readonly point: string;
}

export const USAGE_FILE = { 1: 'memory.usage_in_bytes', 2: 'memory.current' } as const;

/** Finds the groups now; null where there are none, as on systems without cgroups. `root` is where `/` is. */
export function findMemoryGroups(options: { root: string }): MemoryGroups | null {
  const memberships = membershipsIn(readOr(join(options.root, 'proc/self/cgroup'), ''));
  for (const mount of mountsIn(readOr(join(options.root, 'proc/self/mountinfo'), ''))) {
    const path = memberships[mount.version];
    if (path === undefined) continue;
    const groups = groupsFrom(options.root, mount, path);
    if (groups.length > 0) return { version: mount.version, groups };
  }
  return null;
}

/** Lines `4:memory:/docker/abc` (version 1, several controllers joined by commas) and `0::/user.slice` (version 2). */
function membershipsIn(text: string): { 1?: string; 2?: string } {
  const paths: { 1?: string; 2?: string } = {};
  for (const line of text.split('\n')) {
    const [, id, controllers, path] = /^(\d+):([^:]*):(.+)$/.exec(line) ?? [];
    if (path === undefined) continue;
    if (controllers!.split(',').includes('memory')) paths[1] = path;
    else if (id === '0' && controllers === '') paths[2] = path;
  }
  return paths;
}

/** Mounts that can hold memory files, version 1 first. */
function mountsIn(text: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split('\n')) {
    const [before, after] = line.split(' - ', 2) as [string, string | undefined];
    const [, , , root, point] = before.split(' ');
    const [type, , superOptions] = after?.split(' ') ?? [];
    if (root === undefined || point === undefined) continue;
    const version =
      type === 'cgroup2' ? 2 : type === 'cgroup' && superOptions?.split(',').includes('memory') ? 1 : null;
    if (version !== null) mounts.push({ version, root: unescaped(root), point: unescaped(point) });
  }
  return mounts.sort((one, other) => one.version - other.version);
}

function groupsFrom(root: string, mount: Mount, path: string): MemoryGroup[] {
  const below = posix.relative(mount.root, path);
  const top = join(root, mount.point);
  const isBelow = below !== '' && !below.startsWith('..') && existsSync(join(top, below));
  const groups: MemoryGroup[] = [];
  for (let step = isBelow ? below : '.'; ; step = dirname(step)) {
    const folder = join(top, step);
    if (existsSync(join(folder, USAGE_FILE[mount.version])))
      groups.push({ folder, path: posix.join(mount.root, step) });
    if (step === '.') return groups;
  }
}

/** mountinfo writes blanks and backslashes as three octal digits. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
}
