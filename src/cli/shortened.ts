/** A text cut to what fits a list: its first lines, an ellipsis where something is left out. */

/** Lines with something on them, and characters of them together. */
const MOST = { lines: 3, characters: 300 } as const;

/** `text` as it is when it is short, else its beginning, cut at a word. */
export function shortened(text: string): string {
  const lines = text
    .trim()
    .split('\n')
    .filter((line) => line.trim() !== '');
  const kept = lines.slice(0, MOST.lines).join('\n');
  if (lines.length <= MOST.lines && kept.length <= MOST.characters) return text;
  if (kept.length <= MOST.characters) return `${kept}…`;
  const start = kept.slice(0, MOST.characters);
  // Without a space near the end, in the middle of a word, but never of a character.
  return `${/^.{200,}(?=\s)/s.exec(start)?.[0].trimEnd() ?? start.replace(/[\ud800-\udbff]$/, '')}…`;
}
