/**
 * `npm run build`: the package (tsdown), then the dashboard into `dist/dashboard`; and the stamp that says from which sources.
 *
 * Sources are compared by content: a fresh checkout changes every modification time and must not mean a rebuild, nor hide one.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMain, root } from './repository.mjs';

/** What the build reads; a folder stands for every file in it but tests. */
const INPUTS = [
  'src',
  'dashboard',
  'scripts/build.mjs',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsdown.config.ts',
];
const OUTPUTS = ['dist/index.js', 'dist/cli/main.js', 'dist/dashboard/index.html'];
const STAMP = join(root, '.cache', 'build.sha256');

/** True when `dist` was built from the sources that are here now. */
export function isBuilt() {
  return (
    existsSync(STAMP) &&
    readFileSync(STAMP, 'utf8').trim() === sourceHash() &&
    OUTPUTS.every((path) => existsSync(join(root, path)))
  );
}

function sourceHash() {
  const hash = createHash('sha256');
  for (const path of INPUTS.flatMap((input) => filesOf(join(root, input))).sort()) {
    hash.update(relative(root, path).split(sep).join('/')).update('\0').update(readFileSync(path)).update('\0');
  }
  return hash.digest('hex');
}

function filesOf(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => name !== 'node_modules' && !/\.test\.tsx?$/.test(name))
    .flatMap((name) => filesOf(join(path, name)));
}

function build() {
  const sources = sourceHash();
  for (const script of [fileURLToPath(import.meta.resolve('tsdown/run')), join(root, 'dashboard', 'build.mjs')]) {
    const { status } = spawnSync(process.execPath, [script], { cwd: root, stdio: 'inherit' });
    if (status !== 0) process.exit(status ?? 1);
  }
  mkdirSync(dirname(STAMP), { recursive: true });
  writeFileSync(STAMP, `${sources}\n`);
}

if (isMain(import.meta.url)) build();
