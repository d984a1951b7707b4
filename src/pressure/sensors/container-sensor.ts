/**
 * What the container allows and what it holds.
 *
 * Every group from the process's own to the top that can be seen may set a limit, and may change it while we run; the tightest
 * wins, and what *its* group holds is what the kernel will compare with it. A larger limit above can still be nearer its end, when
 * neighbours fill it: that group is reported too. Version 1 also tells of limits set above what can be seen. Processes can
 * be moved: the membership is looked at again every 40 reads (10 s at the default cadence), and at once when the group is gone.
 */
import { join } from 'node:path';
import type { ContainerState, LimitedGroup } from '../reading.ts';
import { GroupFiles, type GroupState } from './group-files.ts';
import { KeptFile } from './kept-file.ts';
import { findMemoryGroups } from './memory-groups.ts';
import type { ReadingPart, Sensor } from './sensor.ts';

const READS_BETWEEN_LOOKS = 40;

export class ContainerSensor implements Sensor {
  readonly name = 'container';
  readonly #root: string;
  readonly #membershipFile: KeptFile;
  #membership: Buffer = Buffer.alloc(0);
  #version: 1 | 2 = 2;
  #groups: readonly GroupFiles[] = [];
  #pressureFolder: string | null = null;
  #readsToLook = 0;
  #wasThere = false;

  constructor(options: { root?: string } = {}) {
    this.#root = options.root ?? '/';
    this.#membershipFile = new KeptFile(join(this.#root, 'proc/self/cgroup'));
  }

  /** Folder of the process's own cgroup v2, where its stall figures are; null where there is none. */
  get pressureFolder(): string | null {
    return this.#pressureFolder;
  }

  read(): ReadingPart {
    if (--this.#readsToLook <= 0) this.#lookForGroups();
    const container = this.#state();
    if (container === undefined && this.#wasThere) this.#readsToLook = 0;
    this.#wasThere = container !== undefined;
    return { container };
  }

  [Symbol.dispose](): void {
    this.#membershipFile[Symbol.dispose]();
    this.#forgetGroups();
  }

  #state(): ContainerState | undefined {
    const own = this.#groups[0];
    if (own === undefined) return undefined;
    let tightest = own;
    let limitBytes = Number.POSITIVE_INFINITY;
    const limited: { group: GroupFiles; bytes: number }[] = [];
    for (const group of this.#groups) {
      const bytes = group.limitBytes();
      if (bytes === Number.POSITIVE_INFINITY) continue;
      limited.push({ group, bytes });
      if (bytes < limitBytes) [tightest, limitBytes] = [group, bytes];
    }
    const state = tightest.read();
    if (state === null) return undefined;
    const isHidden = state.hierarchyLimitBytes < limitBytes;
    limitBytes = Math.min(limitBytes, state.hierarchyLimitBytes);
    const fullest = { share: heldBytes(state) / limitBytes, group: undefined as LimitedGroup | undefined };
    for (const { group, bytes } of limited) {
      // The charge is an upper bound of what is held, and cheap.
      if (group === tightest || group.chargedBytes() / bytes <= fullest.share) continue;
      const held = heldBytes(group.read());
      if (held / bytes > fullest.share) {
        fullest.share = held / bytes;
        fullest.group = { path: group.path, limitBytes: bytes, heldBytes: held };
      }
    }
    return {
      version: this.#version,
      ...(limitBytes === Number.POSITIVE_INFINITY ? {} : { limitBytes }),
      ...(isHidden || limitBytes === Number.POSITIVE_INFINITY ? {} : { path: tightest.path }),
      usedBytes: state.usedBytes,
      anonBytes: state.anonBytes,
      unreclaimableKernelBytes: state.unreclaimableKernelBytes,
      ...(fullest.group === undefined ? {} : { fullerGroup: fullest.group }),
    };
  }

  #lookForGroups(): void {
    this.#readsToLook = READS_BETWEEN_LOOKS;
    const length = this.#membershipFile.read();
    const isSame = this.#membership.compare(this.#membershipFile.content, 0, length) === 0;
    if (isSame && this.#groups.length > 0 && this.#groups[0]!.chargedBytes() >= 0) return;
    this.#membership = Buffer.from(this.#membershipFile.content.subarray(0, length));
    this.#forgetGroups();
    const found = findMemoryGroups({ root: this.#root });
    if (found === null) return;
    this.#version = found.version;
    this.#groups = found.groups.map((group) => new GroupFiles(group, found.version));
    this.#pressureFolder = found.version === 2 ? found.groups[0]!.folder : null;
  }

  #forgetGroups(): void {
    for (const group of this.#groups) group[Symbol.dispose]();
    this.#groups = [];
    this.#pressureFolder = null;
  }
}

function heldBytes(state: GroupState | null): number {
  return state === null ? 0 : state.anonBytes + state.unreclaimableKernelBytes;
}
