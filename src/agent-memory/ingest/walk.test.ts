import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.ts';
import { ingest } from './ingest.ts';
import { type WalkOptions, walk } from './walk.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-walk-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function files(...paths: string[]): Promise<void> {
  for (const path of paths) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), `content of ${path}`);
  }
}

async function names(paths: string[], options: WalkOptions = {}): Promise<string[]> {
  const found = [];
  for await (const document of walk(
    paths.map((path) => join(folder, path)),
    options,
  ))
    found.push(document);
  return found.map(({ name }) => name.slice(folder.length + 1));
}

describe('walk', () => {
  it('gives known files in order of name, without what is hidden or installed', async () => {
    await files(
      'b.md',
      'a/z.txt',
      'a/c.html',
      'README',
      'x.png',
      '.hidden.md',
      '.git/HEAD.md',
      'node_modules/p/README.md',
      'a/data.json',
    );
    expect(await names(['.'])).toEqual(['README', 'a/c.html', 'a/z.txt', 'b.md']);
  });

  it('gives what is named itself, hidden, installed or unknown', async () => {
    await files('.notes/a.md', 'node_modules/p/README.md', 'photo.png', 'x.data');
    expect(await names(['.notes', 'node_modules', 'photo.png', 'missing.md'])).toEqual([
      '.notes/a.md',
      'node_modules/p/README.md',
      'photo.png',
      'missing.md',
    ]);
  });

  it('tells size, time and kind, and gives the bytes as often as asked', async () => {
    await files('notes.data');
    for await (const document of walk([join(folder, 'notes.data')], { kind: 'text' })) {
      expect(document).toMatchObject({ sizeBytes: 21, kind: 'text', modifiedAtMs: expect.any(Number) });
      for (let time = 0; time < 2; time++) {
        const chunks = [];
        for await (const chunk of document.open()) chunks.push(chunk);
        expect(Buffer.concat(chunks).toString()).toBe('content of notes.data');
      }
    }
  });

  it('follows links, and ends where they lead in circles', async () => {
    await files('pages/a.md', 'other/b.md');
    await symlink(folder, join(folder, 'pages', 'up'));
    await symlink(join(folder, 'other'), join(folder, 'pages', 'other'));
    await symlink(join(folder, 'nowhere'), join(folder, 'pages', 'lost.md'));
    await symlink(join(folder, 'nowhere'), join(folder, 'pages', 'lost'));
    await symlink(join(folder, 'pages', 'a.md'), join(folder, 'pages', 'again.md'));
    expect(await names(['pages'])).toEqual(['pages/a.md', 'pages/again.md', 'pages/lost.md', 'pages/other/b.md']);
  });

  it('lets what cannot be reached fail as a document, and the rest be read', async () => {
    await files('a.md');
    const report = await ingest(
      { rememberAll: async () => {}, sourceVersion: async () => null, forgetSource: async () => 0 },
      walk([join(folder, 'missing'), join(folder, 'a.md')]),
      { scope: { tenant: 'acme' }, clock: new ManualClock() },
    );
    expect(report).toMatchObject({ documents: 2, passages: 1, failed: [{ code: 'INGEST_UNREADABLE' }] });
    expect(report.failed[0]!.message).toContain('no such file');
  });

  it('opens no pipe and no device: it fails as a document when named, and is passed over in a folder', async () => {
    await files('a.md');
    execFileSync('mkfifo', [join(folder, 'pipe.md')]);
    expect(await names(['.'])).toEqual(['a.md']);
    const report = await ingest(
      { rememberAll: async () => {}, sourceVersion: async () => null, forgetSource: async () => 0 },
      walk([join(folder, 'pipe.md'), '/dev/zero', join(folder, 'a.md')], { kind: 'text' }),
      { scope: { tenant: 'acme' }, clock: new ManualClock() },
    );
    expect(report.failed.map(({ name, code }) => [name, code])).toEqual([
      [join(folder, 'pipe.md'), 'INGEST_UNREADABLE'],
      ['/dev/zero', 'INGEST_UNREADABLE'],
    ]);
    expect(report).toMatchObject({ documents: 3, passages: 1 });
  });

  it('stops when told to', async () => {
    await files('a.md');
    const signal = AbortSignal.abort(new Error('stop'));
    await expect(names(['.'], { signal })).rejects.toThrow('stop');
  });
});
