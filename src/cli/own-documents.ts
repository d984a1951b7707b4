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
import type { LongTermMemory } from '../agent-memory/long-term.ts';
import { BACKGROUND_DOCUMENTS_TAG, OWN_DOCUMENTS_SCOPE, OWN_DOCUMENTS_TAG } from '../agents/help/own-documentation.ts';

/** The folder of `package.json`; `src/cli` and `dist/cli` lie equally deep in it. */
const PACKAGE_FOLDER = join(import.meta.dirname, '../..');

/** The documents of the package in `folder`; its own by default. */
export async function* ownDocuments(folder = PACKAGE_FOLDER): AsyncGenerator<IngestDocument, void, void> {
  const require = createRequire(join(folder, 'package.json'));
  const { name, dependencies = {} } = require('./package.json') as { name: string; dependencies?: object };
  const paths = [...(await readmesIn(folder)), join(folder, 'docs')];
  for await (const document of labelled(walk(paths), { name, folder, tags: [OWN_DOCUMENTS_TAG] })) {
    const isBackground = document.name.startsWith(`${name}/docs/decisions/`);
    yield isBackground ? { ...document, tags: [BACKGROUND_DOCUMENTS_TAG] } : document;
  }
  for (const dependency of Object.keys(dependencies).sort()) {
    // Not `require.resolve`: a package need not export its package.json.
    for (const place of require.resolve.paths(dependency) ?? []) {
      const found = await readmesIn(join(place, dependency));
      const tags = [BACKGROUND_DOCUMENTS_TAG, dependency];
      yield* labelled(walk(found), { name: dependency, folder: join(place, dependency), tags });
      if (found.length > 0) break;
    }
  }
}

/** Whether every one of them is known. Only reads, so that asking waits for nobody's lock. */
export async function knowsOwnDocuments(memory: Pick<LongTermMemory, 'sourceVersion'>): Promise<boolean> {
  for await (const { name } of ownDocuments()) {
    if ((await memory.sourceVersion(name, OWN_DOCUMENTS_SCOPE)) === null) return false;
  }
  return true;
}

async function* labelled(
  documents: AsyncIterable<IngestDocument>,
  as: { name: string; folder: string; tags: readonly string[] },
): AsyncGenerator<IngestDocument, void, void> {
  for await (const document of documents) {
    const name = [as.name, ...relative(as.folder, document.name).split(/[\\/]/)].join('/');
    yield { ...document, name, tags: as.tags };
  }
}

/** The README of a folder, if it has one; the Markdown one where it has several. */
async function readmesIn(folder: string): Promise<string[]> {
  const files = await readdir(folder).catch(() => []);
  const readmes = files.filter((file) => /^readme(\.\w+)?$/i.test(file) && kindOfName(file));
  const best = readmes.find((file) => kindOfName(file) === 'markdown') ?? readmes[0];
  return best === undefined ? [] : [join(folder, best)];
}
