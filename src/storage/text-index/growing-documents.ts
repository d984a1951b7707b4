/**
 * A partition's documents in typed arrays that grow: twelve bytes a document, so a partition of a million costs 12 MB and
 * one of ten thousand costs nothing worth counting. Also the byte form of a run of documents, as stored.
 */
import type { DocumentTable } from '../memory-store.ts';
import { ByteReader, ByteWriter } from './varint.ts';

export interface DocumentEntry {
  /** Length in terms; 0 marks a hole. */
  readonly length: number;
  /** Id of the session's name, 0 for none. */
  readonly sessionId: number;
  readonly speakerId: number;
}

const HOLE: DocumentEntry = { length: 0, sessionId: 0, speakerId: 0 };

/** A run of documents as bytes: length, session id, speaker id each. Missing entries become holes. */
export function encodeDocuments(entries: readonly (DocumentEntry | undefined)[]): Uint8Array {
  const out = new ByteWriter(entries.length * 4);
  for (const entry of entries) {
    const { length, sessionId, speakerId } = entry ?? HOLE;
    out.writeVarint(length);
    out.writeVarint(sessionId);
    out.writeVarint(speakerId);
  }
  return out.toBytes();
}

/** Calls `visit` for each document of a run, holes included, in order. */
export function visitDocuments(
  run: { bytes: Uint8Array; count: number },
  visit: (index: number, entry: DocumentEntry) => void,
): void {
  const reader = new ByteReader(run.bytes);
  for (let index = 0; index < run.count; index++) {
    const length = reader.readVarint();
    const sessionId = reader.readVarint();
    visit(index, { length, sessionId, speakerId: reader.readVarint() });
  }
}

/** Names by dense index, found by their id in the database. */
class NameIndex {
  readonly names: string[] = [];
  bytes = 0;
  readonly #indexById = new Map<number, number>();

  /** Dense index plus 1, or 0 for id 0. */
  place(id: number, nameOf: (id: number) => string): number {
    if (id === 0) return 0;
    const known = this.#indexById.get(id);
    if (known !== undefined) return known;
    const name = nameOf(id);
    this.names.push(name);
    this.bytes += 100 + 2 * name.length;
    this.#indexById.set(id, this.names.length);
    return this.names.length;
  }
}

export class GrowingDocuments implements DocumentTable {
  size = 0;
  liveDocuments = 0;
  loneDocuments = 0;
  totalLength = 0;
  lengths = new Uint32Array(0);
  sessions = new Uint32Array(0);
  speakers = new Uint32Array(0);
  readonly sessionLengths: number[] = [];
  readonly #sessionIndex = new NameIndex();
  readonly #speakerIndex = new NameIndex();

  get sessionNames(): readonly string[] {
    return this.#sessionIndex.names;
  }

  get speakerNames(): readonly string[] {
    return this.#speakerIndex.names;
  }

  /** Bytes held: the arrays, and for each name its characters and about 100. */
  get bytes(): number {
    return this.lengths.byteLength * 3 + this.#sessionIndex.bytes + this.#speakerIndex.bytes;
  }

  /** Fills the documents up to `ordinal` with holes, then adds this one. */
  add(ordinal: number, entry: DocumentEntry, nameOf: (id: number) => string): void {
    if (ordinal >= this.lengths.length) this.#grow(ordinal + 1);
    this.size = Math.max(this.size, ordinal + 1);
    if (entry.length === 0) return;
    const session = this.#sessionIndex.place(entry.sessionId, nameOf);
    if (session === 0) this.loneDocuments++;
    else this.sessionLengths[session - 1] = (this.sessionLengths[session - 1] ?? 0) + entry.length;
    this.lengths[ordinal] = entry.length;
    this.sessions[ordinal] = session;
    this.speakers[ordinal] = this.#speakerIndex.place(entry.speakerId, nameOf);
    this.liveDocuments++;
    this.totalLength += entry.length;
  }

  #grow(needed: number): void {
    const capacity = Math.max(64, needed, Math.ceil(this.lengths.length * 1.5));
    const widen = (old: Uint32Array<ArrayBuffer>) => {
      const wide = new Uint32Array(capacity);
      wide.set(old);
      return wide;
    };
    this.lengths = widen(this.lengths);
    this.sessions = widen(this.sessions);
    this.speakers = widen(this.speakers);
  }
}
