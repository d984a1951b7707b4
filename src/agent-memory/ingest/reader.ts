/** What reads one kind of document: text in, passages out, and on the way what the document says about itself. */
import type { Json } from '../../storage/memory-store.ts';
import type { Passage } from './passage.ts';

/** A passage with what its document knows of it. */
export interface DocumentPassage extends Passage {
  readonly speaker?: string | undefined;
  /** The conversation it belongs to; the document itself where there is none. */
  readonly session?: string | undefined;
  readonly atMs?: number | undefined;
}

/** A line that was left out. `code` is `INGEST_MALFORMED`, or `INGEST_LINE_TOO_LONG`. */
export interface BadLine {
  readonly line: number;
  readonly code: string;
  readonly message: string;
}

/** What a document says about itself; filled in while it is read. */
export interface About {
  readonly name: string;
  title?: string;
  /** Labels for every passage. */
  tags?: readonly string[];
  frontMatter?: Readonly<Record<string, Json>>;
  onBadLine(problem: BadLine): void;
}

export type Reader = (text: AsyncIterable<string>, about: About) => AsyncGenerator<DocumentPassage, void, void>;

/** Longest line handed to a reader in one piece, in characters. */
export const LINE_LIMIT = 65_536;
/** A paragraph of more characters is passed on in parts. */
export const PARAGRAPH_LIMIT = 16_384;
/** Longest title kept, in characters. */
export const TITLE_LIMIT = 300;
