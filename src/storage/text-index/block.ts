/**
 * Blocks: the bytes a segment of the text index is stored in, each about one database page.
 *
 * A block is a sequence of pieces in ascending order of (term, first ordinal). A piece holds up to `PIECE_POSTINGS` postings of one
 * term: the term's key, how many, how many bytes, and the postings as `PostingList.encode` writes them. Rare terms are one
 * small piece, and hundreds of them share a block; a common term runs on through several. A block is found by the place of its
 * first piece (`placeOf`): a string whose order is the order of pieces.
 */
import { PostingList } from './postings.ts';
import { ByteReader, ByteWriter } from './varint.ts';

/** So many bytes and its row still fits on a page of 4 KB. */
const BLOCK_BYTES = 3_900;

/** At most 1.8 KB when each takes seven bytes, about half a KB as a rule, so that blocks can be filled well. */
export const PIECE_POSTINGS = 256;

export interface Block {
  /** Place of the first piece. */
  readonly firstPlace: string;
  readonly bytes: Uint8Array;
}

/** Up to `PIECE_POSTINGS` postings of one term; `bytes` is a view into the block. */
export interface Piece {
  readonly term: string;
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** Where the piece of a term that begins with an ordinal stands. No term holds a NUL. */
export function placeOf(term: string, firstOrdinal: number): string {
  const byte = (shift: number) => String.fromCharCode((firstOrdinal >>> shift) & 0xff);
  return `${term}\0${byte(24)}${byte(16)}${byte(8)}${byte(0)}`;
}

/** The place of a piece. */
export function placeOfPiece(piece: Piece): string {
  return placeOf(piece.term, new ByteReader(piece.bytes).readVarint() >>> 1);
}

/** The pieces of a block, in order. */
export function* piecesOf(bytes: Uint8Array): Generator<Piece, void> {
  const reader = new ByteReader(bytes);
  while (!reader.exhausted) {
    const term = reader.readKey();
    const count = reader.readVarint();
    yield { term, count, bytes: reader.readBytes(reader.readVarint()) };
  }
}

/** Cuts pieces, given in order, into blocks. */
export class BlockWriter {
  readonly #blocks: Block[] = [];
  readonly #out = new ByteWriter(BLOCK_BYTES + 128);
  readonly #piece = new ByteWriter();
  #firstPlace = '';

  /** Adds all postings of a term, in pieces. */
  addPostings(term: string, list: PostingList): void {
    for (let start = 0; start < list.count; start += PIECE_POSTINGS) {
      const end = Math.min(start + PIECE_POSTINGS, list.count);
      this.#piece.clear();
      list.encode(this.#piece, start, end);
      this.addPiece({ term, count: end - start, bytes: this.#piece.written });
    }
  }

  addPiece(piece: Piece): void {
    const { term, count, bytes } = piece;
    if (this.#out.length > 0 && this.#out.length + term.length + bytes.length + 8 > BLOCK_BYTES) this.#flush();
    if (this.#out.length === 0) this.#firstPlace = placeOfPiece(piece);
    this.#out.writeKey(term);
    this.#out.writeVarint(count);
    this.#out.writeVarint(bytes.length);
    this.#out.writeBytes(bytes);
  }

  /** The blocks of everything added. */
  finish(): readonly Block[] {
    if (this.#out.length > 0) this.#flush();
    return this.#blocks;
  }

  #flush(): void {
    this.#blocks.push({ firstPlace: this.#firstPlace, bytes: this.#out.toBytes() });
    this.#out.clear();
  }
}

/** The postings of one term in blocks that hold all of them, given in order. */
export function postingsOf(term: string, blocks: Iterable<Uint8Array>): PostingList {
  const found: Piece[] = [];
  let count = 0;
  for (const bytes of blocks) {
    const reader = new ByteReader(bytes);
    while (!reader.exhausted) {
      const isTerm = reader.skipKeyIs(term);
      const postings = reader.readVarint();
      const length = reader.readVarint();
      if (!isTerm) {
        reader.skip(length);
        continue;
      }
      found.push({ term, count: postings, bytes: reader.readBytes(length) });
      count += postings;
    }
  }
  const list = new PostingList(count);
  for (const piece of found) list.pushEncoded(piece.bytes, piece.count);
  return list;
}
