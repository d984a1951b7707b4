/**
 * Node and its heap, against the memory there is.
 *
 * The heap limit V8 reports includes the semi-spaces, which old objects cannot use; and it bounds neither Buffers nor the native
 * heap. A heap that may grow to the container's limit is killed before it is full.
 */
import { formatBytes, MIB } from '../../base/bytes.ts';
import type { HeapState, Limit } from '../../pressure/reading.ts';
import type { Finding } from './finding.ts';

/** The oldest Node that Tenure runs on. */
const OLDEST_NODE = '20.19.0';
/** Of the limit: what the heap may have, leaving room for everything beside it. */
const HEAP_SHARE = 0.75;
const DANGEROUS_HEAP_SHARE = 0.9;
const SMALL_HEAP_SHARE = 0.35;
const LARGE_YOUNG_SHARE = 0.25;
/** V8 sizes semi-spaces for the container: 1 MB in one of 256 MB, where a server that reads bodies fills them a hundred times a second. */
const SMALL_SEMI_SPACE_SHARE = 1 / 64;
const WANTED_SEMI_SPACE_SHARE = 1 / 40;
const LARGEST_SEMI_SPACE_MB = 16;

export function checkNode(version: string): Finding {
  const old = version.localeCompare(OLDEST_NODE, 'en', { numeric: true }) < 0;
  return {
    check: 'node.version',
    severity: old ? 'error' : 'ok',
    what: old ? `Node ${version} is too old` : `Node ${version}`,
    evidence: `Tenure needs ${OLDEST_NODE} or newer`,
    ...(old ? { fix: 'Install Node 22 or 24.' } : {}),
  };
}

export function checkHeap(heap: Pick<HeapState, 'limitBytes' | 'usableLimitBytes'>, limit: Limit): Finding {
  const { usableLimitBytes } = heap;
  const place = limit.source === 'cgroup' ? 'container' : limit.source === 'physical' ? 'machine' : 'configured limit';
  const evidence = `${formatBytes(usableLimitBytes)} usable heap (V8 says ${formatBytes(heap.limitBytes)}), ${place} ${formatBytes(limit.bytes)}`;
  const wantedMb = Math.floor((limit.bytes * HEAP_SHARE) / MIB);
  const check = 'heap.limit';
  const fix = `Start Node with NODE_OPTIONS=--max-old-space-size=${wantedMb}.`;
  if (usableLimitBytes > limit.bytes * DANGEROUS_HEAP_SHARE) {
    const what = `The heap may grow to what the ${place} allows; the process would be killed before the heap is full`;
    return { check, severity: 'warning', what, evidence, fix };
  }
  if (limit.source === 'cgroup' && usableLimitBytes < limit.bytes * SMALL_HEAP_SHARE) {
    return { check, severity: 'info', what: 'The heap can use only a small part of the container', evidence, fix };
  }
  return { check, severity: 'ok', what: 'The heap limit fits', evidence };
}

export function checkSemiSpaces(heap: Pick<HeapState, 'limitBytes' | 'usableLimitBytes'>, limit: Limit): Finding {
  const youngBytes = heap.limitBytes - heap.usableLimitBytes;
  const check = 'heap.semi_space';
  const evidence = `3 semi-spaces of ${formatBytes(youngBytes / 3)} within ${formatBytes(heap.limitBytes)}`;
  const smallBytes = Math.min(limit.bytes * SMALL_SEMI_SPACE_SHARE, LARGEST_SEMI_SPACE_MB * MIB);
  if (limit.source === 'cgroup' && youngBytes / 3 < smallBytes) {
    const wantedMb = Math.min(Math.ceil((limit.bytes * WANTED_SEMI_SPACE_SHARE) / MIB), LARGEST_SEMI_SPACE_MB);
    return {
      check,
      severity: 'info',
      what: 'The semi-spaces are small for the container; young objects are collected often, and grow old too soon',
      evidence,
      fix: `Where collections take time: NODE_OPTIONS=--max-semi-space-size=${wantedMb}.`,
    };
  }
  if (youngBytes <= heap.limitBytes * LARGE_YOUNG_SHARE) {
    return { check, severity: 'ok', what: 'The semi-spaces fit', evidence };
  }
  return {
    check,
    severity: 'warning',
    what: 'The semi-spaces take much of a small heap; it is full earlier than its limit says',
    evidence,
    fix: 'Raise --max-old-space-size, or lower --max-semi-space-size.',
  };
}
