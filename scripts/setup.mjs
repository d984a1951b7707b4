/**
 * Everything a fresh clone needs, and nothing when nothing has changed.
 *
 * `npm start` and `npm test` run this first. It needs Node and npm only:
 * 1. refuses a Node that is too old, before anything can fail in a stranger way;
 * 2. installs with `npm ci --ignore-scripts` when `node_modules` is not what the lock file says;
 * 3. builds when `dist` was not built from the sources that are here now.
 *
 * What is installed is read from the lock file npm itself leaves in `node_modules`, so an install made by hand counts, and a stale or
 * partial one (production only, say) does not.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isBuilt } from './build.mjs';
import { isMain, root } from './repository.mjs';

const INSTALL = ['ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];

const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));
const say = (line) => process.stderr.write(`${line}\n`);

/** Installs and builds what is missing or out of date; ends the process with a clear line when it cannot. */
export async function setup() {
  requireNode();
  if (!isInstalled()) await step('Installing packages', npmCommand(INSTALL));
  if (!isBuilt()) await step('Building', [process.execPath, join(root, 'scripts', 'build.mjs')]);
}

function requireNode() {
  const [wanted, ...least] = /(\d+)\.(\d+)/.exec(readJson(join(root, 'package.json')).engines.node);
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > Number(least[0]) || (major === Number(least[0]) && minor >= Number(least[1]))) return;
  say(`Tenure needs Node ${wanted} or newer; this is ${process.version}. Install a newer one from https://nodejs.org.`);
  process.exit(1);
}

/** True when every package of the lock file is installed at its version; those for other platforms may be absent. */
function isInstalled() {
  const installedLock = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installedLock)) return false;
  const installed = readJson(installedLock).packages;
  return Object.entries(readJson(join(root, 'package-lock.json')).packages).every(([path, wanted]) => {
    if (path === '') return true;
    const found = installed[path];
    return found ? found.version === wanted.version && found.integrity === wanted.integrity : wanted.optional === true;
  });
}

/** The npm that runs us, else the one on the path. */
export function npmCommand(args) {
  const running = process.env.npm_execpath;
  if (running && /npm-cli\.c?js$/.test(running)) return [process.execPath, running, ...args];
  return [process.platform === 'win32' ? 'npm.cmd' : 'npm', ...args];
}

/** Runs one command, says what it is and how long it took; on failure shows all it printed and ends the process. */
async function step(what, [command, ...args]) {
  say(`${what} …`);
  const startedMs = performance.now();
  const { status, output } = await new Promise((resolve, reject) => {
    const chunks = [];
    const child = spawn(command, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: command.endsWith('.cmd'),
    });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => resolve({ status: code, output: Buffer.concat(chunks).toString() }));
  });
  if (status !== 0) {
    say(output.trimEnd());
    say(`${what} failed (exit code ${status}); the lines above say why.`);
    process.exit(1);
  }
  say(`${what} took ${((performance.now() - startedMs) / 1000).toFixed(1)} s.`);
}

if (isMain(import.meta.url)) await setup();
