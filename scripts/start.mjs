/**
 * `npm start`: sets up, then runs `tenure serve` with whatever follows `npm start --`.
 *
 * The server runs in this process, not in a child, so signals, exit code and terminal are its own.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './repository.mjs';
import { setup } from './setup.mjs';

await setup();
const main = join(root, 'dist', 'cli', 'main.js');
process.argv = [process.argv[0], main, 'serve', ...process.argv.slice(2)];
await import(pathToFileURL(main).href);
