/** What every reader takes, checked in one place. */
import { KIB, MIB, requireBytes } from '../../base/bytes.ts';
import { type Clock, checkedDelay, systemClock } from '../../base/clock.ts';
import { InvalidArgumentError } from '../../base/errors.ts';
import { Budget } from '../../budget/budget.ts';
import type { FormatKind } from './block.ts';
import type { Compression, StreamSource } from './byte-source.ts';
import { compressionOf, requireSource } from './open-source.ts';
import type { StreamBadRecordError, StreamRecordTooLargeError } from './stream-errors.ts';
import type { StreamProgress } from './stream-progress.ts';

/** A place in a source to resume from: plain data, to be stored as JSON. */
export interface StreamPosition {
  /** Offset after the last record delivered, after decompression. */
  readonly bytes: number;
  /** Records up to there: delivered, or left out. */
  readonly records: number;
  /** Lines up to there; 0 where there are no lines. */
  readonly lines: number;
  /** Names of the columns of a CSV file, which are not read again. */
  readonly header?: readonly string[];
}

/** What is to become of a record that is bad or too large. */
export type BadRecordDecision = 'stop' | 'skip';

/** What every reader takes. */
export interface StreamOptions {
  /** Where its bytes are counted; without one, only `limitBytes` binds it. */
  readonly budget?: Budget;
  /** Its name as a consumer; `stream 1`, `stream 2` … by default. */
  readonly name?: string;
  /** 1 to 10: 10 gives first; 5 by default. */
  readonly priority?: number;
  /** The most it holds at any time; 512 MB by default, 1 MB at least. */
  readonly limitBytes?: number;
  /** The most one record may have in the source; a sixteenth of the limit by default (an eighth for lines and binary records), which is also the most. */
  readonly maxRecordBytes?: number;
  /** How long it waits for room in the budget; 30,000 ms by default. */
  readonly waitMs?: number;
  /** Ends the stream: whoever waits for a record gets the signal's reason, and all is closed. */
  readonly signal?: AbortSignal;
  /** Told at most ten times a second and at the end; what it throws ends the stream. */
  readonly onProgress?: (progress: StreamProgress) => void;
  /** `stop` by default: the error is thrown. `skip` leaves such records out and counts them; a function decides for each. */
  readonly onBadRecord?:
    | BadRecordDecision
    | ((error: StreamBadRecordError | StreamRecordTooLargeError) => BadRecordDecision);
  /** `gzip` where a path ends with `.gz`, else `none`. */
  readonly decompress?: Compression | 'none';
  /** Where to go on: the `position` of an earlier run over the same source. */
  readonly from?: StreamPosition;
  readonly clock?: Clock;
}

/** The same, checked and complete. */
export interface StreamSettings {
  readonly source: StreamSource;
  readonly budget: Budget | null;
  readonly name: string | null;
  readonly priority: number;
  readonly limitBytes: number;
  readonly maxRecordBytes: number;
  readonly readBytes: number;
  readonly waitMs: number;
  readonly signal: AbortSignal | null;
  readonly onProgress: ((progress: StreamProgress) => void) | null;
  readonly onBadRecord: NonNullable<StreamOptions['onBadRecord']>;
  readonly compression: Compression | null;
  readonly from: StreamPosition;
  readonly clock: Clock;
}

const DEFAULT_LIMIT_BYTES = 512 * MIB;
const LEAST_LIMIT_BYTES = MIB;
/** What one record may take, with all that reading it costs, of the limit. */
const RECORD_SHARE = 1 / 2;
/** What a chunk may be of the limit, its own or the budget's. */
const CHUNK_SHARE = 1 / 128;
export const LEAST_READ_BYTES = 4 * KIB;
const MOST_READ_BYTES = 64 * KIB;
const COMPRESSIONS = ['gzip', 'deflate', 'brotli', 'none'];
const NO_POSITION: StreamPosition = { bytes: 0, records: 0, lines: 0 };

/** @throws InvalidArgumentError for anything out of its range. */
export function settingsOf(
  source: StreamSource,
  options: StreamOptions,
  kind: FormatKind<never, unknown>,
): StreamSettings {
  const { budget = null, name = null, priority = 5, limitBytes = DEFAULT_LIMIT_BYTES, waitMs = 30_000 } = options;
  const { signal = null, onProgress = null, onBadRecord = 'stop', decompress, from = NO_POSITION } = options;
  requireSource(source);
  if (budget !== null && !(budget instanceof Budget)) throw new InvalidArgumentError('budget', 'must be a Budget.');
  if (!Number.isInteger(priority) || priority < 0 || priority > 10) {
    throw new InvalidArgumentError('priority', `must be a whole number from 0 to 10; got ${priority}.`);
  }
  if (requireBytes(limitBytes, 'limitBytes') < LEAST_LIMIT_BYTES) {
    throw new InvalidArgumentError(
      'limitBytes',
      `must be ${LEAST_LIMIT_BYTES} bytes (1 MB) or more; got ${limitBytes}.`,
    );
  }
  const mostRecordBytes = Math.floor((limitBytes * RECORD_SHARE) / kind.expansion);
  const maxRecordBytes = requireBytes(options.maxRecordBytes ?? mostRecordBytes, 'maxRecordBytes');
  if (maxRecordBytes < 1 || maxRecordBytes > mostRecordBytes) {
    throw new InvalidArgumentError(
      'maxRecordBytes',
      `must lie between 1 and ${mostRecordBytes} with a limitBytes of ${limitBytes}, for reading a record takes several times its size; got ${maxRecordBytes}.`,
    );
  }
  checkedDelay(waitMs, 'waitMs');
  if (signal !== null && !(signal instanceof AbortSignal))
    throw new InvalidArgumentError('signal', 'must be an AbortSignal.');
  if (onProgress !== null && typeof onProgress !== 'function')
    throw new InvalidArgumentError('onProgress', 'must be a function.');
  if (typeof onBadRecord !== 'function' && onBadRecord !== 'stop' && onBadRecord !== 'skip') {
    throw new InvalidArgumentError('onBadRecord', 'must be "stop", "skip" or a function that returns one of them.');
  }
  if (decompress !== undefined && !COMPRESSIONS.includes(decompress)) {
    throw new InvalidArgumentError(
      'decompress',
      `must be one of ${COMPRESSIONS.join(', ')}; got ${String(decompress)}.`,
    );
  }
  requirePosition(from);
  const compression = decompress === undefined ? compressionOf(source) : decompress === 'none' ? null : decompress;
  const boundBytes = Math.min(limitBytes, budget?.limitBytes ?? limitBytes);
  const readBytes = Math.min(MOST_READ_BYTES, Math.max(LEAST_READ_BYTES, Math.floor(boundBytes * CHUNK_SHARE)));
  return {
    ...{
      source,
      budget,
      name,
      priority,
      limitBytes,
      maxRecordBytes,
      readBytes,
      waitMs,
      signal,
      onProgress,
      onBadRecord,
    },
    ...{ compression, from, clock: options.clock ?? systemClock },
  };
}

function requirePosition(from: StreamPosition): void {
  for (const field of ['bytes', 'records', 'lines'] as const) {
    const value = from?.[field];
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new InvalidArgumentError(
        'from',
        `must be the position of an earlier stream; its ${field} is ${String(value)}.`,
      );
    }
  }
}
