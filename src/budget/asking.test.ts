import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MIB } from '../base/bytes.ts';
import { wait } from '../base/clock.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { ScriptedConsumer } from '../testing/scripted-consumer.ts';
import { Budget } from './budget.ts';
import type { BudgetEvent } from './budget-events.ts';

let clock: ManualClock;
let budget: Budget;
let events: BudgetEvent[];

beforeEach(() => {
  clock = new ManualClock();
  events = [];
  const emit = (event: BudgetEvent) => events.push(event);
  budget = new Budget({
    name: 'node',
    limitBytes: 1_000 * MIB,
    clock,
    emit,
    regrowthBytesPerSecond: Number.POSITIVE_INFINITY,
  });
});

afterEach(() => {
  budget.close();
  expect(budget.reservedBytes).toBe(0);
  expect(clock.pendingTimers).toBe(0);
});

const failures = () => events.filter((event) => event.type === 'budget.consumer_failed');

type Answering = ScriptedConsumer['onReclaim'];

describe('a consumer that', () => {
  const misbehaving: [string, string, ScriptedConsumer['onReclaim'], number][] = [
    [
      'throws',
      'threw',
      () => {
        throw new Error('no');
      },
      0,
    ],
    [
      'rejects',
      'threw',
      async () => {
        throw new Error('no');
      },
      0,
    ],
    [
      'gives and then throws',
      'threw',
      (_, self) => {
        self.give(MIB);
        throw new Error('no');
      },
      MIB,
    ],
    ['answers NaN', 'invalid_answer', () => Number.NaN, 0],
    ['answers a negative size', 'invalid_answer', () => -1, 0],
    ['answers nothing', 'invalid_answer', (() => undefined) as unknown as ScriptedConsumer['onReclaim'], 0],
    ['answers what refuses to be shown', 'invalid_answer', (() => Object.create(null)) as unknown as Answering, 0],
    [
      'answers what refuses to be looked at',
      'threw',
      (() => ({
        // biome-ignore lint/suspicious/noThenProperty: that is the trap
        get then() {
          throw new Error('do not look');
        },
      })) as unknown as Answering,
      0,
    ],
    [
      'throws what refuses to be shown',
      'threw',
      () => {
        throw Object.create(null);
      },
      0,
    ],
    ['claims what it did not give', 'overclaimed', ({ targetBytes }) => targetBytes, 0],
    ['claims twice what it gave', 'overclaimed', (_, self) => 2 * self.give(2 * MIB), 2 * MIB],
    ['drops far more than it was asked for', 'overdelivered', (_, self) => self.give(80 * MIB), 80 * MIB],
    [
      'falls below its minimum',
      'below_minimum',
      (_, self) => {
        self.reservation.shrink(self.bytes);
        return 100 * MIB;
      },
      100 * MIB,
    ],
  ];

  it.each(misbehaving)('%s is recorded, left alone, and made up for', async (_, failure, onReclaim, gaveBytes) => {
    const bad = new ScriptedConsumer(budget, {
      name: 'bad',
      priority: 10,
      bytes: 100 * MIB,
      minBytes: 10 * MIB,
      onReclaim,
    });
    const good = new ScriptedConsumer(budget, { name: 'good', priority: 1, bytes: 100 * MIB });
    const outcome = await budget.reclaim({ targetBytes: 10 * MIB });
    expect(outcome.end).toBe('reached');
    expect(outcome.answers[0]).toMatchObject({ path: 'node/bad', failure, accountedBytes: gaveBytes });
    expect(good.bytes).toBe(100 * MIB - Math.max(0, 10 * MIB - gaveBytes));
    expect(failures()).toMatchObject([
      { path: 'node/bad', failure, askedBytes: 10 * MIB, accountedBytes: gaveBytes, strikes: 1, quarantineMs: 1_000 },
    ]);

    await clock.advance(999);
    await budget.reclaim({ targetBytes: MIB });
    expect(bad.requests).toHaveLength(1);
    if (bad.bytes <= bad.minBytes) return;
    await clock.advance(1);
    await budget.reclaim({ targetBytes: MIB });
    expect(bad.requests).toHaveLength(2);
  });

  it('throws when asked what it could give has failed, and is not asked for more', async () => {
    const mute = new ScriptedConsumer(budget, { name: 'mute', priority: 10, bytes: 50 * MIB });
    mute.reclaimableBytes = () => {
      throw new Error('no word');
    };
    new ScriptedConsumer(budget, { name: 'good', bytes: 50 * MIB });
    expect(await budget.reclaim({ targetBytes: 10 * MIB })).toMatchObject({ end: 'reached', accountedBytes: 10 * MIB });
    expect(failures()).toMatchObject([{ path: 'node/mute', failure: 'threw', message: 'no word' }]);
    expect(mute.requests).toEqual([]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -5, 2 ** 60])(
    'says it could give %s is believed no further than the books go',
    async (word) => {
      const odd = new ScriptedConsumer(budget, { name: 'odd', bytes: 50 * MIB, minBytes: MIB });
      odd.reclaimableBytes = () => word;
      await budget.reclaim({ targetBytes: 500 * MIB });
      expect(odd.bytes).toBe(word > 50 * MIB && Number.isFinite(word) ? MIB : 50 * MIB);
      expect(failures()).toEqual([]);
    },
  );

  it('cannot say what its bytes are worth has claimed nothing for them', async () => {
    const vague = new ScriptedConsumer(budget, {
      name: 'vague',
      bytes: 50 * MIB,
      valueOfLast: () => {
        throw new Error('?');
      },
    });
    const plain = new ScriptedConsumer(budget, { name: 'plain', bytes: 50 * MIB, valueOfLast: (bytes) => bytes });
    await budget.reclaim({ targetBytes: 10 * MIB });
    expect([vague.bytes, plain.bytes]).toEqual([40 * MIB, 50 * MIB]);
  });

  it('frees more of its own accord while it is asked is not blamed', async () => {
    const busy = new ScriptedConsumer(budget, { name: 'busy', bytes: 100 * MIB, minBytes: 10 * MIB });
    busy.onReclaim = ({ targetBytes, signal }) => wait(clock, 50, signal).then(() => busy.give(targetBytes));
    const outcome = budget.reclaim({ targetBytes: 5 * MIB });
    busy.reservation.shrink(94 * MIB);
    busy.onReclaim = () => 0;
    await clock.advance(50);
    expect(await outcome).toMatchObject({ end: 'reached', claimedBytes: 0, accountedBytes: 94 * MIB });
    expect(failures()).toEqual([]);
  });

  it('takes its time is waited for within its part of the time', async () => {
    const slow = new ScriptedConsumer(budget, { name: 'slow', priority: 9, bytes: 50 * MIB });
    slow.onReclaim = ({ targetBytes, signal }) => wait(clock, 300, signal).then(() => slow.give(targetBytes));
    const quick = new ScriptedConsumer(budget, { name: 'quick', bytes: 50 * MIB });
    const outcome = budget.reclaim({ targetBytes: 60 * MIB, deadlineMs: 1_000 });
    expect(slow.requests[0]?.deadlineMs).toBe(500);
    await clock.advance(300);
    expect(await outcome).toMatchObject({ end: 'reached', tookMs: 300, answers: [{ tookMs: 300 }, { tookMs: 0 }] });
    expect(quick.requests[0]?.deadlineMs).toBe(700);
  });

  it('hangs costs its own part of the time, and is not asked again before it has answered', async () => {
    let answer = (_bytes: number) => {};
    const hung = new ScriptedConsumer(budget, { name: 'hung', priority: 9, bytes: 50 * MIB });
    hung.onReclaim = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const good = new ScriptedConsumer(budget, { name: 'good', bytes: 80 * MIB });
    const outcome = budget.reclaim({ targetBytes: 60 * MIB, deadlineMs: 1_000 });
    await clock.advance(499);
    expect(hung.requests[0]?.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(hung.requests[0]?.signal.reason).toMatchObject({ code: 'TIMEOUT' });
    expect(good.requests).toEqual([]);
    await clock.advance(20);
    expect(await outcome).toMatchObject({
      end: 'reached',
      accountedBytes: 60 * MIB,
      answers: [{ failure: 'hung', tookMs: 520 }, { path: 'node/good' }, { path: 'node/good' }],
    });

    await clock.advance(60_000);
    await budget.reclaim({ targetBytes: MIB });
    expect(hung.requests).toHaveLength(1);
    hung.give(MIB);
    answer(MIB);
    await clock.advance(0);
    hung.onReclaim = ({ targetBytes }) => hung.give(targetBytes);
    await budget.reclaim({ targetBytes: MIB });
    expect(hung.requests).toHaveLength(2);
  });

  it('answers its signal in time keeps what it gave, without blame', async () => {
    const careful = new ScriptedConsumer(budget, { name: 'careful', bytes: 50 * MIB });
    careful.onReclaim = async ({ signal }) => {
      await wait(clock, 10_000, signal).catch(() => {});
      return careful.give(5 * MIB);
    };
    const outcome = budget.reclaim({ targetBytes: 20 * MIB, deadlineMs: 100 });
    await clock.advance(100);
    expect(await outcome).toMatchObject({ end: 'deadline', accountedBytes: 5 * MIB, claimedBytes: 5 * MIB });
    expect(failures()).toEqual([]);
  });
});
