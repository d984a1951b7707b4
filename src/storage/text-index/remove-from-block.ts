/** Takes postings out of a block. */
import { type Block, BlockWriter, piecesOf } from './block.ts';
import { PostingList } from './postings.ts';

/** What is left of a block without these ordinals of these terms: no block or one; undefined when nothing of it was there. */
export function removeFromBlock(
  bytes: Uint8Array,
  ordinalsByTerm: ReadonlyMap<string, ReadonlySet<number>>,
): readonly Block[] | undefined {
  const writer = new BlockWriter();
  let changed = false;
  for (const piece of piecesOf(bytes)) {
    const ordinals = ordinalsByTerm.get(piece.term);
    if (ordinals) {
      const list = new PostingList(piece.count);
      list.pushEncoded(piece.bytes, piece.count);
      list.removeAll(ordinals);
      if (list.count < piece.count) {
        changed = true;
        writer.addPostings(piece.term, list);
        continue;
      }
    }
    writer.addPiece(piece);
  }
  return changed ? writer.finish() : undefined;
}
