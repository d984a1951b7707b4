import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MIB } from '../base/bytes.ts';
import { LEVELS, levelRank } from '../base/levels.ts';
import { type AssessState, assess, CALM, DEFAULT_RULES, nextState } from './assess.ts';
import type { Reading } from './reading.ts';
import { LIMIT_BYTES, readingOf } from './readings.ts';

const now = { nowMs: 0 };
const assessmentOf = (changes: Partial<Reading>) => assess(readingOf(changes), CALM, now).assessment;
const { dwellMs, thresholds } = DEFAULT_RULES;

describe('the score', () => {
  it.each([
    [{ anonBytes: 0.5 * LIMIT_BYTES }, 50, 'low', 'anon 256 of 512 MB'],
    [{ anonBytes: 0.7 * LIMIT_BYTES }, 70, 'moderate', 'anon 358 of 512 MB'],
    [{ anonBytes: 0.8 * LIMIT_BYTES }, 80, 'high', 'anon 410 of 512 MB'],
    [{ anonBytes: 0.9 * LIMIT_BYTES }, 90, 'critical', 'anon 461 of 512 MB'],
    [{ anonBytes: 3 * LIMIT_BYTES }, 100, 'critical', 'anon 1.5 GB of 512 MB'],
    [
      { stall: { someAvg10: 10, fullAvg10: 0 } },
      70,
      'moderate',
      'stalled on memory 10.0 % of the time (all tasks 0.0 %)',
    ],
    [
      { anonBytes: 0.65 * LIMIT_BYTES, stall: { someAvg10: 6, fullAvg10: 15 } },
      90,
      'critical',
      'stalled on memory 6.0 % of the time (all tasks 15.0 %)',
    ],
    [
      { anonBytes: 0.65 * LIMIT_BYTES, stall: { someAvg10: 100, fullAvg10: 99 } },
      100,
      'critical',
      'stalled on memory 100.0 % of the time (all tasks 99.0 %)',
    ],
    // What this process holds is not what the machine lacks.
    [
      { anonBytes: 0.5 * LIMIT_BYTES, stall: { someAvg10: 100, fullAvg10: 99 } },
      89,
      'high',
      'stalled on memory 100.0 % of the time (all tasks 99.0 %)',
    ],
    [
      { anonBytes: 0.05 * LIMIT_BYTES, stall: { someAvg10: 100, fullAvg10: 99 } },
      79,
      'moderate',
      'stalled on memory 100.0 % of the time (all tasks 99.0 %)',
    ],
  ] as const)('of %j is %f: %s, because of %s', (changes, score, level, reason) => {
    expect(assessmentOf(changes)).toMatchObject({ score, level, reason });
  });

  it('takes live heap over what old objects can use, not over what V8 calls the limit', () => {
    const heap = {
      usedBytes: 250 * MIB,
      liveBytes: 0.8 * 256 * MIB,
      limitBytes: 304 * MIB,
      usableLimitBytes: 256 * MIB,
    };
    expect(assessmentOf({ heap })).toMatchObject({ score: 80, reason: 'live heap 205 of 256 MB' });
  });

  it('takes used heap before the first major collection, and says so', () => {
    const heap = { usedBytes: 0.75 * 256 * MIB, limitBytes: 304 * MIB, usableLimitBytes: 256 * MIB };
    expect(assessmentOf({ heap }).reason).toBe('used heap (no major collection yet) 192 of 256 MB');
  });

  it('counts the whole container and its kernel bytes against a container’s limit', () => {
    const container = {
      version: 2,
      usedBytes: 500 * MIB,
      anonBytes: 350 * MIB,
      unreclaimableKernelBytes: 60 * MIB,
    } as const;
    const limit = { bytes: LIMIT_BYTES, source: 'cgroup' } as const;
    expect(assessmentOf({ container, limit })).toMatchObject({ level: 'high', reason: 'container anon 410 of 512 MB' });
    expect(assessmentOf({ container })).toMatchObject({ level: 'low' });
  });

  it('sees a fuller group that neighbours fill', () => {
    const fullerGroup = { path: '/pod', limitBytes: 1000, heldBytes: 850 };
    const container = { version: 2, usedBytes: 0, anonBytes: 0, unreclaimableKernelBytes: 0, fullerGroup } as const;
    expect(assessmentOf({ container })).toMatchObject({ level: 'high', reason: 'container /pod 850 of 1000 B' });
  });

  it('sees the container fill up under a configured limit that is tighter', () => {
    const container = {
      version: 2,
      limitBytes: 1000,
      path: '/c',
      usedBytes: 0,
      anonBytes: 700,
      unreclaimableKernelBytes: 110,
    } as const;
    expect(assessmentOf({ container })).toMatchObject({ level: 'high', reason: 'container /c 810 of 1000 B' });
  });

  it('takes a term from outside when it is the worst', () => {
    const term = { name: 'hazard', score: 95, reason: 'out of memory soon', excessBytes: 7 };
    const { assessment } = assess(readingOf(), CALM, { ...now, scorer: () => term });
    expect(assessment).toMatchObject({ score: 95, level: 'critical', reason: 'out of memory soon', targetBytes: 7 });
    expect(assessment.terms.map(({ name }) => name)).toEqual(['hazard', 'resident', 'heap']);
    expect(assess(readingOf(), CALM, { ...now, scorer: () => null }).assessment.level).toBe('low');
  });

  it('asks for the bytes that bring the worst term to the exit of moderate', () => {
    expect(assessmentOf({ anonBytes: 0.85 * LIMIT_BYTES }).targetBytes).toBe(Math.ceil((0.85 - 0.65) * LIMIT_BYTES));
    expect(assessmentOf({ anonBytes: 0.6 * LIMIT_BYTES }).targetBytes).toBe(0);
    expect(assessmentOf({ stall: { someAvg10: 20, fullAvg10: 0 } }).targetBytes).toBe(0.05 * 100 * MIB);
  });

  it('tells bytes that only the heap can give from bytes that anybody can', () => {
    const heap = { usedBytes: 0, liveBytes: 0.75 * 256 * MIB, limitBytes: 304 * MIB, usableLimitBytes: 256 * MIB };
    expect(assessmentOf({ heap, anonBytes: 0.7 * LIMIT_BYTES })).toMatchObject({
      targetBytes: Math.ceil(0.1 * 256 * MIB),
      heapTargetBytes: Math.ceil(0.1 * 256 * MIB),
      processTargetBytes: Math.ceil((0.7 - 0.65) * LIMIT_BYTES),
    });
  });

  it('is a number from 0 to 100 with a reason whatever the reading says', () => {
    const size = fc.oneof(fc.double({ min: 0, max: 1e19 }), fc.constantFrom(0, Number.NaN, Number.POSITIVE_INFINITY));
    fc.assert(
      fc.property(size, size, size, size, size, (anonBytes, limitBytes, liveBytes, usableLimitBytes, someAvg10) => {
        const { score, reason } = assessmentOf({
          anonBytes,
          limit: { bytes: limitBytes, source: 'physical' },
          heap: { usedBytes: 0, liveBytes, limitBytes: 1, usableLimitBytes },
          stall: { someAvg10, fullAvg10: 0 },
        });
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(100);
        expect(reason).not.toBe('');
      }),
    );
  });
});

describe('the level', () => {
  const follow = (steps: readonly (readonly [score: number, afterMs: number])[]) => {
    let state: AssessState = CALM;
    let nowMs = 0;
    return steps.map(([score, afterMs]) => {
      nowMs += afterMs;
      state = nextState(score, state, { nowMs, rules: DEFAULT_RULES });
      return state.level;
    });
  };

  it('rises at once, past levels between', () => {
    expect(
      follow([
        [10, 0],
        [95, 1],
      ]),
    ).toEqual(['low', 'critical']);
  });

  it('stays between exit and threshold for as long as it takes', () => {
    expect(
      follow([
        [70, 0],
        [66, 1_000],
        [69, 3_600_000],
      ]),
    ).toEqual(['moderate', 'moderate', 'moderate']);
  });

  it('falls after a whole dwell below the exit, to the level the score stands for', () => {
    expect(
      follow([
        [95, 0],
        [50, 1],
        [50, 4_999],
        [50, 1],
      ]),
    ).toEqual(['critical', 'critical', 'critical', 'low']);
    expect(
      follow([
        [95, 0],
        [76, 1],
        [76, 5_000],
      ]),
    ).toEqual(['critical', 'critical', 'high']);
  });

  it('starts the dwell anew after any score at or above the exit', () => {
    expect(
      follow([
        [80, 0],
        [50, 1],
        [75, 4_000],
        [50, 1_000],
        [50, 4_999],
        [50, 1],
      ]).at(-2),
    ).toBe('high');
  });

  it('never flaps: after any sequence, every fall has a whole dwell of calm before it and every rise a score for it', () => {
    const step = fc.record({ score: fc.double({ min: 0, max: 100, noNaN: true }), afterMs: fc.nat(4_000) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        let state: AssessState = CALM;
        let nowMs = 0;
        let changedMs = Number.NEGATIVE_INFINITY;
        let lastUncalmMs = 0;
        for (const { score, afterMs } of steps) {
          nowMs += afterMs;
          const before = state.level;
          const exit = before === 'low' ? 0 : thresholds[before].exit;
          if (score >= exit) lastUncalmMs = nowMs;
          state = nextState(score, state, { nowMs, rules: DEFAULT_RULES });
          if (levelRank(state.level) > levelRank(before)) {
            expect(score).toBeGreaterThanOrEqual(thresholds[state.level as 'high'].enter);
          }
          if (levelRank(state.level) < levelRank(before)) {
            expect(nowMs - lastUncalmMs).toBeGreaterThanOrEqual(dwellMs);
            expect(nowMs - changedMs).toBeGreaterThanOrEqual(dwellMs);
            expect(score).toBeLessThan(exit);
          }
          if (state.level !== before) changedMs = nowMs;
          const due = LEVELS.findLast((level) => level === 'low' || score >= thresholds[level].enter)!;
          expect(levelRank(state.level)).toBeGreaterThanOrEqual(levelRank(due));
        }
      }),
    );
  });
});
