/**
 * Text by lines: the cut that `readLines` and `readNdjson` share.
 *
 * A line ends with LF; a CR before it belongs to the end, and the last line needs neither. Bytes are decoded by the chunk, plain ASCII (found
 * at memory speed) as such. Lines to be kept are decoded one by one: cut from the chunk's text each of them would keep all of it
 * alive. Lines to be parsed are cut, for nothing remains of them.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { BadItem, Block, type Format, type FormatKind, type FormatStart, NOTHING } from './block.ts';
import { Carry } from './carry.ts';
import { weighJson } from './json-weight.ts';

export type InvalidUtf8 = 'error' | 'replace';

const LF = 10;
const CR = 13;
const SPACE = 32;
const BOM = '\ufeff';
const INVALID_UTF8 = 'is not valid UTF-8; with invalidUtf8: "replace" such bytes become U+FFFD';
/** A record that large, as a share of the bound, is weighed before it is parsed. */
const WEIGHED_SHARE = 1 / 64;

export function linesKind(invalidUtf8: InvalidUtf8): FormatKind<string, string> {
  return {
    ...{ name: 'lines', where: 'heap', expansion: 4, resumesAt: 'byte' },
    start: (start) => new LinesFormat({ ...start, invalidUtf8, cutText: false }),
  };
}

export function ndjsonKind<T>(invalidUtf8: InvalidUtf8): FormatKind<string, T> {
  return {
    ...{ name: 'ndjson', where: 'heap', expansion: 8, resumesAt: 'byte' },
    start: (start) => new NdjsonFormat<T>({ ...start, invalidUtf8, cutText: true }),
  };
}

type LineOptions = FormatStart & { invalidUtf8: InvalidUtf8; cutText: boolean };

abstract class LineFormat<T> implements Format<string, T> {
  readonly #replaces: boolean;
  readonly #cutsText: boolean;
  readonly #maxRecordBytes: number;
  readonly #leavesOut: boolean;
  readonly #carry: Carry;
  /** Bytes and lines up to the end of the last whole line. */
  #bytes: number;
  #lines: number;

  constructor({ startBytes, startLines, maxRecordBytes, leavesOut, invalidUtf8, cutText }: LineOptions) {
    this.#leavesOut = leavesOut;
    this.#replaces = invalidUtf8 === 'replace';
    this.#cutsText = cutText;
    this.#maxRecordBytes = maxRecordBytes;
    this.#carry = new Carry(maxRecordBytes);
    this.#bytes = startBytes;
    this.#lines = startLines;
  }

  get heldBytes(): number {
    return this.#carry.heldBytes;
  }

  push(chunk: Uint8Array): Block<string> {
    const bytes = asBuffer(chunk);
    const block = this.#block();
    const last = bytes.lastIndexOf(LF);
    if (last >= 0) {
      const first = this.#carry.sizeBytes > 0 ? bytes.indexOf(LF) + 1 : 0;
      if (first > 0) this.#finishCarried(block, bytes.subarray(0, first));
      if (first <= last) this.#addLines(block, bytes.subarray(first, last + 1));
    }
    this.#carry.add(bytes.subarray(last + 1));
    if (this.#carry.isTooLarge && !this.#leavesOut) block.add(new BadItem(null), block.bytesAfter(block.items.length));
    return this.#done(block);
  }

  end(): Block<string> {
    const block = this.#block();
    if (this.#carry.sizeBytes > 0) this.#finishCarried(block, new Uint8Array(0));
    return this.#done(block);
  }

  abstract decode(line: string): T | typeof NOTHING;

  #block(): Block<string> {
    return new Block({ startBytes: this.#bytes, startLines: this.#lines });
  }

  #done(block: Block<string>): Block<string> {
    this.#bytes = block.bytesAfter(block.items.length);
    this.#lines += block.items.length;
    return block;
  }

  /** The line that began in an earlier chunk. */
  #finishCarried(block: Block<string>, rest: Uint8Array): void {
    const sizeBytes = this.#carry.sizeBytes + rest.length;
    if (sizeBytes > this.#maxRecordBytes) {
      this.#carry.clear();
      block.add(new BadItem(null), sizeBytes);
    } else {
      this.#addLines(block, this.#carry.take(rest));
    }
  }

  /** Whole lines; only the last of the source may lack its LF. */
  #addLines(block: Block<string>, bytes: Buffer): void {
    const offset = block.items.length === 0 ? 0 : block.ends.at(-1)!;
    const ascii = isAscii(bytes);
    if (!ascii && !isUtf8(bytes)) this.#addOneByOne(block, bytes, { offset, checked: false });
    else if (this.#cutsText) this.#addCut(block, bytes, { offset, ascii });
    else this.#addOneByOne(block, bytes, { offset, checked: true, ascii });
    const first = block.items[0];
    if (block.startBytes === 0 && typeof first === 'string' && first.startsWith(BOM)) block.items[0] = first.slice(1);
  }

  #addCut(block: Block<string>, bytes: Buffer, { offset, ascii }: { offset: number; ascii: boolean }): void {
    const text = bytes.toString(ascii ? 'latin1' : 'utf8');
    const lines = text.split('\n');
    if (bytes[bytes.length - 1] === LF) lines.pop();
    const last = bytes.length;
    for (let index = 0, start = 0; index < lines.length; index++) {
      const line = lines[index]!;
      const end = ascii ? Math.min(start + line.length + 1, last) : lineEnd(bytes, start);
      block.add(end - start > this.#maxRecordBytes ? new BadItem(null) : line, offset + end);
      start = end;
    }
  }

  #addOneByOne(
    block: Block<string>,
    bytes: Buffer,
    { offset, checked, ascii = false }: { offset: number; checked: boolean; ascii?: boolean },
  ): void {
    for (let start = 0, end = 0; start < bytes.length; start = end) {
      end = lineEnd(bytes, start);
      if (!checked && !this.#replaces && !isUtf8(bytes.subarray(start, end))) {
        block.add(new BadItem(INVALID_UTF8), offset + end);
        continue;
      }
      let textEnd = bytes[end - 1] === LF ? end - 1 : end;
      if (textEnd > start && bytes[textEnd - 1] === CR) textEnd--;
      const line = bytes.toString(ascii ? 'latin1' : 'utf8', start, textEnd);
      block.add(end - start > this.#maxRecordBytes ? new BadItem(null) : line, offset + end);
    }
  }
}

class LinesFormat extends LineFormat<string> {
  decode(line: string): string {
    return line;
  }
}

class NdjsonFormat<T> extends LineFormat<T> {
  readonly #limitBytes: number;
  readonly #weighedLength: number;

  constructor(options: LineOptions) {
    super(options);
    this.#limitBytes = options.limitBytes;
    this.#weighedLength = options.limitBytes * WEIGHED_SHARE;
  }

  decode(line: string): T | typeof NOTHING {
    // NaN for no character at all.
    if (!(line.charCodeAt(0) > SPACE) && line.trim() === '') return NOTHING;
    if (line.length > this.#weighedLength && weighJson(line) > this.#limitBytes) throw new BadItem(null);
    return JSON.parse(line) as T;
  }
}

function lineEnd(bytes: Buffer, start: number): number {
  const found = bytes.indexOf(LF, start);
  return found < 0 ? bytes.length : found + 1;
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
