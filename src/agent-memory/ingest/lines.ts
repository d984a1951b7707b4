/**
 * Text to lines, in bounded memory: a line that never ends is handed out in pieces.
 *
 * A piece ends after the last white space within the limit, so that no word is cut unless it fills the limit by itself.
 */

export interface Line {
  /** Without its line end. */
  readonly text: string;
  /** From 1. */
  readonly number: number;
  /** The line goes on in the next piece. */
  readonly continues: boolean;
}

/** The lines of `text`, none longer than `limitCharacters`. */
export async function* lines(
  text: AsyncIterable<string> | Iterable<string>,
  limitCharacters: number,
): AsyncGenerator<Line, void, void> {
  let pending = '';
  let number = 1;
  for await (const chunk of text) {
    for (const [index, part] of chunk.split('\n').entries()) {
      if (index > 0) {
        yield { text: pending, number: number++, continues: false };
        pending = '';
      }
      pending += part;
      while (pending.length > limitCharacters) {
        const cut = cutBefore(pending, limitCharacters);
        yield { text: pending.slice(0, cut), number, continues: true };
        pending = pending.slice(cut);
      }
    }
  }
  if (pending) yield { text: pending, number, continues: false };
}

/** Where to cut a text longer than `limit`: after the last white space within it, else at `limit`, never inside a character. */
export function cutBefore(text: string, limit: number): number {
  for (let index = limit; index > 0; index--) {
    if (/\s/.test(text[index - 1]!)) return index;
  }
  const code = text.charCodeAt(limit - 1);
  return limit > 1 && code >= 0xd800 && code <= 0xdbff ? limit - 1 : limit;
}
