/**
 * Whether the paths of a store — the file, its log, its shared-memory index — still lead to the files it has open.
 *
 * A file that is removed, renamed or replaced under an open store stays usable through its descriptors, and what is written to it is
 * found by nobody. Worse, SQLite finds log and index by name: a second process that makes a new file at the path shares the index with
 * us and lays its own log beside it (sqlite.org/howtocorrupt.html §4.2). So the names are compared with what was opened, by device and
 * inode. Never by opening: closing the file would drop SQLite's locks on it (§2.2 there).
 */
import { statSync } from 'node:fs';

/** Device and inode of what `path` leads to; `null` where nothing is. Links are followed. */
export function identityOf(path: string): string | null {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found ? `${found.dev}:${found.ino}` : null;
}

/** The file, its log and its shared-memory index, as they are named. */
const SUFFIXES = ['', '-wal', '-shm'] as const;

export class OwnFiles {
  readonly #path: string;
  /** In the order of `SUFFIXES`. */
  readonly #identities: readonly (string | null)[];

  /** Takes what the paths lead to now, at the end of opening, for the store's own. */
  constructor(path: string) {
    this.#path = path;
    this.#identities = this.#found();
  }

  /** What happened to them, as a sentence about the store; `null` while all three are in their places. */
  loss(): string | null {
    const index = this.#found().findIndex((identity, at) => identity !== this.#identities[at]);
    if (index < 0) return null;
    return `its ${['file', 'log', 'shared-memory index'][index]} was removed or replaced while it was open.`;
  }

  /** True while the path of the file is seen to lead to the one we have open. */
  hasFile(): boolean {
    try {
      return identityOf(this.#path) === this.#identities[0];
    } catch {
      return false;
    }
  }

  /** True when a log or an index of others stands where ours did. Where nothing stands, nothing can be harmed. */
  hasForeignLog(): boolean {
    return this.#found().some((identity, at) => at > 0 && identity !== null && identity !== this.#identities[at]);
  }

  #found(): (string | null)[] {
    return SUFFIXES.map((suffix) => identityOf(`${this.#path}${suffix}`));
  }
}
