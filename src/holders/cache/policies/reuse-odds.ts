/**
 * Learns from what happens in a cache how soon entries come again, and what holding one is worth.
 *
 * **What is learnt.** For each class of past (`reuse-history.ts`) a life table, as actuaries keep: of the entries that reached an age
 * without being used, how many were used at that age? Uses are counted whether the entry was still held or only remembered, and an entry
 * that is still waiting, or was forgotten unused, counts among those at risk up to its age and says nothing of later ones (Kaplan and
 * Meier 1958). So the table is not blind beyond the age at which the cache evicts, as it is in LHD (Beckmann et al., NSDI 2018), whose
 * idea of ranking by learnt hit density this is.
 *
 * **What it is worth.** Room is spent by the moment. An entry kept for up to T more moments costs E[min(T, time to its use)] of them
 * and brings P(used within T) hits; its value is the best such ratio over all T: the index of Gittins (1979), the right price where each of
 * many must be continued or given up. Where the odds of use fall with age, that is the rate of use now, and the oldest go first (LRU). Where
 * they rise (a loop longer than the cache), an entry near its return is dear and a fresh one cheap, so the *newest* goes. Where the past
 * tells who is popular, it is the frequent that stay. Nobody chooses between these: the table does.
 *
 * In a plot of hits brought against room spent, as age grows, the index at an age is the steepest slope from there to any later point, that
 * is the first edge of the upper hull of what follows: one pass from the right with a stack finds all.
 *
 * **With little evidence** a class leans on its band of intervals, the band on all entries, and all on a guess that fits most real
 * traces: odds of use inversely proportional to age. Each weighs as much as `PRIOR_LIVES` entries of its own. Old evidence fades:
 * the table spans the last `WINDOW_TURNS` times as many events as entries are held.
 */
import { AGE_COUNT, ageFrom, BAND_COUNT, CLASS_COUNT, COUNT_CLASSES, cellOf } from './reuse-history.ts';

const CELLS = CLASS_COUNT * AGE_COUNT;
/** An event in the tables, which are whole numbers so that counting is one addition and yet can fade. */
const ONE = 16;
const PRIOR_LIVES = 5;
/** With fewer a class is as its band. */
const LEAST_LIVES = 0.25;
/** The guess: of the entries of an age, this share is used before the age has grown by a half or so (by a factor e). */
const PRIOR_SHARE = 0.7;
const WINDOW_TURNS = 16;
const LEAST_WINDOW = 16_000;
const WINDOW_PLAY = 1.25;
/** Values are drawn up again when events have grown by this share, so often at first. */
const REFRESH_SHARE = 1 / 8;
const HORIZON_STEPS = 12;
const LEAST_REFRESH = 512;
const MOST_REFRESH = 65536;
const TURNS_TO_REFRESH = 1 / 8;

const WIDTH = Float64Array.from({ length: AGE_COUNT }, (_, step) => ageFrom(step + 1) - ageFrom(step));
const PER_WIDTH = WIDTH.map((width) => 1 / width);
const GUESS = Float64Array.from(
  { length: AGE_COUNT },
  (_, step) => PRIOR_SHARE / ((ageFrom(step) + ageFrom(step + 1)) / 2 + 1),
);

/** Uses, and others that reached an age (forgotten or waiting): of a class, of a band, of all. */
interface Lives {
  readonly uses: Float64Array;
  readonly others: Float64Array;
}
const noLives = (): Lives => ({ uses: new Float64Array(AGE_COUNT), others: new Float64Array(AGE_COUNT) });

// Work space, shared by all: nothing here lives longer than from the first `countWaiting` to the end of `draw`.
const waiting = new Float32Array(CELLS);
const livesOfAll = noLives();
const livesOfBands = Array.from({ length: BAND_COUNT }, noLives);
const livesOfOne = noLives();
const livesOfClass = new Float64Array(CLASS_COUNT);
const ratesOfAll = new Float64Array(AGE_COUNT);
const ratesOfBand = new Float64Array(AGE_COUNT);
const indexOfBand = new Float32Array(AGE_COUNT);
const ratesOfOne = new Float64Array(AGE_COUNT);
const spent = new Float64Array(AGE_COUNT + 1);
const brought = new Float64Array(AGE_COUNT + 1);
const hull = new Int32Array(AGE_COUNT + 1);

export class ReuseOdds {
  /** Hits for each moment of room, by class and age step: `cellOf`. */
  readonly values = new Float32Array(CELLS);
  readonly #used = new Uint32Array(CELLS);
  readonly #forgotten = new Uint32Array(CELLS);
  /** Values from this step on are the guess. */
  #horizon = AGE_COUNT;
  /** How many calls of the cache the counts tell of. */
  #spanCalls = 0;

  constructor() {
    this.clear();
  }

  /** An entry with this past was used at this age, be it held or remembered. */
  countUse(history: number, age: number): void {
    this.#used[cellOf(history, age)]! += ONE;
  }

  /** One was forgotten at this age without having been used. */
  countLoss(history: number, age: number): void {
    this.#forgotten[cellOf(history, age)]! += ONE;
  }

  /**
   * One that still waits, standing for `weight` of its like. To be told of all of them, or of a fair sample, before `draw`.
   */
  countWaiting(history: number, { age, weight }: { age: number; weight: number }): void {
    waiting[cellOf(history, age)]! += weight * ONE;
  }

  /**
   * Draws up the values from all that was counted, `calls` calls of the cache after the last time.
   *
   * @returns after how many calls of the cache it is worth doing again.
   */
  draw({ heldCount, calls }: { heldCount: number; calls: number }): number {
    this.#spanCalls += calls;
    this.#fade(heldCount);
    const horizon = Math.min(AGE_COUNT, this.#sumUp() + HORIZON_STEPS);
    const { values } = this;
    ratesOf(livesOfAll, { guess: GUESS, rates: ratesOfAll, horizon });
    for (let band = 0; band < BAND_COUNT; band++) {
      ratesOf(livesOfBands[band]!, { guess: ratesOfAll, rates: ratesOfBand, horizon });
      gittinsIndex(ratesOfBand, { values: indexOfBand, from: 0, horizon });
      const first = band * COUNT_CLASSES;
      // Without an interval there is only the class of entries seen once.
      const end = band === 0 ? 1 : first + COUNT_CLASSES;
      for (let index = first; index < end; index++) {
        const from = index * AGE_COUNT;
        if (livesOfClass[index]! < LEAST_LIVES * ONE) {
          for (let step = 0; step < horizon; step++) values[from + step] = indexOfBand[step]!;
        } else {
          this.#livesOf(index, livesOfOne, horizon);
          ratesOf(livesOfOne, { guess: ratesOfBand, rates: ratesOfOne, horizon });
          gittinsIndex(ratesOfOne, { values, from, horizon });
        }
      }
    }
    // Nothing is known of later ages, as long as nobody reached them.
    for (let step = horizon; step < this.#horizon; step++) {
      for (let from = 0; from < CELLS; from += AGE_COUNT) values[from + step] = GUESS[step]!;
    }
    this.#horizon = horizon;
    waiting.fill(0);
    const most = Math.max(MOST_REFRESH, heldCount * TURNS_TO_REFRESH);
    return Math.max(LEAST_REFRESH, Math.min(most, Math.floor(this.#spanCalls * REFRESH_SHARE)));
  }

  /** Forgets all. */
  clear(): void {
    this.#used.fill(0);
    this.#forgotten.fill(0);
    this.#spanCalls = 0;
    this.#horizon = AGE_COUNT;
    this.draw({ heldCount: 0, calls: 0 });
  }

  /** Keeps the evidence within its window, with some play: to fade is to touch every cell. */
  #fade(heldCount: number): void {
    const window = Math.max(LEAST_WINDOW, WINDOW_TURNS * heldCount);
    if (this.#spanCalls <= window * WINDOW_PLAY) return;
    const share = window / this.#spanCalls;
    this.#spanCalls = window;
    for (let cell = 0; cell < CELLS; cell++) {
      this.#used[cell] = this.#used[cell]! * share;
      this.#forgotten[cell] = this.#forgotten[cell]! * share;
    }
  }

  /** Sums up the lives of the bands, of all, and of each class; the latest step that any entry reached. */
  #sumUp(): number {
    const used = this.#used;
    const forgotten = this.#forgotten;
    let latest = 0;
    livesOfAll.uses.fill(0);
    livesOfAll.others.fill(0);
    for (let band = 0; band < BAND_COUNT; band++) {
      const { uses, others } = livesOfBands[band]!;
      uses.fill(0);
      others.fill(0);
      for (let index = band * COUNT_CLASSES; index < (band + 1) * COUNT_CLASSES; index++) {
        let lives = 0;
        for (let step = 0, cell = index * AGE_COUNT; step < AGE_COUNT; step++, cell++) {
          const ended = used[cell]!;
          const rest = forgotten[cell]! + waiting[cell]!;
          if (ended + rest === 0) continue;
          uses[step]! += ended;
          others[step]! += rest;
          lives += ended + rest;
        }
        livesOfClass[index] = lives;
      }
      for (let step = 0; step < AGE_COUNT; step++) {
        livesOfAll.uses[step]! += uses[step]!;
        livesOfAll.others[step]! += others[step]!;
        if (uses[step]! + others[step]! > 0 && step > latest) latest = step;
      }
    }
    return latest;
  }

  #livesOf(index: number, { uses, others }: Lives, horizon: number): void {
    const used = this.#used;
    const forgotten = this.#forgotten;
    for (let step = 0, cell = index * AGE_COUNT; step < horizon; step++, cell++) {
      uses[step] = used[cell]!;
      others[step] = forgotten[cell]! + waiting[cell]!;
    }
  }
}

/** Uses for each entry and moment at risk, by age. */
function ratesOf(
  { uses, others }: Lives,
  { guess, rates, horizon }: { guess: Float64Array; rates: Float64Array; horizon: number },
): void {
  let reached = PRIOR_LIVES * ONE;
  for (let step = horizon - 1; step >= 0; step--) {
    const ended = uses[step]! + others[step]!;
    reached += ended;
    rates[step] = (uses[step]! * PER_WIDTH[step]! + guess[step]! * (PRIOR_LIVES * ONE)) / (reached - ended / 2);
  }
}

/** The index of Gittins by age, from rates of use by age. */
function gittinsIndex(
  rates: Float64Array,
  { values, from, horizon }: { values: Float32Array; from: number; horizon: number },
): void {
  let alive = 1;
  let end = horizon;
  for (let step = 0; step < horizon; step++) {
    const width = WIDTH[step]!;
    const due = rates[step]! * width;
    const uses = due < 2 ? (alive * due) / (1 + due / 2) : alive;
    spent[step + 1] = spent[step]! + (alive - uses / 2) * width;
    brought[step + 1] = brought[step]! + uses;
    alive -= uses;
    if (alive < 1e-9) {
      end = step + 1;
      break;
    }
  }
  for (let step = end; step < horizon; step++) values[from + step] = rates[step]!;
  let top = 0;
  hull[0] = end;
  for (let step = end - 1; step >= 0; step--) {
    const x = spent[step]!;
    const y = brought[step]!;
    while (top > 0) {
      const near = hull[top]!;
      const far = hull[top - 1]!;
      if ((brought[near]! - y) * (spent[far]! - x) > (brought[far]! - y) * (spent[near]! - x)) break;
      top--;
    }
    const near = hull[top]!;
    values[from + step] = (brought[near]! - y) / (spent[near]! - x);
    hull[++top] = step;
  }
}
