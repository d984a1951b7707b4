import { describe, expect, it } from 'vitest';
import { MIB } from '../base/bytes.ts';
import { ClosedError } from '../base/errors.ts';
import { ScriptedConsumer } from '../testing/scripted-consumer.ts';
import { SimulatedProcess } from '../testing/simulated-process.ts';
import { LIMIT_BYTES, readingOf } from './readings.ts';

describe('responder', () => {
  it('leaves a process alone that is well', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 200 * MIB });
    await simulated.step(100);
    expect(simulated.asked).toEqual([]);
    expect(simulated.events).toEqual([]);
  });

  it('at moderate takes what brings it to the exit of moderate, and tells the three numbers', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 310 * MIB });
    await simulated.step(3);
    const excessBytes = Math.ceil(370 * MIB - 0.65 * LIMIT_BYTES);
    expect(simulated.asked).toEqual([{ targetBytes: excessBytes, level: 'moderate', atMs: 250 }]);
    expect(simulated.eventsOf('pressure.responded')).toEqual([
      {
        type: 'pressure.responded',
        atMs: simulated.clock.nowMs() - 250,
        level: 'moderate',
        targetBytes: excessBytes,
        claimedBytes: excessBytes,
        accountedBytes: excessBytes,
        residentDropBytes: excessBytes,
        retainedBytes: 0,
        driftBytes: 0,
        collected: false,
        tookMs: 250,
      },
    ]);
    await simulated.step(400);
    expect(simulated.asked).toHaveLength(1);
    expect(simulated.collections).toBe(0);
    expect(simulated.responder.done).toBe('reclaimed 37 MB');
  });

  it('remembers for ten minutes what it did', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 310 * MIB });
    await simulated.step(1);
    await simulated.clock.advance(599_999);
    expect(simulated.responder.done).not.toBeNull();
    await simulated.clock.advance(1);
    expect(simulated.responder.done).toBeNull();
  });

  it('at high collects once, when so much was freed that it pays', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 360 * MIB, leaving: 'with a collection' });
    await simulated.step(20);
    expect(simulated.asked).toHaveLength(1);
    expect(simulated.collections).toBe(1);
    expect(simulated.eventsOf('pressure.collected')).toMatchObject([{ reason: 'pressure high' }]);
    expect(simulated.eventsOf('pressure.responded')).toMatchObject([
      { level: 'high', collected: true, retainedBytes: 0 },
    ]);
    expect(simulated.responder.shedding).toBe(false);
  });

  it('at high does not collect for a trifle', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 2 * MIB });
    simulated.extraBytes = 360 * MIB;
    await simulated.step(8);
    expect(simulated.asked.length).toBeGreaterThan(0);
    expect(simulated.collections).toBe(0);
  });

  it('at moderate collects only above the size it was told', async () => {
    await using plain = new SimulatedProcess({ cacheBytes: 320 * MIB, leaving: 'with a collection' });
    await using told = new SimulatedProcess({
      cacheBytes: 320 * MIB,
      leaving: 'with a collection',
      collectAboveBytes: 370 * MIB,
    });
    await plain.step(4);
    await told.step(4);
    expect([plain.collections, told.collections]).toEqual([0, 1]);
  });

  it('at critical sheds, takes half as much again and collects; and stops shedding when the level falls', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 420 * MIB, leaving: 'with a collection' });
    await simulated.step(1);
    expect(simulated.responder.shedding).toBe(true);
    expect(simulated.asked[0]).toMatchObject({
      level: 'critical',
      targetBytes: Math.ceil(1.5 * Math.ceil(480 * MIB - 0.65 * LIMIT_BYTES)),
    });
    expect(simulated.collections).toBe(1);
    await simulated.step(30);
    expect(simulated.responder.shedding).toBe(false);
    expect(simulated.eventsOf('pressure.shedding_changed').map(({ shedding }) => shedding)).toEqual([true, false]);
  });

  it('does not ask twice for bytes that wait for a collection', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 310 * MIB, leaving: 'with a collection' });
    await simulated.step(200);
    expect(simulated.asked).toHaveLength(1);
    expect(simulated.eventsOf('pressure.responded')).toMatchObject([{ residentDropBytes: 0, tookMs: 30_000 }]);
    expect(simulated.responder.books.retainedBytes).toBe(simulated.asked[0]!.targetBytes);
    simulated.collectNaturally();
    await simulated.step(2);
    expect(simulated.responder.books.retainedBytes).toBe(0);
    expect(simulated.asked).toHaveLength(1);
  });

  it('does not evict for bytes that eviction cannot return', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 360 * MIB, leaving: 'never' });
    await simulated.step(2_400);
    expect(simulated.asked).toHaveLength(1);
    expect(simulated.cacheBytes).toBeGreaterThan(250 * MIB);
    expect(simulated.collections).toBe(1);
    expect(simulated.eventsOf('pressure.responded')).toMatchObject([
      { residentDropBytes: 0, retainedBytes: simulated.asked[0]!.targetBytes },
    ]);
  });

  it('pauses longer and longer, to a minute, while responses bring nothing', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 300 * MIB, leaving: 'never' });
    for (let step = 0; step < 2_400; step++) {
      simulated.extraBytes = Math.min(90 * MIB, simulated.extraBytes + MIB / 4);
      await simulated.step();
      if (step % 8 === 0) simulated.collectNaturally();
    }
    const gapsMs = simulated.asked.slice(1).map(({ atMs }, index) => atMs - simulated.asked[index]!.atMs);
    expect(Math.max(...gapsMs)).toBeGreaterThan(20_000);
    expect(simulated.asked.length).toBeLessThan(12);
  });

  it('counts what has left the process as vain when it is the heap that is full', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 250 * MIB });
    simulated.liveBytes = 0.66 * 256 * MIB;
    await simulated.step();
    simulated.liveBytes = 0.72 * 256 * MIB;
    for (let step = 0; step < 240; step++) {
      await simulated.step();
      if (step % 8 === 0) simulated.collectNaturally();
    }
    expect(simulated.asked.length).toBeGreaterThan(2);
    expect(simulated.asked.length).toBeLessThan(7);
    expect(simulated.eventsOf('pressure.responded')[0]!.residentDropBytes).toBe(simulated.asked[0]!.targetBytes);
  });

  it('answers at once when it gets worse, whatever the pause', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 310 * MIB, leaving: 'never' });
    await simulated.step(130);
    expect(simulated.asked).toHaveLength(1);
    simulated.extraBytes = 100 * MIB;
    await simulated.step(1);
    expect(simulated.asked.at(-1)!.level).toBe('critical');
  });

  it('does not miss that it got worse while a reclaim was running', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 310 * MIB });
    let finish = () => {};
    simulated.onReclaim = () => new Promise<void>((resolve) => (finish = resolve));
    await simulated.step(1);
    simulated.onReclaim = () => {};
    simulated.extraBytes = 100 * MIB;
    await simulated.step(2);
    // It does not listen to the signal, so it cannot be asked before it has answered.
    expect(simulated.asked).toHaveLength(1);
    finish();
    await simulated.step(20);
    expect(simulated.asked.map(({ level }) => level)).toEqual(['moderate', 'critical']);
  });

  it('calls off what a lesser level is asking for when it gets critical', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 310 * MIB });
    simulated.onReclaim = ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
    await simulated.step(1);
    simulated.onReclaim = () => {};
    simulated.extraBytes = 100 * MIB;
    await simulated.step(1);
    expect(simulated.asked.map(({ level, atMs }) => [level, atMs])).toEqual([
      ['moderate', 250],
      ['critical', 500],
    ]);
    expect(simulated.cacheBytes).toBeLessThan(200 * MIB);
  });

  it('told to observe only, stops what it is doing, sheds no more and lifts the limit it had set', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 310 * MIB });
    simulated.extraBytes = 100 * MIB;
    let aborted = false;
    simulated.onReclaim = ({ signal }) =>
      new Promise((resolve) =>
        signal.addEventListener('abort', () => {
          aborted = true;
          resolve();
        }),
      );
    await simulated.step(1);
    expect(simulated.responder.shedding).toBe(true);
    simulated.responder.reconfigure({ observeOnly: true }, readingOf());
    expect(simulated.responder.shedding).toBe(false);
    await simulated.step(8);
    expect(aborted).toBe(true);
    expect(simulated.budget.limitBytes).toBe(LIMIT_BYTES);
    expect(simulated.asked).toHaveLength(1);
    simulated.onReclaim = () => {};
    simulated.extraBytes = 300 * MIB;
    await simulated.step(8);
    expect(simulated.asked).toHaveLength(1);
    simulated.responder.reconfigure({ observeOnly: false }, readingOf());
    await simulated.step(1);
    expect(simulated.asked.length).toBeGreaterThan(1);
  });

  it('under observe_only measures and plans, and touches nothing', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 420 * MIB, observeOnly: true });
    await simulated.step(480);
    expect(simulated.asked).toEqual([]);
    expect(simulated.collections).toBe(0);
    expect(simulated.responder.shedding).toBe(false);
    expect(simulated.budget.limitBytes).toBe(LIMIT_BYTES);
    const planned = simulated.eventsOf('pressure.planned');
    expect(planned[0]).toMatchObject({ level: 'critical', wouldCollect: true, wouldShed: true });
    expect(planned[0]!.targetBytes).toBeGreaterThan(200 * MIB);
    // Every minute, not every reading.
    expect(planned).toHaveLength(2);
    expect(simulated.events).toHaveLength(2);
  });

  it('calls off a running reclaim when it is closed, and refuses readings afterwards', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 310 * MIB });
    let aborted = false;
    simulated.onReclaim = ({ signal }) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          aborted = true;
          resolve();
        });
      });
    await simulated.step(1);
    await simulated.responder[Symbol.asyncDispose]();
    await simulated.responder[Symbol.asyncDispose]();
    expect(aborted).toBe(true);
    await expect(simulated.step(1)).rejects.toThrow(ClosedError);
  });
});

describe('heap pressure', () => {
  it('asks consumers on the heap alone', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 100 * MIB });
    const vectors = new ScriptedConsumer(simulated.budget, {
      ...{ name: 'vectors', where: 'slab', priority: 10, bytes: 100 * MIB },
    });
    simulated.liveBytes = 0.78 * 256 * MIB;
    await simulated.step(1);
    expect(simulated.asked).toEqual([
      { targetBytes: Math.ceil(0.78 * 256 * MIB - 0.65 * 256 * MIB), level: 'moderate', atMs: 250 },
    ]);
    expect(vectors.requests).toEqual([]);
    vectors.registration.close();
  });

  it('counts towards what the process has too much of', async () => {
    await using simulated = new SimulatedProcess({ cacheBytes: 310 * MIB });
    const vectors = new ScriptedConsumer(simulated.budget, {
      ...{ name: 'vectors', where: 'slab', priority: 10, bytes: MIB },
    });
    simulated.liveBytes = 0.78 * 256 * MIB;
    await simulated.step(1);
    const excessBytes = Math.ceil(370 * MIB - 0.65 * LIMIT_BYTES);
    expect(simulated.asked).toMatchObject([
      { targetBytes: Math.ceil(0.13 * 256 * MIB) },
      { targetBytes: excessBytes - Math.ceil(0.13 * 256 * MIB) - MIB },
    ]);
    expect(vectors.requests).toMatchObject([{ targetBytes: MIB }]);
    vectors.registration.close();
  });
});
