/**
 * The machine and the container: limits, swap, stalls, allocator, files.
 *
 * Read from `/proc` once; on systems without it these checks say nothing. `root` is where `/` is, for tests.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatBytes, KIB } from '../../base/bytes.ts';
import type { Environment } from '../../platform/configuration/environment-layer.ts';
import type { Limit, Reading } from '../../pressure/reading.ts';
import type { Finding } from './finding.ts';

const FEW_OPEN_FILES = 4096;
const SLOW_STALL_PERCENT = 10;

export function checkContainer(container: Reading['container'], limit: Limit): Finding {
  const check = 'container.limit';
  if (!container) {
    const evidence = `no memory cgroup; ${formatBytes(limit.bytes)} by ${limit.source === 'physical' ? 'the machine' : 'configuration'}`;
    return { check, severity: 'ok', what: 'Not in a container with a memory limit', evidence };
  }
  const { version, limitBytes, path, usedBytes } = container;
  const group = `cgroup v${version}${path === undefined ? '' : ` ${path}`}`;
  if (limitBytes === undefined) {
    const what = 'The container has no memory limit; the machine limits it';
    return {
      check,
      severity: 'info',
      what,
      evidence: `${group}, ${formatBytes(usedBytes)} used, ${formatBytes(limit.bytes)} counts`,
    };
  }
  const evidence = `${group}, ${formatBytes(usedBytes)} of ${formatBytes(limitBytes)} used`;
  if (usedBytes < limitBytes * 0.9) return { check, severity: 'ok', what: 'The container limits memory', evidence };
  return {
    check,
    severity: 'warning',
    what: 'The container is nearly full',
    evidence,
    fix: 'Raise its limit, or find what else runs in it.',
  };
}

export function checkSwap(root: string): Finding[] {
  const text = readOr(join(root, 'proc/meminfo'));
  const totalBytes = kibField(text, 'SwapTotal');
  const usedBytes = totalBytes - kibField(text, 'SwapFree');
  if (Number.isNaN(usedBytes)) return [];
  const check = 'host.swap';
  const evidence = `${formatBytes(usedBytes)} of ${formatBytes(totalBytes)} used`;
  if (usedBytes < totalBytes * 0.25 || totalBytes === 0) {
    return [{ check, severity: 'ok', what: totalBytes === 0 ? 'No swap' : 'Swap is hardly used', evidence }];
  }
  const what = 'Memory has been swapped out; collections and searches wait for the disk';
  return [{ check, severity: 'warning', what, evidence, fix: 'Give the machine more memory, or run less on it.' }];
}

export function checkStall(stall: Reading['stall'], platform: NodeJS.Platform): Finding[] {
  const check = 'host.pressure_stall';
  if (!stall) {
    if (platform !== 'linux') return [];
    const what = 'The kernel does not tell how long work waits for memory (PSI); the other signals are used';
    const fix = 'Boot with psi=1 where the kernel has it (4.20 and later).';
    return [{ check, severity: 'info', what, evidence: 'no /proc/pressure/memory', fix }];
  }
  const evidence = `some ${stall.someAvg10} %, full ${stall.fullAvg10} % of the last 10 s`;
  if (stall.someAvg10 < SLOW_STALL_PERCENT)
    return [{ check, severity: 'ok', what: 'Work does not wait for memory', evidence }];
  const fix = 'Lower what is held, or raise the limit of the container.';
  return [{ check, severity: 'warning', what: 'Work waits for memory', evidence, fix }];
}

const ALLOCATORS = /\/lib(jemalloc|mimalloc|tcmalloc)[^/\s]*/;

export function checkAllocator(root: string, environment: Environment): Finding[] {
  const maps = readOr(join(root, 'proc/self/maps'));
  if (maps === '') return [];
  const check = 'allocator';
  const [path, name] = ALLOCATORS.exec(maps) ?? [];
  if (path) return [{ check, severity: 'ok', what: `The allocator is ${name}`, evidence: path.slice(1) }];
  if (/\/(ld-musl|libc\.musl)/.test(maps)) {
    const what = 'The allocator is that of musl, which is slow with several threads';
    const fix = 'Use an image with glibc, or preload jemalloc (LD_PRELOAD).';
    return [{ check, severity: 'info', what, evidence: 'ld-musl is loaded', fix }];
  }
  const arenas = environment['MALLOC_ARENA_MAX'];
  const findings: Finding[] = [
    {
      check,
      severity: 'info',
      what: 'The allocator is that of glibc, which keeps much of what small things free',
      evidence: 'no jemalloc, mimalloc or tcmalloc is loaded',
      fix: 'Where resident memory stays high after a reclaim: LD_PRELOAD=libjemalloc.so.2 MALLOC_CONF=background_thread:true.',
    },
  ];
  if (arenas === undefined) {
    const what = 'glibc may keep up to eight arenas of freed memory for each core';
    const fix = 'MALLOC_ARENA_MAX=2 bounds it at little cost; in a small container also MALLOC_MMAP_THRESHOLD_=131072.';
    findings.push({ check: 'allocator.arenas', severity: 'info', what, evidence: 'MALLOC_ARENA_MAX is not set', fix });
  } else {
    findings.push({
      check: 'allocator.arenas',
      severity: 'ok',
      what: 'Arenas are bounded',
      evidence: `MALLOC_ARENA_MAX=${arenas}`,
    });
  }
  return findings;
}

export function checkOpenFiles(root: string): Finding[] {
  const [, soft] = /^Max open files\s+(\d+|unlimited)/m.exec(readOr(join(root, 'proc/self/limits'))) ?? [];
  if (soft === undefined) return [];
  const few = Number(soft) < FEW_OPEN_FILES;
  return [
    {
      check: 'host.open_files',
      severity: few ? 'warning' : 'ok',
      what: few ? 'Few files and connections can be open at once' : 'Enough files and connections can be open',
      evidence: `limit ${soft}`,
      ...(few ? { fix: 'ulimit -n 65536, or LimitNOFILE= in the service.' } : {}),
    },
  ];
}

function kibField(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? Number.NaN) * KIB;
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
