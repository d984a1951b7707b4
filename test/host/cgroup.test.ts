/** The container sensors and the responder in a real memory cgroup, with a limit set on the group above the process's own. */
import { mkdirSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { MIB } from '../../src/base/bytes.ts';
import type { PressureEvent } from '../../src/pressure/pressure-events.ts';
import type { ContainerState } from '../../src/pressure/reading.ts';
import { runTypeScript } from '../child-process.ts';
import { TemporaryCgroup } from './temporary-cgroup.ts';

const LIMIT_BYTES = 256 * MIB;
const TMPFS_MAGIC = 0x01021994;
const diskFolder = fileURLToPath(new URL('../../.cache/', import.meta.url));

/** Runs the child in a group of its own and returns the lines it printed. */
async function linesOf<Line>(
  task: 'sense' | 'respond',
  prepare: (group: TemporaryCgroup) => void = () => {},
): Promise<Line[]> {
  mkdirSync(diskFolder, { recursive: true });
  using group = new TemporaryCgroup({ limitBytes: LIMIT_BYTES });
  prepare(group);
  const args = [task, group.inner, diskFolder];
  await using child = await runTypeScript(new URL('cgroup-child.ts', import.meta.url), { args });
  const { stdout, stderr, code, signal } = await child.ended;
  expect({ stderr, code, signal }).toEqual({ stderr: '', code: 0, signal: null });
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

it('sees the limit of the group above, the memory taken and given back, and no page cache', async () => {
  expect(statfsSync(diskFolder).type, `${diskFolder} must be on a disk: files on tmpfs have no page cache`).not.toBe(
    TMPFS_MAGIC,
  );
  const lines = await linesOf<{ container: ContainerState }>('sense');
  expect(lines).toHaveLength(4);
  const [first, taken, cached, given] = lines.map(({ container }) => container) as [
    ContainerState,
    ContainerState,
    ContainerState,
    ContainerState,
  ];
  for (const { limitBytes, path } of [first, taken, cached, given]) {
    expect(limitBytes).toBe(LIMIT_BYTES);
    expect(path).toMatch(/tenure-test-\d+$/);
  }
  expect(taken.anonBytes - first.anonBytes).toBeGreaterThan(60 * MIB);
  expect(taken.usedBytes - first.usedBytes).toBeGreaterThan(60 * MIB);
  expect(cached.anonBytes - taken.anonBytes).toBeLessThan(8 * MIB);
  expect(cached.usedBytes - taken.usedBytes).toBeLessThan(24 * MIB);
  expect(cached.anonBytes - given.anonBytes).toBeGreaterThan(60 * MIB);
});

it('sees a limit on its own group and one that is far above what the machine has', async () => {
  const withOwn = await linesOf<{ container: ContainerState }>('sense', ({ inner, version }) => {
    writeFileSync(join(inner, version === 1 ? 'memory.limit_in_bytes' : 'memory.high'), String(200 * MIB));
  });
  expect(withOwn[0]!.container).toMatchObject({ limitBytes: 200 * MIB, path: expect.stringMatching(/inner$/) });
  const unlimited = await linesOf<{ container: ContainerState }>('sense', ({ outer, version }) => {
    const file = join(outer, version === 1 ? 'memory.limit_in_bytes' : 'memory.max');
    writeFileSync(file, version === 1 ? '-1' : 'max');
    expect(readFileSync(file, 'utf8').trim()).toMatch(/^(92233720368547\d+|max)$/);
  });
  expect(unlimited[0]!.container.limitBytes ?? Number.POSITIVE_INFINITY).toBeGreaterThan(LIMIT_BYTES);
});

it('answers memory that nobody accounts for before the kernel does: reclaims, and the resident memory falls with the books', async () => {
  const lines = await linesOf<PressureEvent | { type: 'end'; heldBytes: number; limit: object; reservedBytes: number }>(
    'respond',
  );
  const ofType = <T extends (typeof lines)[number]['type']>(type: T) =>
    lines.filter((line): line is Extract<(typeof lines)[number], { type: T }> => line.type === type);
  const [responded] = ofType('pressure.responded');
  const [end] = ofType('end');
  expect(ofType('pressure.level_changed').map(({ level }) => level)[0]).toMatch(/moderate|high|critical/);
  expect(responded!.accountedBytes).toBeGreaterThanOrEqual(responded!.targetBytes);
  expect(responded!.residentDropBytes).toBeGreaterThan(0.9 * responded!.accountedBytes);
  expect(end!.limit).toMatchObject({ bytes: LIMIT_BYTES, source: 'cgroup' });
  expect(end!.heldBytes).toBeLessThan(0.68 * LIMIT_BYTES);
  expect(end!.reservedBytes).toBeLessThan(120 * MIB);
});
