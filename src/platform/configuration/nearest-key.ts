/**
 * The key a person probably meant: the nearest by Damerau-Levenshtein distance (optimal string alignment: insert, delete,
 * replace, swap neighbours), when it is near enough to be worth suggesting.
 */

/** The candidate nearest to `written`, or undefined when more than about a third of it would have to change. */
export function nearestKey(written: string, candidates: Iterable<string>): string | undefined {
  const plainWritten = plain(written);
  let nearest: string | undefined;
  let nearestDistance = Math.max(2, Math.floor(plainWritten.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(plainWritten, plain(candidate));
    if (distance < nearestDistance) {
      nearest = candidate;
      nearestDistance = distance;
    }
  }
  return nearest;
}

/** So that `memoryLimitMb` and `memory-limit-mb` are as near to `memory_limit_mb` as they look. Bounded, since a file may say anything. */
function plain(key: string): string {
  return key
    .slice(0, 100)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '');
}

/** Fewest insertions, deletions, replacements and swaps of neighbours that make `from` into `to`. */
export function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let distance = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + (same ? 0 : 1));
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (swapped) distance = Math.min(distance, beforeLast[column - 2]! + 1);
      current.push(distance);
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length]!;
}
