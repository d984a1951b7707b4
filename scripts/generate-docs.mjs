/**
 * `npm run docs`: writes the documents that are generated from the source. With `--check` it writes nothing and fails when
 * one of them is not what the source says; `test/tidy/generated.test.ts` runs that. `--root <folder>` looks at another tree.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import * as architecture from './documents/architecture.mjs';
import * as errors from './documents/errors.mjs';
import * as map from './documents/map.mjs';
import { root as projectRoot } from './repository.mjs';

const { values: options } = parseArgs({ options: { check: { type: 'boolean' }, root: { type: 'string' } } });
const root = resolve(options.root ?? projectRoot);

const stale = [];
for (const { path, page } of [errors, map, architecture]) {
  const file = join(root, path);
  const text = page(root);
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue;
  if (options.check) {
    stale.push(path);
  } else {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    console.log(`wrote ${path}`);
  }
}
if (stale.length > 0) {
  console.error(`Not what the source says: ${stale.join(', ')}. Run npm run docs.`);
  process.exit(1);
}
