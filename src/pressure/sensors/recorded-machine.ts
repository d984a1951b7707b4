/**
 * Lays out a recorded machine as files, for tests.
 *
 * A recording (`fixtures/<name>.txt`) is what `tail -n +1` prints for the files a sensor reads: `==> path <==`, then the content. The
 * paths begin at the root; the sensors are given the folder as theirs.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export class RecordedMachine implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'tenure-machine-'));

  /** Without a name: a machine without any files. */
  constructor(name?: string) {
    if (name === undefined) return;
    const recording = readFileSync(new URL(`fixtures/${name}.txt`, import.meta.url), 'utf8');
    for (const [, path, content] of recording.matchAll(/^==> (.+) <==\n([\s\S]*?)(?=\n==> |$(?![\s\S]))/gm)) {
      this.write(path!, content!);
    }
  }

  /** Writes a file, in place if it exists: whoever has it open sees the new content, as with a kernel file. */
  write(path: string, content: string): void {
    const file = join(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }

  remove(path: string): void {
    rmSync(join(this.root, path), { recursive: true, force: true });
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
