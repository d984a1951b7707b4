/**
 * Files and folders to documents.
 *
 * A folder gives the files whose kind is known, in order of name, without dot files, dot folders and `node_modules` (unless named
 * themselves). A link to a folder is followed once, so a loop ends. What is named itself is always given, so that the ingest
 * says why it cannot be read; so is a pipe or a device, which may never end and is not opened. A document's name is its absolute
 * path, with `/` on every system: the same file is the same document from wherever it is named.
 */
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type DocumentKind, type IngestDocument, kindOfName } from './document.ts';

export interface WalkOptions {
  /** The kind of the files named in `paths`, where their names do not tell. */
  readonly kind?: DocumentKind | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The documents at `paths`. What cannot be reached is given as a document that fails when it is opened. */
export async function* walk(
  paths: readonly string[],
  options: WalkOptions = {},
): AsyncGenerator<IngestDocument, void, void> {
  const seenFolders = new Set<string>();
  for (const path of paths) yield* visit(resolve(path), { ...options, seenFolders, named: true });
}

type Known = Omit<Partial<IngestDocument>, 'open'>;

function fileDocument(path: string, known: Known): IngestDocument {
  const open = (signal?: AbortSignal) => createReadStream(path, signal ? { signal } : {});
  return { name: nameOf(path), ...known, open };
}

/** A document that fails with `failure` when it is opened. */
function unreachable(path: string, failure: unknown): IngestDocument {
  const open = () => {
    throw failure;
  };
  return { name: nameOf(path), kind: 'text', open };
}

function nameOf(path: string): string {
  return path.replaceAll('\\', '/');
}

async function* visit(
  path: string,
  options: WalkOptions & { seenFolders: Set<string>; named: boolean },
): AsyncGenerator<IngestDocument, void, void> {
  options.signal?.throwIfAborted();
  const { named, kind, seenFolders } = options;
  let found: Awaited<ReturnType<typeof stat>>;
  try {
    found = await stat(path);
  } catch (failure) {
    if (named || kindOfName(path)) yield unreachable(path, failure);
    return;
  }
  if (!found.isDirectory() && !found.isFile()) {
    if (named) yield unreachable(path, new Error('it is neither a file nor a folder'));
    return;
  }
  if (!found.isDirectory()) {
    const known = { sizeBytes: found.size, modifiedAtMs: Math.round(found.mtimeMs) };
    if (named) yield fileDocument(path, { ...known, kind: kindOfName(path) ?? kind });
    else if (kindOfName(path)) yield fileDocument(path, known);
    return;
  }
  const identity = `${found.dev}:${found.ino}`;
  if (seenFolders.has(identity)) return;
  seenFolders.add(identity);
  let names: string[];
  try {
    names = (await readdir(path)).filter((name) => !name.startsWith('.') && name !== 'node_modules').sort();
  } catch (failure) {
    yield unreachable(path, failure);
    return;
  }
  for (const name of names) yield* visit(join(path, name), { ...options, named: false });
}
