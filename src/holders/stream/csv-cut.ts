/**
 * Where CSV records end, over any number of chunks.
 *
 * A quote opens only at the start of a field and closes at the first one that is not doubled; a line feed outside quotes ends the
 * record (RFC 4180, and what csv-parse does). So a stray quote spoils its own line and not those after it. Chunks without a quote,
 * outside of one, are searched for line feeds at memory speed.
 */

const LF = 10;
const QUOTE = 34;

/** What the next byte meets: the start of a field, the inside of a plain one, of a quoted one, or a quote that may close it. */
const STATE = { fieldStart: 0, plain: 1, quoted: 2, quoteSeen: 3 } as const;

export interface Cuts {
  /** After each record, from the chunk's first byte. */
  readonly ends: number[];
  /** Line feeds up to there, from the start of the record that was open when the chunk came. */
  readonly lineEnds: number[];
}

export class CsvCut {
  readonly #delimiter: number;
  #state: number = STATE.fieldStart;
  #linesOpen = 0;

  constructor(delimiter: number) {
    this.#delimiter = delimiter;
  }

  /** Line feeds within the record that has not ended. */
  get linesOpen(): number {
    return this.#linesOpen;
  }

  cut(chunk: Uint8Array): Cuts {
    const cuts: Cuts = { ends: [], lineEnds: [] };
    const isPlain = this.#state <= STATE.plain && chunk.indexOf(QUOTE) < 0;
    const lines = isPlain ? this.#cutPlain(chunk, cuts) : this.#cutQuoted(chunk, cuts);
    this.#linesOpen = lines - (cuts.lineEnds.at(-1) ?? 0);
    return cuts;
  }

  #cutPlain(chunk: Uint8Array, { ends, lineEnds }: Cuts): number {
    let lines = this.#linesOpen;
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1)) {
      ends.push(at + 1);
      lineEnds.push(++lines);
    }
    const last = chunk.at(-1);
    if (last !== undefined) this.#state = last === LF || last === this.#delimiter ? STATE.fieldStart : STATE.plain;
    return lines;
  }

  #cutQuoted(chunk: Uint8Array, { ends, lineEnds }: Cuts): number {
    const delimiter = this.#delimiter;
    let lines = this.#linesOpen;
    let state = this.#state;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (byte === LF) lines++;
      if (state === STATE.quoted) {
        if (byte === QUOTE) state = STATE.quoteSeen;
      } else if (byte === QUOTE && state !== STATE.plain) {
        state = STATE.quoted;
      } else if (byte === LF) {
        state = STATE.fieldStart;
        ends.push(at + 1);
        lineEnds.push(lines);
      } else {
        state = byte === delimiter ? STATE.fieldStart : STATE.plain;
      }
    }
    this.#state = state;
    return lines;
  }
}
