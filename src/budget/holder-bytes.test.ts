import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KIB, MIB } from '../base/bytes.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { ScriptedConsumer } from '../testing/scripted-consumer.ts';
import { Budget } from './budget.ts';
import type { BudgetEvent } from './budget-events.ts';
import type { ReclaimRequest } from './consumer.ts';
import { HolderBytes, type HolderOptions } from './holder-bytes.ts';

let clock: ManualClock;
let budget: Budget;
let events: BudgetEvent[];

beforeEach(() => {
  clock = new ManualClock();
  events = [];
  budget = new Budget({ name: 'node', limitBytes: MIB, clock, emit: (event) => events.push(event) });
});

afterEach(() => {
  budget.close();
  expect(budget.reservedBytes).toBe(0);
  expect(clock.pendingTimers).toBe(0);
});

function holderOf(options: Partial<HolderOptions> = {}) {
  const requests: ReclaimRequest[] = [];
  const bytes: HolderBytes = new HolderBytes({
    ...{ budget, name: 'holder', where: 'heap', priority: 5 },
    drop(request) {
      requests.push(request);
      bytes.release(Math.min(request.targetBytes, bytes.usedBytes));
    },
    ...options,
  });
  return { bytes, requests };
}

describe('taking and releasing', () => {
  it('reaches for the books only when the slack is used up', () => {
    const { bytes } = holderOf();
    expect(bytes.tryTake(100)).toBe(true);
    const reservedBytes = budget.reservedBytes;
    expect(reservedBytes).toBeGreaterThan(100);
    for (let n = 0; n < 10; n++) expect(bytes.tryTake(100)).toBe(true);
    expect(budget.reservedBytes).toBe(reservedBytes);
    expect(bytes.usedBytes).toBe(1_100);
    bytes.release(1_100);
    bytes.close();
  });

  it('keeps what was released for the next, and gives back what is too much', () => {
    const { bytes } = holderOf();
    bytes.tryTake(MIB);
    bytes.release(512 * KIB);
    const other = new ScriptedConsumer(budget, { name: 'other' });
    expect(other.reservation.tryGrow(1)).toBe(false);
    expect(bytes.tryTake(512 * KIB)).toBe(true);
    bytes.release(512 * KIB);
    bytes.settle();
    expect(bytes.slackBytes).toBe(8 * KIB);
    expect(budget.reservedBytes).toBe(520 * KIB);
    bytes.release(512 * KIB);
    bytes.close();
  });

  it('takes the last byte of a budget, without slack', () => {
    const { bytes } = holderOf();
    expect(bytes.tryTake(MIB)).toBe(true);
    expect(bytes.tryTake(1)).toBe(false);
    expect(bytes.usedBytes).toBe(MIB);
    bytes.release(MIB);
    bytes.close();
  });

  it('waits for room, and nobody takes what has come meanwhile', async () => {
    const { bytes } = holderOf({ droppableBytes: () => 0 });
    const other = new ScriptedConsumer(budget, { name: 'other', bytes: MIB, onReclaim: () => 0 });
    const taken = bytes.take(1_000);
    other.give(1_000);
    expect(bytes.tryTake(1)).toBe(false);
    await taken;
    expect(bytes.usedBytes).toBe(1_000);
    expect(bytes.slackBytes).toBe(0);
    bytes.release(1_000);
    bytes.close();
  });

  it('leaves nothing behind when the wait is called off', async () => {
    const { bytes } = holderOf({ droppableBytes: () => 0 });
    const other = new ScriptedConsumer(budget, { name: 'other', bytes: MIB, onReclaim: () => 0 });
    const controller = new AbortController();
    const taken = bytes.take(1_000, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(taken).rejects.toThrow('enough');
    await expect(bytes.take(0, { signal: controller.signal })).rejects.toThrow('enough');
    expect(bytes.reservedBytes).toBe(0);
    other.give(MIB);
    bytes.close();
  });

  it('refuses sizes that are none, and to release more than is used', () => {
    const { bytes } = holderOf();
    bytes.tryTake(10);
    for (const size of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => bytes.tryTake(size)).toThrow('bytes');
      expect(() => bytes.release(size)).toThrow('bytes');
    }
    expect(() => bytes.release(11)).toThrow('only 10 are used');
    expect(bytes.usedBytes).toBe(10);
    bytes.release(10);
    bytes.close();
  });

  it('takes no more than its maximum, which may change', () => {
    const { bytes } = holderOf({ maxBytes: 1_000 });
    expect(bytes.tryTake(1_000)).toBe(true);
    bytes.setMaxBytes(900);
    expect(bytes.tryTake(1)).toBe(false);
    bytes.setMaxBytes(1_001);
    expect(bytes.tryTake(1)).toBe(true);
    expect(() => bytes.setMaxBytes(-1)).toThrow('maxBytes');
    bytes.release(1_001);
    bytes.close();
  });
});

describe('giving', () => {
  it('gives slack first and drops only for the rest', async () => {
    const { bytes, requests } = holderOf();
    bytes.tryTake(64 * KIB);
    const { slackBytes } = bytes;
    expect((await budget.reclaim({ targetBytes: slackBytes })).accountedBytes).toBe(slackBytes);
    expect(requests).toEqual([]);
    expect((await budget.reclaim({ targetBytes: 1_000 })).accountedBytes).toBe(1_000);
    expect(requests.map(({ targetBytes, kind }) => [targetBytes, kind])).toEqual([[1_000, 'live']]);
    expect(bytes.usedBytes).toBe(64 * KIB - 1_000);
    bytes.release(bytes.usedBytes);
    bytes.close();
  });

  it('claims what the books show, whatever the holder returns', async () => {
    const { bytes } = holderOf({
      drop() {
        bytes.release(300);
        return 1_000_000;
      },
    });
    bytes.tryTake(64 * KIB);
    const outcome = await budget.reclaim({ targetBytes: bytes.slackBytes + 1_000 });
    expect(outcome.claimedBytes).toBe(outcome.accountedBytes);
    expect(events.filter(({ type }) => type === 'budget.consumer_failed')).toEqual([]);
    bytes.release(bytes.usedBytes);
    bytes.close();
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('disk full');
      },
    ],
    ['rejects', () => Promise.reject(new Error('disk full'))],
  ])('gives what a drop had released that %s, and reports it', async (_, fail) => {
    const { bytes } = holderOf({
      drop() {
        bytes.release(500);
        return fail();
      },
    });
    bytes.tryTake(64 * KIB);
    const { reservedBytes, slackBytes } = bytes;
    await budget.reclaim({ targetBytes: slackBytes + 1_000 });
    expect(bytes.reservedBytes).toBe(reservedBytes - slackBytes - 500);
    expect(events.find(({ type }) => type === 'budget.consumer_failed')).toMatchObject({ failure: 'threw' });
    bytes.release(bytes.usedBytes);
    bytes.close();
  });

  it('tells what its last bytes are worth without counting the slack', async () => {
    const asked: number[] = [];
    const { bytes } = holderOf({
      valueOfLast(lastBytes) {
        asked.push(lastBytes);
        return lastBytes;
      },
    });
    bytes.tryTake(128 * KIB);
    const { slackBytes } = bytes;
    await budget.reclaim({ targetBytes: slackBytes + 70_000 });
    expect(asked.length).toBeGreaterThan(0);
    expect(Math.min(...asked)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...asked)).toBeLessThanOrEqual(128 * KIB);
    bytes.release(bytes.usedBytes);
    bytes.close();
  });
});

describe('closing', () => {
  it('reports bytes still used as a leak, slack not', () => {
    const { bytes } = holderOf();
    bytes.tryTake(1_000);
    expect(bytes.close()).toEqual({ path: 'node/holder', bytes: 1_000, reservations: 1 });
    expect(bytes.close()).toBeNull();
    expect(() => bytes.tryTake(1)).toThrow('closed');
  });
});
