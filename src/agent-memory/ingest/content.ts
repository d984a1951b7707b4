/**
 * The bytes of a document, read twice at most: once to compare them with what is known, once to take them in.
 *
 * A small one is held in between, so a body that can be read only once is no trouble up to 4 MB.
 */
import { createHash } from 'node:crypto';
import { nextTurn } from '../../base/clock.ts';
import { InvalidArgumentError, messageOf } from '../../base/errors.ts';
import { type IngestDocument, IngestError } from './document.ts';

/** A document of up to this size is read once and held while it is compared. */
const HELD_BYTES = 4 * 2 ** 20;

/** Bytes taken in before others have a turn: some milliseconds' work for whatever reads them. */
const PIECE_BYTES = 64 * 1024;

/** The digest of a document, and its bytes as long as they are few. */
export async function examine(document: IngestDocument, signal: AbortSignal | undefined) {
  const hash = createHash('sha256');
  let held: Uint8Array[] | null = [];
  let sizeBytes = 0;
  for await (const chunk of read(document, signal)) {
    signal?.throwIfAborted();
    hash.update(chunk);
    sizeBytes += chunk.byteLength;
    if (sizeBytes <= HELD_BYTES) held?.push(chunk);
    else held = null;
  }
  return { digest: hash.digest('hex'), held, sizeBytes };
}

/**
 * The bytes of a document, in pieces of at most 64 KB, between which others have a turn.
 *
 * @throws IngestError `INGEST_UNREADABLE`; InvalidArgumentError when it gives something else than bytes.
 */
export async function* read(
  document: IngestDocument,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const chunk of opened(document, signal)) {
    if (!(chunk instanceof Uint8Array)) {
      throw new InvalidArgumentError('open', `must give bytes (Uint8Array); ${document.name} gave ${typeof chunk}.`);
    }
    yield* inPieces([chunk]);
  }
}

/** The same bytes, a turn for others before each 64 KB. */
export async function* inPieces(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  for (const chunk of chunks) {
    for (let from = 0; from < chunk.byteLength; from += PIECE_BYTES) {
      await nextTurn();
      yield chunk.subarray(from, from + PIECE_BYTES);
    }
  }
}

async function* opened(document: IngestDocument, signal: AbortSignal | undefined): AsyncGenerator<unknown, void, void> {
  try {
    yield* document.open(signal);
  } catch (cause) {
    throw new IngestError('INGEST_UNREADABLE', `${document.name} cannot be read: ${messageOf(cause)}`, { cause });
  }
}
