import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { CollectionGate } from './collection-gate.ts';
import type { CollectedEvent } from './pressure-events.ts';

function setUp(tookMs: number, enabled?: () => boolean) {
  const clock = new ManualClock();
  const told: CollectedEvent[] = [];
  let elapsedMs = 0;
  // A collection blocks: time passes while it runs.
  const slow = { ...clockOf(clock), monotonicMs: () => clock.monotonicMs() + elapsedMs };
  const gate = new CollectionGate({
    clock: slow,
    events: (event) => told.push(event),
    ...(enabled ? { enabled } : {}),
    collect: () => {
      elapsedMs += tookMs;
    },
  });
  return { clock, gate, told };
}

function clockOf(clock: ManualClock) {
  return {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    after: clock.after.bind(clock),
    every: clock.every.bind(clock),
  };
}

describe('collection gate', () => {
  it('opens once in ten seconds, whoever asks, and tells each collection', async () => {
    const { clock, gate, told } = setUp(0);
    expect(gate.tryCollect('pressure high')).toEqual({ tookMs: 0, freedHeapBytes: expect.any(Number) });
    expect(gate.tryCollect('leak probe')).toBeNull();
    await clock.advance(9_999);
    expect(gate.mayCollect()).toBe(false);
    await clock.advance(1);
    expect(gate.mayCollect()).toBe(true);
    expect(gate.tryCollect('leak probe')).not.toBeNull();
    expect(told.map(({ reason }) => reason)).toEqual(['pressure high', 'leak probe']);
  });

  it('stays shut while collecting is not enabled', () => {
    let enabled = false;
    const { gate, told } = setUp(0, () => enabled);
    expect([gate.mayCollect(), gate.tryCollect('pressure critical'), told]).toEqual([false, null, []]);
    enabled = true;
    expect(gate.tryCollect('pressure critical')).not.toBeNull();
  });

  it('keeps all collections together under 5 % of the time', async () => {
    const { clock, gate, told } = setUp(2_000);
    for (let second = 0; second < 3_600; second++) {
      gate.tryCollect('test');
      await clock.advance(1_000);
    }
    const spentMs = told.length * 2_000;
    const share = spentMs / (3_600_000 + spentMs);
    // Each ten minutes have their own allowance, so an hour and a bit can see seven of them.
    expect(share).toBeGreaterThan(0.04);
    expect(share).toBeLessThan(0.06);
  }, 60_000);

  it('keeps a caller under a tighter share of its own', async () => {
    const { clock, gate } = setUp(100);
    const asProbe = { maxShare: 0.0005 };
    expect(gate.tryCollect('probe', asProbe)).not.toBeNull();
    let collected = 0;
    for (let minute = 0; minute < 60; minute++) {
      await clock.advance(60_000);
      if (gate.tryCollect('probe', asProbe)) collected++;
    }
    expect(collected * 100).toBeLessThanOrEqual(0.0005 * 3_600_000 + 100);
  });

  it('really collects, on every Node there is', async () => {
    const gate = new CollectionGate({ clock: systemClock, events: () => {}, minIntervalMs: 0, maxShare: 1 });
    for (let round = 0; round < 4; round++) {
      let held: object | null = { round };
      const watch = new WeakRef(held);
      await setImmediate();
      held = null;
      expect(gate.tryCollect('test')!.tookMs).toBeGreaterThan(0);
      expect(watch.deref()).toBeUndefined();
      await setImmediate();
    }
    expect(gate.unavailable).toBeNull();
    expect((globalThis as { gc?: unknown }).gc).toBeUndefined();
  });
});
