/** The lock file installs on every platform: `npm ci` refuses one that lacks a package's binary for any of them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectFolder } from './project-files.ts';

interface Lock {
  readonly packages: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Optional dependencies that no entry of the lock file stands for. */
function missingFrom({ packages }: Lock): string[] {
  return Object.entries(packages).flatMap(([path, entry]) =>
    Object.keys((entry['optionalDependencies'] ?? {}) as Record<string, string>).filter(
      (name) => !packages[`${path}/node_modules/${name}`] && !packages[`node_modules/${name}`],
    ),
  );
}

describe('the lock file', () => {
  const lock = JSON.parse(readFileSync(join(projectFolder, 'package-lock.json'), 'utf8')) as Lock;
  const manifest = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8')) as Record<string, unknown>;

  it('has every binary of every package; npm run lock enters what a mirror left out', () => {
    expect(missingFrom(lock)).toEqual([]);
  });

  it('would be seen to lack one', () => {
    const packages = { 'node_modules/a': { optionalDependencies: { 'a-linux-x64': '1.0.0' } } };
    expect(missingFrom({ packages })).toEqual(['a-linux-x64']);
  });

  it('is for these dependencies', () => {
    const root = lock.packages['']!;
    expect(root['dependencies']).toEqual(manifest['dependencies']);
    expect(root['devDependencies']).toEqual(manifest['devDependencies']);
  });
});
