/**
 * Numbers read from the bytes of kernel files, without making strings.
 *
 * A sensing cycle looks at some hundred lines of text four times a second; cutting them into strings would make more garbage
 * than all else the monitor does.
 */

const NEWLINE = 10;
const SPACE = 32;
const DOT = 46;
const ZERO = 48;
const COLON = 58;

/** The number whose digits (and fraction) begin at `from`, after blanks; NaN when there is none. */
export function numberAt(bytes: Uint8Array, from: number, length: number): number {
  let at = from;
  while (at < length && bytes[at] === SPACE) at++;
  const firstDigit = at;
  let value = 0;
  for (; at < length; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  if (at === firstDigit) return Number.NaN;
  if (at >= length || bytes[at] !== DOT) return value;
  for (let unit = 0.1; ++at < length; unit /= 10) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) break;
    value += digit * unit;
  }
  return value;
}

/** The start of the next word (`separator` a space) or line (a newline) after `from`; `length` when there is none. */
function after(separator: number, bytes: Uint8Array, from: number, length: number): number {
  let at = from;
  while (at < length && bytes[at] !== separator) at++;
  return Math.min(at + 1, length);
}

export function nextWord(bytes: Uint8Array, from: number, length: number): number {
  return after(SPACE, bytes, from, length);
}

export function nextLine(bytes: Uint8Array, from: number, length: number): number {
  return after(NEWLINE, bytes, from, length);
}

/** Picks some fields out of a file of lines such as `anon 4096` or `MemTotal:  24684092 kB`; units are not read. */
export class FieldReader {
  readonly #names: readonly Uint8Array[];
  /** Values of the last `read`, in the order of the names; NaN for a field the file did not have. */
  readonly values: Float64Array;

  constructor(names: readonly string[]) {
    this.#names = names.map((name) => Buffer.from(name));
    this.values = new Float64Array(names.length).fill(Number.NaN);
  }

  read(bytes: Uint8Array, length: number): Float64Array {
    this.values.fill(Number.NaN);
    let missing = this.#names.length;
    for (let line = 0; line < length && missing > 0; line = nextLine(bytes, line, length)) {
      for (let index = 0; index < this.#names.length; index++) {
        const name = this.#names[index]!;
        const end = line + name.length;
        const isEnd = bytes[end] === SPACE || bytes[end] === COLON;
        if (!isEnd || end >= length || !startsWith(bytes, line, name)) continue;
        this.values[index] = numberAt(bytes, end + 1, length);
        missing--;
        break;
      }
    }
    return this.values;
  }
}

function startsWith(bytes: Uint8Array, from: number, name: Uint8Array): boolean {
  for (let index = 0; index < name.length; index++) if (bytes[from + index] !== name[index]) return false;
  return true;
}
