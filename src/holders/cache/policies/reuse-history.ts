/**
 * What is kept of an entry's past: one whole number, small enough for a record and for the ghost that outlives it.
 *
 * - Bits 0–7: the smoothed interval between its reads, as a logarithm in eighths of an octave; 0 when it was read once. The mean of all
 *   intervals at first, then the last eight weigh most: one odd read does not change what an entry is.
 * - Bits 8–12: how often it was used, up to sixteen.
 * - From bit 13: where the row of its class begins in tables by class and age, which follows from the others and is asked for most.
 *
 * Entries with a like past form a *class*: intervals of two octaves by counts of 1, 2–3, 4–7, 8–15 and more. The interval tells how soon
 * an entry may come again, the count how far to believe it. What a class is worth is not written here: it is learnt (`reuse-odds.ts`).
 *
 * Intervals and ages are counted in calls of the cache (reads and additions), and ages are told apart to a quarter of an octave.
 */

/** The past of an entry that was just seen for the first time, which is class 0. No past is 0. */
export const SEEN_ONCE = 1 << 8;

/** Ages are told apart in so many steps; all of 2^26 calls and more are nearly one. */
export const AGE_COUNT = 96;

const STEPS_PER_OCTAVE = 8;
const MOST_USES = 16;
const ROW_BIT = 13;
const PASTS = (MOST_USES + 1) << 8;
/** Intervals below this many octaves, and above `LAST_OCTAVE`, are not told apart. */
const FIRST_OCTAVE = 3;
const LAST_OCTAVE = 20;
const OCTAVES_PER_BAND = 2;

/** Bands of intervals, the first of which is "none yet". */
export const BAND_COUNT = 1 + Math.ceil((LAST_OCTAVE - FIRST_OCTAVE) / OCTAVES_PER_BAND);
/** Classes by count in each band. */
export const COUNT_CLASSES = 5;
export const CLASS_COUNT = BAND_COUNT * COUNT_CLASSES;

/** Where the values of the class of each past begin: `(band * COUNT_CLASSES + count class) * AGE_COUNT`. */
const ROW_OF = Uint16Array.from({ length: PASTS }, (_, past) => {
  const interval = past & 0xff;
  const octave = interval / STEPS_PER_OCTAVE;
  const band = 1 + Math.max(0, Math.floor((octave - FIRST_OCTAVE) / OCTAVES_PER_BAND));
  const countClass = Math.min(COUNT_CLASSES - 1, Math.floor(Math.log2(Math.max(1, past >> 8))));
  return ((interval === 0 ? 0 : Math.min(BAND_COUNT - 1, band)) * COUNT_CLASSES + countClass) * AGE_COUNT;
});

/** Weight of the newest interval, in 256ths, by the uses before it. */
const GAIN = Int32Array.from({ length: MOST_USES + 1 }, (_, uses) => Math.round(256 * Math.max(1 / 8, 1 / uses)));

/** The past of an entry that is used again, `age` calls after the last time. */
export function seenAgain(history: number, age: number): number {
  const uses = (history >> 8) & 31;
  const interval = history & 0xff;
  const octave = 31 - Math.clz32(age | 1);
  const newest = (octave << 3) | (octave < 3 ? 0 : (age >>> (octave - 3)) & 7);
  const smoothed = interval === 0 ? newest : interval + (((newest - interval) * GAIN[uses]! + 128) >> 8);
  const past = ((uses < MOST_USES ? uses + 1 : uses) << 8) | Math.max(smoothed, 1);
  return (ROW_OF[past]! << ROW_BIT) | past;
}

/** The step of an age, which may have passed 2^31 and become negative; the last four before 2^32 are young again. Four are added, so that the first steps need no branch. */
function ageStep(age: number): number {
  const shifted = age + 4;
  const octave = 29 - Math.clz32(shifted | 4);
  const step = (octave << 2) + ((shifted >>> octave) & 3);
  return step < AGE_COUNT ? step : AGE_COUNT - 1;
}

/** The least age of a step. */
export function ageFrom(step: number): number {
  return (4 + (step & 3)) * 2 ** (step >> 2) - 4;
}

/** Where a table by class and age keeps an entry with this past that has not been used for `age` calls. */
export function cellOf(history: number, age: number): number {
  return (history >> ROW_BIT) + ageStep(age);
}
