/**
 * Documents to long-term memory: read, cut into passages, remembered in batches, in bounded memory.
 *
 * Idempotent. A document is known by its name and by the digest of its content; one that has not changed is skipped, one that has
 * is replaced. The new passages are remembered first and the old ones forgotten last, so a process that dies in between
 * leaves the old document whole. What it had written of the new one is not lost either: each batch but the last ends with an
 * advance copy of the next passage under the version `<version>+<position>`. As long as that is the newest memory of the
 * source, the document is incomplete, and the next ingest goes on at that position. The copies go with the old version.
 *
 * A document that cannot be read fails alone, with a code, and the next one is read. An error of the memory itself (a full disk)
 * ends the ingest: it would be the same for every document.
 *
 * Within a process, ingests of one document take turns. Two processes that take in the same new document at the same moment may both
 * remember it.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { InvalidArgumentError } from '../../base/errors.ts';
import type { Scope } from '../../storage/scope.ts';
import type { RememberItem } from '../memory-input.ts';
import { examine, inPieces, read } from './content.ts';
import { readConversation } from './conversation.ts';
import { type DecodeReport, decode } from './decode.ts';
import {
  type DocumentKind,
  type IngestDocument,
  IngestError,
  requireDocument,
  requireKind,
  requireName,
} from './document.ts';
import { readHtml } from './html.ts';
import { readMarkdown } from './markdown.ts';
import { itemOf } from './passage-item.ts';
import { readPlainText } from './plain-text.ts';
import { type IngestProgress, ProgressCounter } from './progress.ts';
import type { About, Reader } from './reader.ts';
import type { IngestFailure, IngestReport, IngestWarning } from './report.ts';
import { Turns } from './turns.ts';

/** What an ingest needs of long-term memory. */
export interface IngestMemory {
  /** Keeps all of them in one durable transaction, or none. */
  rememberAll(items: readonly RememberItem[], options?: { signal?: AbortSignal }): Promise<unknown>;
  /** The metadata field `version` of the newest memory of a source, or null. */
  sourceVersion(source: string, scope: Scope): Promise<string | null>;
  /** Forgets the memories of a source except those of one version. */
  forgetSource(source: string, scope: Scope, options?: { keepVersion?: string }): Promise<number>;
}

export interface IngestOptions {
  /** Where it is remembered. Without a session, each document is a session of its own. */
  readonly scope: Scope;
  readonly clock: Clock;
  readonly onProgress?: ((progress: IngestProgress) => void) | undefined;
  /** Ends the ingest with the signal's reason. What was remembered stays, and the next ingest goes on from there. */
  readonly signal?: AbortSignal | undefined;
  /** Passages of one transaction, 1 to 4,096; 64 by default. */
  readonly batchPassages?: number | undefined;
  /** A line that cannot be read fails its document; by default it is reported and left out. */
  readonly strict?: boolean | undefined;
}

const READERS: Readonly<Record<DocumentKind, Reader>> = {
  markdown: readMarkdown,
  text: readPlainText,
  html: readHtml,
  conversation: readConversation,
};

/** Part of every version: raise it when the same bytes would make other passages than before. */
const PASSAGE_FORMAT = 2;
const BATCH_PASSAGES = 64;
const BATCH_LIMIT = 4096;
const WARNING_LIMIT = 100;

/**
 * Takes in `documents`, one after the other.
 *
 * @example
 * ```ts
 * const report = await ingest(tenure.memory, walk(['docs']), { scope: { tenant: 'acme' }, clock: systemClock });
 * ```
 * @throws InvalidArgumentError for what is no document, the memory's errors, and the signal's reason.
 */
export async function ingest(
  memory: IngestMemory,
  documents: AsyncIterable<IngestDocument> | Iterable<IngestDocument>,
  options: IngestOptions,
): Promise<IngestReport> {
  const { batchPassages = BATCH_PASSAGES } = options;
  if (!Number.isInteger(batchPassages) || batchPassages < 1 || batchPassages > BATCH_LIMIT) {
    throw new InvalidArgumentError(
      'batchPassages',
      `must be a whole number from 1 to ${BATCH_LIMIT}; got ${batchPassages}.`,
    );
  }
  if (!isIterable(documents)) throw new InvalidArgumentError('documents', 'must be a list or a stream of documents.');
  const run = new IngestRun(memory, options, totalBytesOf(documents));
  for await (const document of documents) await run.take(document);
  return run.report();
}

class IngestRun {
  readonly #memory: IngestMemory;
  readonly #options: IngestOptions;
  readonly #turns: Turns;
  readonly #progress: ProgressCounter;
  readonly #failed: IngestFailure[] = [];
  readonly #warnings: IngestWarning[] = [];
  #unchanged = 0;
  #badLines = 0;
  #replacedCharacters = 0;

  constructor(memory: IngestMemory, options: IngestOptions, totalBytes: number | null) {
    this.#memory = memory;
    this.#options = options;
    this.#turns = turnsOf(memory);
    this.#progress = new ProgressCounter({ clock: options.clock, totalBytes, onProgress: options.onProgress });
  }

  async take(document: IngestDocument): Promise<void> {
    this.#options.signal?.throwIfAborted();
    requireDocument(document);
    try {
      await this.#turns.take(keyOf(this.#options.scope, document.name), () => this.#learn(document));
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      if (!(error instanceof IngestError)) throw error;
      this.#failed.push({ name: document.name, code: error.code, message: error.message });
    }
    this.#progress.documents++;
    this.#progress.tell();
  }

  report(): IngestReport {
    return {
      documents: this.#progress.documents,
      unchanged: this.#unchanged,
      passages: this.#progress.passages,
      failed: this.#failed,
      badLines: this.#badLines,
      replacedCharacters: this.#replacedCharacters,
      warnings: this.#warnings,
      bytes: this.#progress.bytes,
      tookMs: this.#progress.tookMs,
    };
  }

  async #learn(document: IngestDocument): Promise<void> {
    const { name } = document;
    requireName(name);
    const kind = requireKind(document);
    const { scope, signal } = this.#options;
    const { digest, held, sizeBytes } = await examine(document, signal);
    const version = `${PASSAGE_FORMAT}:${kind}:${digest}`;
    const known = await this.#memory.sourceVersion(name, scope);
    if (known === version) {
      this.#unchanged++;
      this.#progress.addBytes(sizeBytes);
    } else {
      try {
        await this.#remember(document, { kind, version, digest, held, from: incompleteAt(known, version) });
      } catch (error) {
        // A document that turns out to be unreadable leaves what was known of it, and nothing else.
        const keep = known === null ? {} : { keepVersion: known };
        if (error instanceof IngestError && !isIncomplete(known)) await this.#memory.forgetSource(name, scope, keep);
        throw error;
      }
    }
    // Also when nothing has changed: a process may have died right before this.
    await this.#memory.forgetSource(name, scope, { keepVersion: version });
  }

  async #remember(
    document: IngestDocument,
    found: { kind: DocumentKind; version: string; digest: string; held: readonly Uint8Array[] | null; from: number },
  ): Promise<void> {
    const { scope, signal, batchPassages = BATCH_PASSAGES } = this.#options;
    const { version } = found;
    const decoded: DecodeReport = { replacedCharacters: 0 };
    const badLinesBefore = this.#badLines;
    const about = this.#newAbout(document.name);
    const hash = createHash('sha256');
    const bytes = this.#counted(found.held ? inPieces(found.held) : read(document, signal), hash);
    let waiting: RememberItem[] = [];
    let position = 0;
    for await (const passage of READERS[found.kind](decode(bytes, { name: document.name, report: decoded }), about)) {
      const item = itemOf(passage, { document, about, scope, kind: found.kind, position, version });
      if (position++ < found.from) continue;
      waiting.push(item);
      if (waiting.length <= batchPassages) continue;
      const copy = { ...item, metadata: { ...item.metadata, version: `${version}+${position - 1}` } };
      await this.#keep([...waiting.slice(0, -1), copy]);
      this.#progress.passages += waiting.length - 1;
      waiting = [item];
    }
    if (hash.digest('hex') !== found.digest) {
      throw new IngestError('INGEST_CHANGED', `${document.name} changed while it was read. Take it in again.`);
    }
    if (position === 0 && this.#badLines > badLinesBefore) {
      throw new IngestError('INGEST_MALFORMED', `${document.name} has no line that can be read as a message.`);
    }
    await this.#keep(waiting);
    this.#progress.passages += waiting.length;
    if (decoded.replacedCharacters > 0) {
      this.#replacedCharacters += decoded.replacedCharacters;
      const message = `${decoded.replacedCharacters} characters are not UTF-8 and were replaced`;
      this.#warn({ name: document.name, code: 'INGEST_REPLACED', message });
    }
  }

  async #keep(items: readonly RememberItem[]): Promise<void> {
    const { signal } = this.#options;
    signal?.throwIfAborted();
    await this.#memory.rememberAll(items, signal ? { signal } : {});
  }

  #newAbout(name: string): About {
    return {
      name,
      onBadLine: (problem) => {
        if (this.#options.strict)
          throw new IngestError(problem.code, `${name}, line ${problem.line}: ${problem.message}`);
        this.#badLines++;
        this.#warn({ name, ...problem });
      },
    };
  }

  async *#counted(
    source: AsyncIterable<Uint8Array>,
    hash: ReturnType<typeof createHash>,
  ): AsyncGenerator<Uint8Array, void, void> {
    for await (const chunk of source) {
      this.#options.signal?.throwIfAborted();
      hash.update(chunk);
      this.#progress.addBytes(chunk.byteLength);
      yield chunk;
    }
  }

  #warn(warning: IngestWarning): void {
    if (this.#warnings.length < WARNING_LIMIT) this.#warnings.push(warning);
  }
}

const turnsByMemory = new WeakMap<IngestMemory, Turns>();

function turnsOf(memory: IngestMemory): Turns {
  const turns = turnsByMemory.get(memory) ?? new Turns();
  turnsByMemory.set(memory, turns);
  return turns;
}

function keyOf({ tenant, agent, user }: Scope, name: string): string {
  return JSON.stringify([tenant, agent, user, name]);
}

/** Where to go on when `known` says that this very version was being written, else 0. */
function incompleteAt(known: string | null, version: string): number {
  return known?.startsWith(`${version}+`) ? Number(known.slice(version.length + 1)) : 0;
}

function isIncomplete(known: string | null): boolean {
  return known?.includes('+') ?? false;
}

function isIterable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value);
}

function totalBytesOf(documents: AsyncIterable<IngestDocument> | Iterable<IngestDocument>): number | null {
  if (!Array.isArray(documents)) return null;
  return (
    documents.reduce<number>((sum, document: IngestDocument) => sum + (document?.sizeBytes ?? Number.NaN), 0) || null
  );
}
