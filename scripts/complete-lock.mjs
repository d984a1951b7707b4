/**
 * `npm run lock`: refreshes package-lock.json and makes it complete for every platform.
 *
 * A package with a binary for each platform lists them as optional dependencies. npm leaves out of the lock file those that the
 * registry at hand does not serve (a mirror may hold only its own platform's), and `npm ci` then refuses the lock file as out of step, on every
 * machine. So each one that is left out is entered with its version and platform, without a hash: a machine of another platform fetches
 * it from its own registry, all others pass over it. `test/tidy/lock.test.ts` looks that none is missing.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './repository.mjs';
import { npmCommand } from './setup.mjs';

const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const PROCESSORS = ['arm64', 'arm', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'x64'];
const LIBRARIES = { gnu: 'glibc', gnueabihf: 'glibc', musl: 'musl', musleabihf: 'musl' };

const [npm, ...args] = npmCommand([
  'install',
  '--package-lock-only',
  '--ignore-scripts',
  '--no-audit',
  '--no-fund',
  '--loglevel=error',
]);
execFileSync(npm, args, { cwd: root, stdio: 'inherit', shell: npm.endsWith('.cmd') });

const file = join(root, 'package-lock.json');
const lock = JSON.parse(readFileSync(file, 'utf8'));
let added = 0;
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const known = lock.packages[`${path}/node_modules/${name}`] ?? lock.packages[`node_modules/${name}`];
    if (known) continue;
    lock.packages[`node_modules/${name}`] = platformEntry(name, version, entry);
    added++;
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`package-lock.json is complete; entered ${added} packages of other platforms.`);

/** What npm would have written for the binary of one platform, as far as its name tells. */
function platformEntry(name, version, { dev, license }) {
  const words = name.slice(name.indexOf('/') + 1).split('-');
  const cpu = PROCESSORS.find((processor) => words.includes(processor));
  const os = SYSTEMS.find((system) => words.includes(system));
  const libc = Object.entries(LIBRARIES).find(([ending]) => words.includes(ending))?.[1];
  if (!cpu || !os || !/^\d+\.\d+\.\d+$/.test(version)) {
    throw new Error(`${name}@${version} is in no lock file and its name does not tell its platform; enter it by hand.`);
  }
  return {
    version,
    cpu: [cpu],
    ...(dev ? { dev } : {}),
    ...(libc ? { libc: [libc] } : {}),
    ...(license ? { license } : {}),
    optional: true,
    os: [os],
  };
}
