import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MIB } from '../base/bytes.ts';
import { type Candidate, planReclaim, type ReclaimStep } from './reclaim-plan.ts';

interface Named extends Candidate {
  readonly name: string;
}

function candidate(name: string, fields: Partial<Candidate> = {}): Named {
  const reservedBytes = fields.reservedBytes ?? 10 * MIB;
  return {
    ...{ name, priority: 5, share: 1, reservedBytes, reclaimableBytes: reservedBytes },
    ...{ idleBytes: 0, unusedBytes: 0, pieceBytes: 1, yieldRatio: 1, pools: [] },
    ...fields,
  };
}

/** `name kind megabytes`, in order. */
function inWords(steps: readonly ReclaimStep<Named>[]): string[] {
  return steps.map((step) => `${step.candidate.name} ${step.kind} ${+(step.askBytes / MIB).toFixed(2)}`);
}

describe('planReclaim', () => {
  it('asks for idle bytes first, for unused ones next, and then by priority', () => {
    const candidates = [
      candidate('last resort', { priority: 0, idleBytes: MIB }),
      candidate('first', { priority: 10, reservedBytes: 3 * MIB }),
      candidate('second', { priority: 9, unusedBytes: 2 * MIB, idleBytes: MIB, reservedBytes: 5 * MIB }),
    ];
    const all = planReclaim({ targetBytes: 18 * MIB, candidates });
    expect(inWords(all)).toEqual([
      ...['second idle 1', 'last resort idle 1'],
      'second unused 2',
      ...['first live 3', 'second live 2', 'last resort live 9'],
    ]);
    expect(inWords(planReclaim({ targetBytes: 3 * MIB, candidates }))).toEqual([
      ...['second idle 1', 'last resort idle 1', 'second unused 1'],
    ]);
  });

  it('asks for nothing when nothing is needed or nobody has anything', () => {
    expect(planReclaim({ targetBytes: 0, candidates: [candidate('a')] })).toEqual([]);
    expect(planReclaim({ targetBytes: 5, candidates: [] })).toEqual([]);
    expect(
      planReclaim({ targetBytes: 5, candidates: [candidate('a', { reclaimableBytes: 0, idleBytes: 9 })] }),
    ).toEqual([]);
  });

  it('takes live bytes only from the given priority upwards, idle ones from everybody', () => {
    const candidates = [candidate('important', { priority: 2, idleBytes: MIB }), candidate('cache', { priority: 8 })];
    const steps = planReclaim({ targetBytes: 100 * MIB, candidates, leastPriority: 5 });
    expect(inWords(steps)).toEqual(['important idle 1', 'cache live 10']);
  });

  it('takes each piece where it costs the fewest hits for each byte', () => {
    const linear = (hitsPerMb: number) => (bytes: number) => (bytes / MIB) * hitsPerMb;
    const candidates = [
      candidate('dear', { valueOfLast: linear(9) }),
      candidate('cheap at first', { valueOfLast: (bytes) => (bytes <= 4 * MIB ? 0 : ((bytes - 4 * MIB) / MIB) * 20) }),
      candidate('fair', { valueOfLast: linear(2) }),
    ];
    expect(inWords(planReclaim({ targetBytes: 16 * MIB, candidates }))).toEqual([
      'cheap at first live 4',
      'fair live 10',
      'dear live 2',
    ]);
  });

  it('evens out what those who name no value hold for their share', () => {
    const candidates = [
      candidate('heavy', { reservedBytes: 30 * MIB, share: 0.5 }),
      candidate('light', { reservedBytes: 10 * MIB, share: 0.25 }),
      candidate('tiny', { reservedBytes: MIB, share: 0.25 }),
    ];
    const asked = new Map(
      planReclaim({ targetBytes: 16 * MIB, candidates }).map((step) => [step.candidate.name, step.askBytes]),
    );
    const left = candidates.map(({ name, reservedBytes }) => (reservedBytes - (asked.get(name) ?? 0)) / MIB);
    expect(left[0]).toBeCloseTo(16, 0);
    expect(left[1]).toBeCloseTo(8, 0);
    expect(left[2]).toBe(1);
  });

  it('looks at each of thousands of consumers a few times, not once for each of the others', () => {
    let looks = 0;
    const valueOfLast = (bytes: number) => {
      looks++;
      return bytes;
    };
    const candidates = Array.from({ length: 4_000 }, (_, index) =>
      candidate(`${index}`, { reservedBytes: 50_000, valueOfLast }),
    );
    const steps = planReclaim({ targetBytes: 100 * MIB, candidates });
    expect(steps.length).toBeGreaterThan(2_000);
    expect(looks).toBeLessThan(8 * candidates.length);
  });

  it('asks one that gives half for twice as much, and finds its bytes twice as dear', () => {
    const valueOfLast = (bytes: number) => bytes;
    const half = candidate('half', { yieldRatio: 0.5, valueOfLast });
    const [step] = planReclaim({ targetBytes: 2 * MIB, candidates: [half] });
    expect(step).toMatchObject({ askBytes: 4 * MIB, expectedBytes: 2 * MIB });
    const both = planReclaim({
      targetBytes: 2 * MIB,
      candidates: [half, candidate('whole', { valueOfLast: (bytes) => 1.9 * bytes })],
    });
    expect(inWords(both)).toEqual(['whole live 2']);
    const silent = [candidate('half', { yieldRatio: 0.5 }), candidate('whole')];
    expect(inWords(planReclaim({ targetBytes: 2 * MIB, candidates: silent }))).toEqual(['whole live 2']);
  });

  it('leaves a budget its minimum, whoever of its consumers gives', () => {
    const tenant = { spareBytes: 3 * MIB };
    const candidates = [
      candidate('a', { pools: [tenant], idleBytes: 2 * MIB }),
      candidate('b', { pools: [tenant] }),
      candidate('other', { priority: 1 }),
    ];
    expect(inWords(planReclaim({ targetBytes: 20 * MIB, candidates }))).toEqual([
      ...['a idle 2', 'b live 1', 'other live 10'],
    ]);
  });

  it.each([Number.NaN, -5, Number.POSITIVE_INFINITY])('lives with a value of %s', (value) => {
    const candidates = [candidate('odd', { valueOfLast: () => value }), candidate('plain')];
    const steps = planReclaim({ targetBytes: 15 * MIB, candidates });
    expect(steps.reduce((sum, step) => sum + step.askBytes, 0)).toBe(15 * MIB);
  });

  const anyCandidate = fc
    .record({
      priority: fc.integer({ min: 0, max: 10 }),
      share: fc.double({ min: 0.01, max: 1, noNaN: true }),
      reservedBytes: fc.nat(50 * MIB),
      reclaimable: fc.double({ min: 0, max: 1, noNaN: true }),
      idle: fc.double({ min: 0, max: 1, noNaN: true }),
      unused: fc.double({ min: 0, max: 1, noNaN: true }),
      yieldRatio: fc.double({ min: 0.05, max: 1, noNaN: true }),
      value: fc.option(fc.nat(100)),
      pieceBytes: fc.constantFrom(1, 1, MIB),
      pool: fc.option(fc.constantFrom(0, 1)),
    })
    .map(
      ({ reclaimable, idle, unused, value, pool, ...fields }, pools: { spareBytes: number }[] = POOLS): Candidate => {
        const reclaimableBytes = Math.floor(fields.reservedBytes * reclaimable);
        return {
          ...fields,
          reclaimableBytes,
          idleBytes: Math.floor(reclaimableBytes * idle),
          unusedBytes: Math.floor(reclaimableBytes * unused),
          valueOfLast: value === null ? undefined : (bytes) => (bytes / MIB) ** 1.5 * value,
          pools: pool === null ? [] : [pools[pool]!],
        };
      },
    );

  it('never asks for more than there is, and stops short only when nothing is left', () => {
    fc.assert(
      fc.property(fc.array(anyCandidate, { maxLength: 12 }), fc.nat(200 * MIB), (candidates, targetBytes) => {
        const steps = planReclaim({ targetBytes, candidates });
        const askedOf = (which: (step: ReclaimStep) => boolean) =>
          steps.filter(which).reduce((sum, step) => sum + step.askBytes, 0);
        for (const each of candidates) {
          expect(askedOf((step) => step.candidate === each)).toBeLessThanOrEqual(each.reclaimableBytes);
        }
        for (const pool of POOLS) {
          expect(askedOf((step) => step.candidate.pools.includes(pool))).toBeLessThanOrEqual(pool.spareBytes);
        }
        for (const step of steps) {
          expect(step.askBytes).toBeGreaterThan(0);
          expect(step.expectedBytes).toBe(Math.floor(step.askBytes * step.candidate.yieldRatio));
        }
        const expectedBytes = steps.reduce((sum, step) => sum + step.askBytes * step.candidate.yieldRatio, 0);
        const isExhausted = candidates.every((each) => {
          const leftBytes = each.reclaimableBytes - askedOf((step) => step.candidate === each);
          return (
            leftBytes === 0 ||
            each.pools.some((pool) => askedOf((step) => step.candidate.pools.includes(pool)) === pool.spareBytes)
          );
        });
        if (!isExhausted) expect(expectedBytes).toBeGreaterThanOrEqual(targetBytes - 1);
        expect(expectedBytes).toBeLessThanOrEqual(
          candidates.reduce((most, { pieceBytes }) => most + pieceBytes + 2, targetBytes),
        );
      }),
    );
  });

  it('costs no more than any other way of taking the same pieces, for falling returns', () => {
    const curve = fc.record({ scale: fc.integer({ min: 1, max: 20 }), power: fc.constantFrom(1, 1.5, 2) });
    const size = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(fc.array(curve, { minLength: 2, maxLength: 3 }), size, (curves, pieceMib) => {
        const pieceBytes = pieceMib * MIB;
        const candidates = curves.map(({ scale, power }, index) => {
          const valueOfLast = (bytes: number) => scale * (bytes / pieceBytes) ** power;
          return candidate(`${index}`, { reservedBytes: PIECES * pieceBytes, valueOfLast });
        });
        const steps = planReclaim({ targetBytes: PIECES * pieceBytes, candidates });
        const cost = steps.reduce((sum, step) => sum + step.candidate.valueOfLast!(step.askBytes), 0);
        for (const split of splits(PIECES, curves.length)) {
          const other = split.reduce(
            (sum, share, index) => sum + candidates[index]!.valueOfLast!(share * pieceBytes),
            0,
          );
          expect(cost).toBeLessThanOrEqual(other + 1e-6);
        }
      }),
    );
  });
});

const POOLS = [{ spareBytes: 7 * MIB }, { spareBytes: 30 * MIB }];

/** As many as the plan cuts a target into. */
const PIECES = 32;

/** Every way to divide `total` pieces among `parts`. */
function splits(total: number, parts: number): number[][] {
  if (parts === 1) return [[total]];
  return Array.from({ length: total + 1 }, (_, first) =>
    splits(total - first, parts - 1).map((rest) => [first, ...rest]),
  ).flat();
}
