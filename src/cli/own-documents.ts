/**
 * What a fresh node can be asked about: the package's own README and docs, and the README files of its dependencies.
 *
 * Each has a name that is the same in a clone and when installed (`tenure/docs/…`, `hono/README.md`), so moving or updating the
 * package replaces documents instead of doubling them. A dependency without README is passed over.
 */
import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { type IngestDocument, kindOfName } from '../agent-memory/ingest/document.ts';
import { walk } from '../agent-memory/ingest/walk.ts';

/** The folder of `package.json`; `src/cli` and `dist/cli` lie equally deep in it. */
const PACKAGE_FOLDER = join(import.meta.dirname, '../..');

/** The documents of the package in `folder`; its own by default. */
export async function* ownDocuments(folder = PACKAGE_FOLDER): AsyncGenerator<IngestDocument, void, void> {
  const require = createRequire(join(folder, 'package.json'));
  const { name, dependencies = {} } = require('./package.json') as { name: string; dependencies?: object };
  yield* named(name, folder, [...(await readmesIn(folder)), join(folder, 'docs')]);
  for (const dependency of Object.keys(dependencies).sort()) {
    // Not `require.resolve`: a package need not export its package.json.
    for (const place of require.resolve.paths(dependency) ?? []) {
      const found = await readmesIn(join(place, dependency));
      yield* named(dependency, join(place, dependency), found);
      if (found.length > 0) break;
    }
  }
}

async function* named(
  name: string,
  folder: string,
  paths: readonly string[],
): AsyncGenerator<IngestDocument, void, void> {
  for await (const document of walk(paths)) {
    yield { ...document, name: [name, ...relative(folder, document.name).split(/[\\/]/)].join('/') };
  }
}

/** The README of a folder, if it has one; the Markdown one where it has several. */
async function readmesIn(folder: string): Promise<string[]> {
  const files = await readdir(folder).catch(() => []);
  const readmes = files.filter((file) => /^readme(\.\w+)?$/i.test(file) && kindOfName(file));
  const best = readmes.find((file) => kindOfName(file) === 'markdown') ?? readmes[0];
  return best === undefined ? [] : [join(folder, best)];
}
