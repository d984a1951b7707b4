/**
 * `npm run check`: every check that is not a test. All of them run even when one fails, so one round shows everything.
 *
 * Packages are checked as they are published: from the packed tarball, not from the folder.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './repository.mjs';
import { npmCommand, setup } from './setup.mjs';

const bin = (name) => join(root, 'node_modules', '.bin', name);
const folder = join(root, '.cache', 'pack');

await setup();
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const packed = run(npmCommand(['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder]));
const tarball = join(folder, readdirSync(folder)[0] ?? 'nothing-was-packed.tgz');

const checks = {
  fence: [process.execPath, join(root, 'scripts', 'check-fence.mjs')],
  'dead code': [bin('knip'), '--no-progress'],
  'format and lint': [bin('biome'), 'ci', '--colors=off', '--error-on-warnings', '.'],
  types: [bin('tsc'), '--noEmit'],
  'types of the dashboard': [bin('tsc'), '--noEmit', '--project', 'dashboard'],
  'package layout': [bin('publint'), tarball, '--strict'],
  'package types': [bin('attw'), tarball, '--profile', 'esm-only'],
};

const failed = packed.status === 0 ? [] : ['packing'];
if (failed.length > 0) console.log(packed.output);
for (const [name, command] of Object.entries(checks)) {
  const startedMs = performance.now();
  const { status, output } = run(command);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`);
  if (status === 0) continue;
  failed.push(name);
  console.log(output.trimEnd().replaceAll(/^/gm, '     '));
}
console.log(failed.length === 0 ? 'All checks passed.' : `Failed: ${failed.join(', ')}.`);
process.exit(failed.length === 0 ? 0 : 1);

function run([command, ...args]) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
    maxBuffer: 2 ** 28,
  });
  return { status: status ?? 1, output: error ? String(error) : `${stdout}${stderr}` };
}
