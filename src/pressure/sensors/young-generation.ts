/**
 * How much of what V8 calls the heap size limit old objects cannot use.
 *
 * `heap_size_limit` is the old generation plus three semi-spaces, and the process dies when the *old generation* is full: at 48 % of
 * the limit in a process started for 48 MB. V8 does not tell the size of a semi-space, so it is found, in this order: the limits
 * a worker was given; the flags of the process; V8's own rule (`Heap::YoungGenerationSizeFromOldGenerationSize`: a share of the old
 * generation, up to a cap, both raised with V8 13), solved for the limit seen. The rule was checked against
 * Node 20, 22 and 24 in containers from 128 MB to 16 GB. Where nothing fits, 48 MiB are assumed, the size on most 64-bit systems.
 */
import { isMainThread, resourceLimits } from 'node:worker_threads';
import { MIB } from '../../base/bytes.ts';

const SEMI_SPACES = 3;
const DEFAULT_YOUNG_MB = 48;
/** Old generations up to this size get the smallest share. */
const SMALL_OLD_MB = 256;
const SHARE_OF_SMALL_OLD = 256;

export interface HeapFlags {
  /** Arguments of the process and words of NODE_OPTIONS. */
  readonly words: readonly string[];
  /** `process.versions.v8`. */
  readonly v8Version: string;
  /** The young generation a worker was given. */
  readonly workerYoungMb?: number;
}

/** Bytes of `heapLimitBytes` set aside for young objects. */
export function youngGenerationBytes(heapLimitBytes: number, flags: HeapFlags = ownFlags()): number {
  if (flags.workerYoungMb !== undefined) return flags.workerYoungMb * MIB;
  const semiSpaceMb = flagMb(flags.words, 'max-semi-space-size');
  if (semiSpaceMb !== undefined) return SEMI_SPACES * 2 ** Math.ceil(Math.log2(semiSpaceMb)) * MIB;
  const oldMb = flagMb(flags.words, 'max-old-space-size');
  if (oldMb !== undefined && oldMb * MIB < heapLimitBytes) return heapLimitBytes - oldMb * MIB;
  return (byRule(heapLimitBytes / MIB, flags.v8Version) ?? DEFAULT_YOUNG_MB) * MIB;
}

function ownFlags(): HeapFlags {
  const words = [...(process.env['NODE_OPTIONS'] ?? '').split(/\s+/), ...process.execArgv];
  const workerYoungMb = isMainThread ? undefined : resourceLimits.maxYoungGenerationSizeMb;
  return { words, v8Version: process.versions.v8, ...(workerYoungMb === undefined ? {} : { workerYoungMb }) };
}

/** The last value given for a V8 flag, which may be written with dashes or underscores, after `=` or as the next word. */
function flagMb(words: readonly string[], name: string): number | undefined {
  let value: number | undefined;
  words.forEach((word, index) => {
    const [flag, joined] = word.split('=', 2) as [string, string | undefined];
    if (flag.replaceAll('_', '-') === `--${name}`) value = Number(joined ?? words[index + 1]);
  });
  return value !== undefined && value > 0 ? value : undefined;
}

/** The young generation that, with the old generation it belongs to, makes up the limit. */
function byRule(limitMb: number, v8Version: string): number | undefined {
  const { share, largestMb } =
    Number.parseInt(v8Version, 10) >= 13 ? { share: 32, largestMb: 64 } : { share: 128, largestMb: 16 };
  for (let semiSpaceMb = largestMb; semiSpaceMb >= 1; semiSpaceMb /= 2) {
    const oldMb = limitMb - SEMI_SPACES * semiSpaceMb;
    const wantedMb = oldMb / (oldMb <= SMALL_OLD_MB ? SHARE_OF_SMALL_OLD : share);
    if (2 ** Math.ceil(Math.log2(Math.min(Math.max(wantedMb, 1), largestMb))) === semiSpaceMb)
      return SEMI_SPACES * semiSpaceMb;
  }
  return undefined;
}
