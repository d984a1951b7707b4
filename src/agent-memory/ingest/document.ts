/**
 * What can be taken in: a named stream of bytes and what kind of text it is.
 *
 * The name identifies the document: taking in the same name again replaces what was known of it. The kind follows from the
 * name's ending unless it is given; what Tenure cannot read as text is refused rather than stored as noise.
 */
import { InvalidArgumentError, TenureError, textOf } from '../../base/errors.ts';

export const DOCUMENT_KINDS = ['markdown', 'text', 'html', 'conversation'] as const;

export type DocumentKind = (typeof DOCUMENT_KINDS)[number];

/** One document to take in: its name, and a way to read its bytes. */
export interface IngestDocument {
  /** Its identity in the scope, such as a path: 1 to 1,024 characters. Also its title until it tells a better one. */
  readonly name: string;
  /** Follows from the name when left out. */
  readonly kind?: DocumentKind | undefined;
  /** Labels for every passage, besides those the document gives itself; 32 together. */
  readonly tags?: readonly string[] | undefined;
  /**
   * The bytes from the beginning. Called a second time for documents above 4 MB, which are compared before they are read. A source
   * that may wait for long ends with an error when the signal aborts.
   */
  open(signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** For the progress display only. */
  readonly sizeBytes?: number | undefined;
  readonly modifiedAtMs?: number | undefined;
}

const KIND_OF_ENDING: Readonly<Record<string, DocumentKind>> = {
  md: 'markdown',
  markdown: 'markdown',
  mdx: 'markdown',
  txt: 'text',
  text: 'text',
  log: 'text',
  html: 'html',
  htm: 'html',
  xhtml: 'html',
  jsonl: 'conversation',
  ndjson: 'conversation',
};

const KIND_OF_MEDIA_TYPE: Readonly<Record<string, DocumentKind>> = {
  'text/markdown': 'markdown',
  'text/plain': 'text',
  'text/html': 'html',
  'application/xhtml+xml': 'html',
  'application/x-ndjson': 'conversation',
  'application/jsonl': 'conversation',
};

/** Files that are text by custom, though their names have no ending. */
const PLAIN_NAMES = new Set([
  'readme',
  'changelog',
  'license',
  'licence',
  'notice',
  'authors',
  'contributing',
  'history',
]);

/** The kind a file name stands for, or null when it is none that can be read. */
export function kindOfName(name: string): DocumentKind | null {
  const file = name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1).toLowerCase();
  const dot = file.lastIndexOf('.');
  if (dot <= 0) return PLAIN_NAMES.has(file) ? 'text' : null;
  return KIND_OF_ENDING[file.slice(dot + 1)] ?? null;
}

/** The kind a `Content-Type` stands for, or null. */
export function kindOfMediaType(contentType: string): DocumentKind | null {
  return KIND_OF_MEDIA_TYPE[contentType.split(';')[0]!.trim().toLowerCase()] ?? null;
}

/** A document that cannot be taken in. Codes `INGEST_` + `BINARY`, `CHANGED`, `LINE_TOO_LONG`, `MALFORMED`, `UNREADABLE`, `UNSUPPORTED`. */
export class IngestError extends TenureError {
  override readonly name = 'IngestError';
}

/** @throws InvalidArgumentError for what no document can be, whatever its content. */
export function requireDocument(document: IngestDocument): void {
  if (typeof document !== 'object' || document === null) {
    throw new InvalidArgumentError('documents', 'must be objects with a name and a way to open them.');
  }
  const { kind, open } = document;
  if (kind !== undefined && !DOCUMENT_KINDS.includes(kind)) {
    throw new InvalidArgumentError('kind', `must be one of ${DOCUMENT_KINDS.join(', ')}; got ${textOf(() => kind)}.`);
  }
  if (typeof open !== 'function') throw new InvalidArgumentError('open', 'must be a function that gives the bytes.');
}

/** Its kind, given or by its name. @throws IngestError `INGEST_UNSUPPORTED` */
export function requireKind(document: Pick<IngestDocument, 'name' | 'kind'>): DocumentKind {
  const kind = document.kind ?? kindOfName(document.name);
  if (kind) return kind;
  const hint = /\.json$/i.test(document.name)
    ? "One JSON value per line is read (.jsonl): jq -c '.[]' turns an array into it."
    : 'Say its kind if it is text.';
  throw new IngestError(
    'INGEST_UNSUPPORTED',
    `${document.name} is none of Markdown (.md), text (.txt), HTML (.html) or conversations (.jsonl). ${hint}`,
    { details: { name: document.name } },
  );
}

const NAME_LIMIT = 1024;

/** @throws IngestError `INGEST_UNREADABLE` when a document cannot be known by this name. */
export function requireName(name: unknown): void {
  if (typeof name === 'string' && /^\P{Cc}+$/u.test(name) && name.length <= NAME_LIMIT && name.isWellFormed()) return;
  throw new IngestError(
    'INGEST_UNREADABLE',
    `A document needs a name of 1 to ${NAME_LIMIT} characters without control characters.`,
  );
}
