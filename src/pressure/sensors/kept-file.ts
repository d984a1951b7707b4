/**
 * A small file of /proc or of a cgroup, read again and again through one descriptor.
 *
 * A positional read through an open descriptor costs 1–2 µs; opening and closing costs several times that, and a file that is
 * not there costs an exception. So the descriptor is kept, and a file that cannot be opened or read (a removed cgroup answers ENODEV,
 * a kernel without PSI EOPNOTSUPP) reads as empty and is opened anew only after 40 reads (10 s at the default cadence). All files share one buffer: its content is good until the next read of any of them.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { ClosedError } from '../../base/errors.ts';

const READS_BETWEEN_TRIES = 40;
/** Kernel files read here have at most a few KB; the rest of a longer one is not seen. */
const content = Buffer.allocUnsafeSlow(16 * 1024);

export class KeptFile implements Disposable {
  readonly path: string;
  #descriptor: number | undefined;
  #readsToSkip = 0;
  #closed = false;

  constructor(path: string) {
    this.path = path;
  }

  /** What the last `read` of any kept file brought; only its length in bytes is new, the rest is left from before. */
  get content(): Uint8Array {
    return content;
  }

  /** Reads the file from its start into `content`; returns its length, 0 when it cannot be read now. */
  read(): number {
    if (this.#closed) throw new ClosedError(`sensor file ${this.path}`);
    if (this.#descriptor === undefined && !this.#open()) return 0;
    try {
      return readSync(this.#descriptor!, content, 0, content.length, 0);
    } catch {
      this.#release();
      this.#readsToSkip = READS_BETWEEN_TRIES - 1;
      return 0;
    }
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#release();
  }

  #open(): boolean {
    if (this.#readsToSkip > 0) {
      this.#readsToSkip--;
      return false;
    }
    try {
      this.#descriptor = openSync(this.path, 'r');
      return true;
    } catch {
      this.#readsToSkip = READS_BETWEEN_TRIES - 1;
      return false;
    }
  }

  #release(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
