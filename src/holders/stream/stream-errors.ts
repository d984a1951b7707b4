/** How a stream says no. Each error names the place, so that the record can be found in the source. */
import { formatBytes } from '../../base/bytes.ts';
import { messageOf, TenureError } from '../../base/errors.ts';

/** What a stream reads. */
export type StreamFormat = 'lines' | 'ndjson' | 'json' | 'csv' | 'binary';

/** Where a record stands in its source. */
export interface RecordPlace {
  readonly format: StreamFormat;
  /** 1 for the first record. */
  readonly recordNumber: number;
  /** 1 for the first line; null where there are no lines. */
  readonly line: number | null;
  /** Of the record's first byte, after decompression. */
  readonly byteOffset: number;
}

function described({ format, recordNumber, line, byteOffset }: RecordPlace): string {
  return `${format} record ${recordNumber}${line === null ? '' : ` (line ${line})`} at byte ${byteOffset}`;
}

/** A record that is not what its format says it should be. Code `STREAM_BAD_RECORD`. */
export class StreamBadRecordError extends TenureError implements RecordPlace {
  override readonly name = 'StreamBadRecordError';
  readonly format: StreamFormat;
  readonly recordNumber: number;
  readonly line: number | null;
  readonly byteOffset: number;

  constructor(place: RecordPlace, problem: string, cause?: unknown) {
    super(
      'STREAM_BAD_RECORD',
      `${described(place)}: ${problem}. Mend the source, or pass onBadRecord to leave such records out.`,
      { details: { ...place }, cause },
    );
    this.format = place.format;
    this.recordNumber = place.recordNumber;
    this.line = place.line;
    this.byteOffset = place.byteOffset;
  }
}

/** A record larger than a stream with this bound takes. Code `STREAM_RECORD_TOO_LARGE`. */
export class StreamRecordTooLargeError extends TenureError implements RecordPlace {
  override readonly name = 'StreamRecordTooLargeError';
  readonly format: StreamFormat;
  readonly recordNumber: number;
  readonly line: number | null;
  readonly byteOffset: number;
  /** The most one record may have. */
  readonly maxRecordBytes: number;

  constructor(place: RecordPlace, maxRecordBytes: number) {
    super(
      'STREAM_RECORD_TOO_LARGE',
      `${described(place)} has, or would take in memory, more than the ${formatBytes(maxRecordBytes)} allowed. Raise maxRecordBytes or limitBytes, or pass onBadRecord to leave it out.`,
      { details: { ...place, maxRecordBytes } },
    );
    this.format = place.format;
    this.recordNumber = place.recordNumber;
    this.line = place.line;
    this.byteOffset = place.byteOffset;
    this.maxRecordBytes = maxRecordBytes;
  }
}

/** The source could not be opened or read to its end. Code `STREAM_SOURCE`. */
export class StreamSourceError extends TenureError {
  override readonly name = 'StreamSourceError';
  /** Bytes that had come by then. */
  readonly byteOffset: number;
  /**
   * `open`: it cannot be opened; `read`: reading failed; `truncated`: it ended earlier than it should; `decompress`: it is not
   * compressed as was said; `chunk`: it gave something that is not bytes.
   */
  readonly reason: 'open' | 'read' | 'truncated' | 'decompress' | 'chunk';

  constructor(options: { reason: StreamSourceError['reason']; byteOffset: number; problem?: string; cause?: unknown }) {
    const { reason, byteOffset, cause, problem = messageOf(cause) } = options;
    super('STREAM_SOURCE', `The source failed after ${byteOffset} bytes (${reason}): ${problem}.`, {
      details: { reason, byteOffset },
      cause,
    });
    this.reason = reason;
    this.byteOffset = byteOffset;
  }
}

/** A stream was iterated, mapped or turned into another twice. Code `STREAM_USED`. */
export class StreamUsedError extends TenureError {
  override readonly name = 'StreamUsedError';
  constructor() {
    super(
      'STREAM_USED',
      'A stream is read once and has one successor; open another, or keep the result of map, filter or batch.',
    );
  }
}
