/** For tests: any document read to its end, from text or from bytes in any chunks. */
import { decode } from './decode.ts';
import type { About, BadLine, DocumentPassage, Reader } from './reader.ts';

export interface Reading {
  readonly passages: DocumentPassage[];
  readonly about: About;
  readonly badLines: BadLine[];
  readonly replacedCharacters: number;
}

export async function readAll(reader: Reader, content: string | readonly Uint8Array[]): Promise<Reading> {
  const badLines: BadLine[] = [];
  const about: About = { name: 'document', onBadLine: (problem) => badLines.push(problem) };
  const report = { replacedCharacters: 0 };
  const chunks = typeof content === 'string' ? [Buffer.from(content)] : content;
  const passages: DocumentPassage[] = [];
  for await (const passage of reader(decode(stream(chunks), { name: 'document', report }), about))
    passages.push(passage);
  return { passages, about, badLines, ...report };
}

/** `bytes` cut at the given places; places outside are moved inside. */
export function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), 0, bytes.length].sort((a, b) => a - b);
  return ends.slice(1).map((end, index) => bytes.subarray(ends[index]!, end));
}

export async function* stream<T>(items: Iterable<T>): AsyncGenerator<T, void, void> {
  yield* items;
}

export function wordsIn(text: string): string[] {
  return text.match(/[\p{L}\p{N}]+/gu) ?? [];
}
