/**
 * CSV (RFC 4180) through csv-parse.
 *
 * csv-parse keeps what it has of a record, however much that is: one quote that is never closed and it keeps the whole file. So the
 * records are first cut apart here (`csv-cut.ts`), and only whole ones, each within the bound, are handed to it, a chunk's worth at a
 * time. Where a chunk does not parse, its records are parsed one by one, and the bad ones stand alone in their places.
 *
 * The first record names the columns, unless said otherwise. A record with more or fewer fields than there are columns is a bad one.
 * Rows are ordinary objects with one property for each column, `__proto__` among them.
 */
import { isUtf8 } from 'node:buffer';
import { parse } from 'csv-parse/sync';
import { messageOf } from '../../base/errors.ts';
import { BadItem, Block, type Format, type FormatKind, type FormatStart, NOTHING } from './block.ts';
import { Carry } from './carry.ts';
import { CsvCut } from './csv-cut.ts';
import { asBuffer, type InvalidUtf8 } from './lines.ts';

/** A record as fields by column, or as the fields alone. */
export type CsvRow = Record<string, string>;

/** What the first record is and how the columns are named. */
export type CsvHeader = boolean | readonly string[] | ((first: string[]) => readonly string[]);

export interface CsvLayout {
  readonly header: CsvHeader;
  /** One ASCII character. */
  readonly delimiter: string;
  readonly invalidUtf8: InvalidUtf8;
}

export function csvKind(layout: CsvLayout): FormatKind<string[], CsvRow | string[]> {
  return {
    ...{ name: 'csv', where: 'heap', expansion: 8, resumesAt: 'byte' },
    start: (start) => new CsvFormat(start, layout),
  };
}

const BOM = [0xef, 0xbb, 0xbf];

class CsvFormat implements Format<string[], CsvRow | string[]> {
  readonly #layout: CsvLayout;
  readonly #options;
  readonly #maxRecordBytes: number;
  readonly #leavesOut: boolean;
  readonly #carry: Carry;
  readonly #cut: CsvCut;
  #bytes: number;
  #lines: number;
  header: readonly string[] | undefined;

  constructor(start: FormatStart, layout: CsvLayout) {
    this.#layout = layout;
    this.#options = {
      ...({ columns: false, relax_column_count: true, skip_empty_lines: true } as const),
      ...{ delimiter: layout.delimiter, record_delimiter: ['\r\n', '\n'] },
    };
    this.#maxRecordBytes = start.maxRecordBytes;
    this.#leavesOut = start.leavesOut;
    this.#carry = new Carry(start.maxRecordBytes);
    this.#cut = new CsvCut(layout.delimiter.charCodeAt(0));
    this.#bytes = start.startBytes;
    this.#lines = start.startLines;
    if (start.header) this.header = start.header;
    else if (typeof layout.header === 'object') this.header = checkedHeader(layout.header);
  }

  get heldBytes(): number {
    return this.#carry.heldBytes;
  }

  push(chunk: Uint8Array): Block<string[]> {
    const block = this.#block();
    const carriedBytes = this.#carry.sizeBytes;
    const cuts = this.#cut.cut(chunk);
    const last = cuts.ends.at(-1) ?? 0;
    if (last > 0) {
      const tooLarge = carriedBytes > 0 && this.#carry.isTooLarge;
      if (tooLarge) this.#carry.clear();
      const whole =
        tooLarge || carriedBytes === 0 ? asBuffer(chunk).subarray(0, last) : this.#carry.take(chunk.subarray(0, last));
      this.#parse(block, whole, { ...cuts, carriedBytes, lostBytes: tooLarge ? carriedBytes : 0 });
    }
    this.#carry.add(chunk.subarray(last));
    if (this.#carry.isTooLarge && !this.#leavesOut) block.add(new BadItem(null), block.bytesAfter(block.items.length));
    return this.#done(block);
  }

  end(): Block<string[]> {
    const block = this.#block();
    const { sizeBytes } = this.#carry;
    if (sizeBytes > 0) {
      const lineEnds = [this.#cut.linesOpen + 1];
      if (this.#carry.isTooLarge) block.add(new BadItem(null), sizeBytes, lineEnds[0]);
      else
        this.#parse(block, this.#carry.take(new Uint8Array(0)), {
          ends: [0],
          lineEnds,
          carriedBytes: sizeBytes,
          lostBytes: 0,
        });
    }
    return this.#done(block);
  }

  decode(fields: string[]): CsvRow | string[] | typeof NOTHING {
    if (fields.length === 0) return NOTHING;
    if (this.#layout.header === false) return fields;
    if (this.header === undefined) {
      this.header = checkedHeader(this.#named(fields));
      return NOTHING;
    }
    const { header } = this;
    if (fields.length !== header.length)
      throw new Error(`it has ${fields.length} fields, there are ${header.length} columns`);
    const row: CsvRow = {};
    for (let column = 0; column < header.length; column++) {
      const name = header[column]!;
      if (name === '__proto__') Object.defineProperty(row, name, { value: fields[column], ...ORDINARY });
      else row[name] = fields[column]!;
    }
    return row;
  }

  #named(first: string[]): readonly string[] {
    if (typeof this.#layout.header !== 'function') return first;
    try {
      return this.#layout.header(first);
    } catch (cause) {
      throw new BadItem(`the header function threw: ${messageOf(cause)}`, { cause, isFatal: true });
    }
  }

  #block(): Block<string[]> {
    return new Block({ startBytes: this.#bytes, startLines: this.#lines, countsLines: true });
  }

  #done(block: Block<string[]>): Block<string[]> {
    this.#bytes = block.bytesAfter(block.items.length);
    this.#lines = block.linesAfter(block.items.length);
    return block;
  }

  /** `ends` count from the chunk's first byte, which `carriedBytes` stand before; of those, `lostBytes` are not in `bytes`. */
  #parse(
    block: Block<string[]>,
    bytes: Buffer,
    cuts: { ends: readonly number[]; lineEnds: readonly number[]; carriedBytes: number; lostBytes: number },
  ): void {
    const { ends, lineEnds, carriedBytes, lostBytes } = cuts;
    const startBytes =
      block.startBytes === 0 && lostBytes === 0 && BOM.every((byte, at) => bytes[at] === byte) ? BOM.length : 0;
    const frames: Frame[] = [];
    let areSound = this.#layout.invalidUtf8 === 'replace' || isUtf8(bytes);
    for (let index = 0, start = startBytes; index < ends.length; index++) {
      const end = carriedBytes + ends[index]! - lostBytes;
      const isTooLarge = end - start > this.#maxRecordBytes || (index === 0 && lostBytes > 0);
      if (isTooLarge) areSound = false;
      frames.push({ start, end, isTooLarge, isEmpty: isEmptyLine(bytes, start, end) });
      start = end;
    }
    const rows = areSound ? this.#rows(bytes.subarray(startBytes)) : null;
    const areAll = rows?.length === frames.reduce((count, { isEmpty }) => count + (isEmpty ? 0 : 1), 0);
    let next = 0;
    for (const [index, frame] of frames.entries()) {
      const item = frame.isEmpty && !frame.isTooLarge ? [] : areAll ? rows![next++]! : this.#rowOf(bytes, frame);
      block.add(item, frame.end + lostBytes, lineEnds[index]);
    }
  }

  #rows(bytes: Buffer): string[][] | null {
    try {
      return parse(bytes, this.#options);
    } catch {
      return null;
    }
  }

  /** One record by itself. */
  #rowOf(bytes: Buffer, { start, end, isTooLarge }: Frame): string[] | BadItem {
    if (isTooLarge) return new BadItem(null);
    const record = bytes.subarray(start, end);
    if (this.#layout.invalidUtf8 === 'error' && !isUtf8(record)) return new BadItem('is not valid UTF-8');
    try {
      const rows = parse(record, this.#options);
      if (rows.length > 1) return new BadItem(`its quotes make ${rows.length} records of it`);
      return rows[0] ?? [];
    } catch (error) {
      return new BadItem((error as Error).message, { cause: error });
    }
  }
}

interface Frame {
  readonly start: number;
  readonly end: number;
  readonly isTooLarge: boolean;
  readonly isEmpty: boolean;
}

const ORDINARY = { writable: true, enumerable: true, configurable: true };
const LF = 10;
const CR = 13;

function isEmptyLine(bytes: Buffer, start: number, end: number): boolean {
  const length = end - start;
  return (
    (length === 1 && (bytes[start] === LF || bytes[start] === CR)) ||
    (length === 2 && bytes[start] === CR && bytes[start + 1] === LF)
  );
}

function checkedHeader(names: readonly string[]): readonly string[] {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return names;
  throw new BadItem(
    `two columns are named ${JSON.stringify(twice)}; name them with header: [...] or header: (first) => [...]`,
    { isFatal: true },
  );
}
