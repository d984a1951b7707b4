/**
 * `npm start`: sets up, then runs `tenure serve` with whatever follows `npm start --`.
 *
 * The server runs in this process, not in a child, so exit code, terminal and Ctrl+C are its own. A SIGTERM sent to npm is another matter:
 * npm hands it to the shell between us, which dies of it and tells nobody. So when that shell is gone we take the signal ourselves.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './repository.mjs';
import { setup } from './setup.mjs';

const LOOK_EVERY_MS = 250;

await setup();
if (process.env.npm_lifecycle_event === 'start') stopWithShell();
const main = join(root, 'dist', 'cli', 'main.js');
process.argv = [process.argv[0], main, 'serve', ...process.argv.slice(2)];
await import(pathToFileURL(main).href);

function stopWithShell() {
  const shell = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, LOOK_EVERY_MS);
  timer.unref();
}
