/**
 * Chance, handed in: a small seeded generator (sfc32, Chris Doty-Humphrey's Small Fast Counter, 128-bit state).
 *
 * The same seed gives the same sequence on every machine, so a simulation or a jittered back-off can be replayed. Not for
 * secrets; those come from `node:crypto`.
 */

/** Returns numbers in [0, 1). */
export type Random = () => number;

/** A generator whose sequence depends on `seed` alone (any integer). */
export function seededRandom(seed: number): Random {
  let a = seed | 0;
  let b = (seed / 2 ** 32) | 0;
  let c = 0x9e3779b9 | 0;
  let counter = 1;
  const next: Random = () => {
    const sum = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let round = 0; round < 12; round++) next();
  return next;
}

/** A whole number in [low, high). */
export function randomInteger(random: Random, range: { low: number; high: number }): number {
  return range.low + Math.floor(random() * (range.high - range.low));
}
