/** Generated documents are what the source says, and an error code has one owner. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { projectFolder } from './project-files.ts';

const SCRIPT = join(projectFolder, 'scripts', 'generate-docs.mjs');
const BASE = 'export class TenureError extends Error {}';
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function tree(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'tenure-tidy-'));
  folders.push(folder);
  const marks = '<!-- map: written by npm run docs -->\n<!-- end of map -->\n';
  for (const [path, text] of Object.entries({ 'ARCHITECTURE.md': marks, ...files })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

function generate(...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, ...args], { encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}` };
}

describe('generated documents', { timeout: 60_000 }, () => {
  it('are what the source says', () => {
    expect(generate('--check')).toEqual({ status: 0, output: '' });
  });

  it('are seen to be stale when the source has moved on', () => {
    const root = tree({ 'src/base/errors.ts': BASE });
    expect(generate('--root', root).status).toBe(0);
    expect(generate('--root', root, '--check').status).toBe(0);
    writeFileSync(
      join(root, 'src/base/late.ts'),
      "export class LateError extends TenureError { x = super('LATE', 'Late.'); }",
    );
    const { status, output } = generate('--root', root, '--check');
    expect(status).toBe(1);
    expect(output).toContain('docs/errors.md');
    expect(output).toContain('src/README.md');
  });
});

describe('error codes', { timeout: 60_000 }, () => {
  it('are refused when two classes share one', () => {
    const root = tree({
      'src/base/errors.ts': BASE,
      'src/base/a.ts': "export class AError extends TenureError { constructor() { super('SAME', 'a'); } }",
      'src/base/b.ts': "export class BError extends TenureError {}\nthrow new BError('SAME', 'b');",
    });
    const { status, output } = generate('--root', root, '--check');
    expect(status).toBe(1);
    expect(output).toMatch(/SAME belongs to AError .* and to BError/);
  });

  it('are refused when they cannot be read', () => {
    const root = tree({
      'src/base/errors.ts': BASE,
      'src/base/a.ts': 'export class AError extends TenureError { constructor(code: string) { super(code, "a"); } }',
    });
    const { status, output } = generate('--root', root, '--check');
    expect(status).toBe(1);
    expect(output).toMatch(/AError .*: no code can be read/);
  });
});
