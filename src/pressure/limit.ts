/**
 * The limit that counts, and what counts against it.
 *
 * The tightest of container, configuration and physical memory. A kernel writes "unlimited" as `max`, as 2^63 less a page, or (some
 * Node versions, of cgroup v1) as 1.8e19; anything from 2^60 bytes on is no limit. What is compared is what cannot be reclaimed
 * from outside the process: anonymous memory, and under a container's limit also the rest of the container and its kernel bytes.
 */
import { GIB } from '../base/bytes.ts';
import type { ContainerState, Limit, Reading } from './reading.ts';

const UNLIMITED_BYTES = 2 ** 60;
/** Assumed where nothing can be found. */
const FALLBACK_LIMIT_BYTES = GIB;

/** True for a number of bytes that limits anything: above 0, below 2^60. */
export function isLimit(bytes: number): boolean {
  return bytes > 0 && bytes < UNLIMITED_BYTES;
}

/** Picks the tightest; what is unknown or unlimited is left out, and 1 GB assumed where nothing is left. */
export function tightestLimit(known: {
  container?: ContainerState | undefined;
  configuredBytes?: number | undefined;
  physicalBytes?: number | undefined;
}): Limit {
  const { container, configuredBytes = 0, physicalBytes = 0 } = known;
  let tightest: Limit = { bytes: Number.POSITIVE_INFINITY, source: 'physical' };
  const consider = (limit: Limit) => {
    if (isLimit(limit.bytes) && limit.bytes < tightest.bytes) tightest = limit;
  };
  consider({
    bytes: container?.limitBytes ?? 0,
    source: 'cgroup',
    ...(container?.path === undefined ? {} : { path: container.path }),
  });
  consider({ bytes: configuredBytes, source: 'configured' });
  consider({ bytes: physicalBytes, source: 'physical' });
  return isLimit(tightest.bytes) ? tightest : { bytes: FALLBACK_LIMIT_BYTES, source: 'configured' };
}

/** Bytes that count against `reading.limit`. Page cache never does. */
export function heldBytes(reading: Pick<Reading, 'limit' | 'container' | 'anonBytes'>): number {
  const { limit, container, anonBytes } = reading;
  return limit.source === 'cgroup' && container ? container.anonBytes + container.unreclaimableKernelBytes : anonBytes;
}
