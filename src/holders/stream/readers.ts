/**
 * The readers: one function for each format, all with the same options and the same kind of stream.
 */
import { InvalidArgumentError } from '../../base/errors.ts';
import { type BinaryLayout, binaryKind } from './binary.ts';
import type { FormatKind } from './block.ts';
import type { StreamSource } from './byte-source.ts';
import { type CsvHeader, type CsvRow, csvKind } from './csv.ts';
import { type JsonEntry, jsonKind } from './json.ts';
import { parsePaths } from './json-path.ts';
import { type InvalidUtf8, linesKind, ndjsonKind } from './lines.ts';
import { RecordStream } from './record-stream.ts';
import { type StreamOptions, settingsOf } from './stream-options.ts';

/** What readers of text take besides `StreamOptions`. */
export interface TextOptions extends StreamOptions {
  /** `error`, the default, makes a record that is not UTF-8 a bad one; `replace` puts U+FFFD where it is not. */
  readonly invalidUtf8?: InvalidUtf8;
}

/** What `readJson` takes. */
export interface JsonOptions extends TextOptions {
  /**
   * Which values are records: `$.items.*` by name and position, `$` for the whole document, several for several. `$.*` by default:
   * the elements of an array, or the values of an object. Of paths that overlap, the outermost value is the record.
   */
  readonly paths?: string | readonly string[];
}

/** What `readCsv` takes. */
export interface CsvOptions extends TextOptions {
  /**
   * `true`, the default: the first record names the columns. Names, where the file has none. A function that makes names of the first
   * record. `false`: rows are arrays of fields, of any length.
   */
  readonly header?: CsvHeader;
  /** One ASCII character; `,` by default. */
  readonly delimiter?: string;
}

/** What `readBinary` takes: records all of `recordBytes`, or each after its length of 1, 2 or 4 bytes. */
export type BinaryOptions = StreamOptions & BinaryLayout;

/**
 * Text by lines, without their ends (LF or CRLF).
 *
 * @throws InvalidArgumentError for a source or option out of its range. While reading: StreamSourceError, StreamBadRecordError,
 * StreamRecordTooLargeError, BudgetExceededError, the signal's reason.
 */
export function readLines(source: StreamSource, options: TextOptions = {}): RecordStream<string> {
  return opened(linesKind(utf8Of(options)), source, options);
}

/**
 * One JSON value on each line; empty lines are left out.
 *
 * @throws As `readLines`.
 * @example
 * ```ts
 * for await (const event of readNdjson<{ type: string }>('events.ndjson', { budget, limitBytes: 64 * 2 ** 20 })) count(event.type);
 * ```
 */
export function readNdjson<T = unknown>(source: StreamSource, options: TextOptions = {}): RecordStream<T> {
  return opened(ndjsonKind<T>(utf8Of(options)), source, options);
}

/**
 * The values at `paths` of one JSON document, whatever its size; with `entries` each comes with the keys that lead to it. Resuming reads
 * from the start again and leaves out as many records as `from` says.
 *
 * @throws As `readLines`. What is not JSON ends the stream, whatever `onBadRecord` says.
 */
export function readJson<T = unknown>(
  source: StreamSource,
  options: JsonOptions & { readonly entries: true },
): RecordStream<JsonEntry<T>>;
export function readJson<T = unknown>(
  source: StreamSource,
  options?: JsonOptions & { readonly entries?: false },
): RecordStream<T>;
export function readJson(
  source: StreamSource,
  options: JsonOptions & { readonly entries?: boolean } = {},
): RecordStream<unknown> {
  const { paths = '$.*', entries = false } = options;
  return opened(jsonKind({ paths: parsePaths(paths), entries, invalidUtf8: utf8Of(options) }), source, options);
}

/**
 * CSV as RFC 4180 has it: quotes, with delimiters and lines inside them; LF or CRLF. Values are text.
 *
 * @throws As `readLines`. A record with more or fewer fields than there are columns is a bad one; two columns of one name end the stream.
 */
export function readCsv(source: StreamSource, options: CsvOptions & { readonly header: false }): RecordStream<string[]>;
export function readCsv(source: StreamSource, options?: CsvOptions): RecordStream<CsvRow>;
export function readCsv(source: StreamSource, options: CsvOptions = {}): RecordStream<CsvRow | string[]> {
  const { header = true, delimiter = ',' } = options;
  if (typeof delimiter !== 'string' || !/^[\t\x20-\x7e]$/.test(delimiter) || delimiter === '"') {
    throw new InvalidArgumentError(
      'delimiter',
      `must be one ASCII character, and no quote; got ${JSON.stringify(delimiter)}.`,
    );
  }
  if (typeof header !== 'boolean' && typeof header !== 'function' && !isNames(header)) {
    throw new InvalidArgumentError(
      'header',
      'must be true, false, a list of names without doubles, or a function that gives one.',
    );
  }
  return opened(csvKind({ header, delimiter, invalidUtf8: utf8Of(options) }), source, options);
}

/**
 * Binary records, each as bytes of its own.
 *
 * @throws As `readLines`. A last record that is not whole is a bad one.
 */
export function readBinary(source: StreamSource, options: BinaryOptions): RecordStream<Uint8Array> {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidArgumentError('options', 'must say recordBytes or lengthBytes.');
  }
  const kind = binaryKind(options);
  if ('recordBytes' in options) {
    const { maxRecordBytes } = settingsOf(source, options, kind as FormatKind<never, unknown>);
    const { recordBytes } = options;
    if (!Number.isSafeInteger(recordBytes) || recordBytes < 1 || recordBytes > maxRecordBytes) {
      throw new InvalidArgumentError(
        'recordBytes',
        `must lie between 1 and maxRecordBytes (${maxRecordBytes}); got ${String(recordBytes)}.`,
      );
    }
  } else if (![1, 2, 4].includes(options.lengthBytes)) {
    throw new InvalidArgumentError('lengthBytes', `must be 1, 2 or 4; got ${String(options.lengthBytes)}.`);
  }
  return opened(kind, source, options);
}

function opened<I, T>(kind: FormatKind<I, T>, source: StreamSource, options: StreamOptions): RecordStream<T> {
  const anyKind = kind as FormatKind<never, T>;
  return RecordStream.open(anyKind, settingsOf(source, options, anyKind));
}

function utf8Of({ invalidUtf8 = 'error' }: TextOptions): InvalidUtf8 {
  if (invalidUtf8 === 'error' || invalidUtf8 === 'replace') return invalidUtf8;
  throw new InvalidArgumentError('invalidUtf8', `must be "error" or "replace"; got ${String(invalidUtf8)}.`);
}

function isNames(header: unknown): boolean {
  return (
    Array.isArray(header) && header.every((name) => typeof name === 'string') && new Set(header).size === header.length
  );
}
