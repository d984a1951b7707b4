/**
 * The dashboard's files.
 *
 * The folder is listed and requests are looked up in that list, so no path a client writes can lead anywhere else. Names that
 * carry a hash of their content may be kept for ever; the rest is asked for again each time and answered by its ETag.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

/** `page-3fKd8_aQ.js`: eight or more characters of a hash before the ending. */
const HASHED = /[.-][A-Za-z0-9_-]{8,}\.[a-z0-9]+$/;

export interface StaticFile {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The files under `directory` by URL path, `/` for `index.html`; undefined when there is no `index.html`. */
export function staticFilesOf(directory: string): ReadonlyMap<string, StaticFile> | undefined {
  const files = new Map<string, StaticFile>();
  for (const path of pathsUnder(directory)) {
    const url = `/${relative(directory, path).split(sep).join('/')}`;
    files.set(url === '/index.html' ? '/' : url, { path, headers: headersOf(path) });
  }
  return files.has('/') ? files : undefined;
}

function headersOf(path: string): Readonly<Record<string, string>> {
  const hash = createHash('sha256').update(readFileSync(path)).digest('base64url').slice(0, 27);
  return {
    'content-type': MEDIA_TYPES[extname(path)] ?? 'application/octet-stream',
    'cache-control': HASHED.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache',
    etag: `"${hash}"`,
  };
}

function pathsUnder(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
