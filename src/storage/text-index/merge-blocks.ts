/**
 * One step of merging segments: the lowest pieces of several, in order, as blocks of one.
 *
 * Each source gives its first blocks. Up to the lowest of the places at which a source's given blocks end, nothing is missing, so
 * everything up to there moves; at least one source is used up. Pieces of one term are joined, in order of the sources, which is
 * the order of their ordinals. A term may be cut by a step: its lower ordinals have moved then, its higher ones have not.
 */
import { type Block, BlockWriter, type Piece, piecesOf, placeOfPiece } from './block.ts';
import { PostingList } from './postings.ts';

export interface MergeSource {
  /** The first blocks, at least one. */
  readonly blocks: readonly Block[];
  /** True when there are no others. */
  readonly complete: boolean;
}

export interface MergeStep {
  /** What moved. */
  readonly moved: readonly Block[];
  /** For each source: how many of its blocks are used, and what of the last of them stays. */
  readonly used: readonly { readonly blocks: number; readonly rest: readonly Block[] }[];
}

interface PlacedPiece {
  readonly piece: Piece;
  readonly place: string;
}

export function mergeBlocks(sources: readonly MergeSource[]): MergeStep {
  const queues = sources.map(({ blocks }) => blocks.flatMap(({ bytes }) => placed(bytes)));
  let bound: string | undefined;
  for (const [index, { complete }] of sources.entries()) {
    const last = queues[index]!.at(-1)!.place;
    if (!complete && (bound === undefined || last < bound)) bound = last;
  }
  const within = (place: string) => bound === undefined || place <= bound;

  const out = new JoiningWriter();
  const heads = queues.map(() => 0);
  for (;;) {
    let lowest = -1;
    for (let index = 0; index < queues.length; index++) {
      const head = queues[index]![heads[index]!];
      if (!head || !within(head.place)) continue;
      if (lowest < 0 || head.place < queues[lowest]![heads[lowest]!]!.place) lowest = index;
    }
    if (lowest < 0) break;
    out.add(queues[lowest]![heads[lowest]!++]!.piece);
  }
  const used = sources.map(({ blocks }) => {
    const touched = blocks.filter(({ firstPlace }) => within(firstPlace)).length;
    const last = touched > 0 ? placed(blocks[touched - 1]!.bytes) : [];
    const rest = new BlockWriter();
    for (const { piece, place } of last) if (!within(place)) rest.addPiece(piece);
    return { blocks: touched, rest: rest.finish() };
  });
  return { moved: out.finish(), used };
}

function placed(bytes: Uint8Array): PlacedPiece[] {
  return Array.from(piecesOf(bytes), (piece) => ({ piece, place: placeOfPiece(piece) }));
}

/** Writes pieces in order, those of one term joined. */
class JoiningWriter {
  readonly #writer = new BlockWriter();
  readonly #list = new PostingList(64);
  #waiting: Piece[] = [];

  add(piece: Piece): void {
    if (this.#waiting[0]?.term !== piece.term) this.#write();
    this.#waiting.push(piece);
  }

  finish(): readonly Block[] {
    this.#write();
    return this.#writer.finish();
  }

  #write(): void {
    const [first] = this.#waiting;
    if (first && this.#waiting.length === 1) this.#writer.addPiece(first);
    else if (first) {
      this.#list.clear();
      for (const { bytes, count } of this.#waiting) this.#list.pushEncoded(bytes, count);
      this.#writer.addPostings(first.term, this.#list);
    }
    this.#waiting = [];
  }
}
