/** Results that others published on the traces, as `docs/reference-data.md` gives them. */
import type { TraceName } from './traces.ts';

const MIB = 2 ** 20;

export interface Reference {
  readonly trace: TraceName;
  readonly capacity: number;
  /** Misses where the trace has sizes, hit percent elsewhere, by name of the policy. */
  readonly published: Readonly<Record<string, number>>;
}

/** What the misses of the trace with sizes are called; all others are hit percentages. */
export const CLOUD_PHYSICS_SIZES = [128 * MIB, 256 * MIB, 512 * MIB, 1024 * MIB];

const CLOUD_PHYSICS: Readonly<Record<string, readonly number[]>> = {
  lru: [93374, 89783, 81722, 71704],
  fifo: [93403, 89386, 84025, 72140],
  sieve: [91699, 86720, 76707, 64376],
  arc: [90252, 85861, 74297, 64772],
  's3-fifo': [89307, 82387, 76791, 70355],
  lirs: [89819, 79237, 70363, 53924],
  gdsf: [89068, 84750, 70488, 58721],
  clairvoyant: [79256, 70724, 61594, 48974],
};

const OLTP: Readonly<Record<string, readonly number[]>> = {
  lru: [16.47, 23.45, 32.83, 42.47],
  arc: [21.46, 30.61, 39.06, 46.17],
  'w-tinylfu': [24.73, 33.7, 39.95, 46.07],
  clairvoyant: [38.43, 46.42, 53.61, 60.4],
};

function column(table: Readonly<Record<string, readonly number[]>>, index: number): Record<string, number> {
  return Object.fromEntries(Object.entries(table).map(([policy, values]) => [policy, values[index]!]));
}

const at = (trace: TraceName, capacity: number, published: Record<string, number> = {}): Reference => ({
  trace,
  capacity,
  published,
});

export const REFERENCES: readonly Reference[] = [
  ...CLOUD_PHYSICS_SIZES.map((size, index) => at('cloudPhysicsIO', size, column(CLOUD_PHYSICS, index))),
  ...[250, 500, 1000, 2000].map((size, index) => at('OLTP', size, column(OLTP, index))),
  at('gli', 250, { lru: 0.91 }),
  at('gli', 1000, { clairvoyant: 53.13 }),
  at('gli', 2000, { lru: 57.41 }),
  at('loop', 512, { lru: 0, arc: 0, clairvoyant: 50.5 }),
  at('multi1', 1000),
  at('multi2', 1000),
  at('multi3', 1000, { lru: 37.7, arc: 44.4, clairvoyant: 56.3 }),
  at('mooncake', 1000),
  at('mooncake', 10_000, { lru: 42.4, clairvoyant: 61.8 }),
];
