/**
 * The packages that benches compare with: `bench/rivals/package.json` names exact versions, in a folder of their own with a lock of
 * their own, so that none of them is ever a dependency of the product. Installed when a bench first needs them.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, 'rivals');

/** Installs the rivals unless they are. */
export function installRivals(): void {
  if (existsSync(join(folder, 'node_modules'))) return;
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) throw new Error('The rivals could not be installed: npm ci --prefix bench/rivals must succeed.');
}
