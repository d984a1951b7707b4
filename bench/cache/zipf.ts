/** Requests whose popularity falls with rank as a power: most caches see something like it. */
import { type Random, randomInteger } from '../../src/base/random.ts';

/** `count` keys from 0 to `keys` - 1, the popular ones scattered among the others. */
export function zipfian(options: { keys: number; skew: number; count: number; random: Random }): Int32Array {
  const { keys, skew, count, random } = options;
  const cumulated = new Float64Array(keys);
  let sum = 0;
  for (let rank = 0; rank < keys; rank++) {
    sum += (rank + 1) ** -skew;
    cumulated[rank] = sum;
  }
  const keyOfRank = Int32Array.from({ length: keys }, (_, rank) => rank);
  for (let rank = keys - 1; rank > 0; rank--) {
    const other = randomInteger(random, { low: 0, high: rank + 1 });
    const kept = keyOfRank[rank]!;
    keyOfRank[rank] = keyOfRank[other]!;
    keyOfRank[other] = kept;
  }
  return Int32Array.from({ length: count }, () => {
    const wanted = random() * sum;
    let low = 0;
    let high = keys - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cumulated[middle]! < wanted) low = middle + 1;
      else high = middle;
    }
    return keyOfRank[low]!;
  });
}
