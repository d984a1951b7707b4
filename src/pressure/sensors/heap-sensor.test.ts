import { setImmediate } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import { describe, expect, it } from 'vitest';
import { MIB } from '../../base/bytes.ts';
import { systemClock } from '../../base/clock.ts';
import { CollectionGate } from '../collection-gate.ts';
import { HeapSensor } from './heap-sensor.ts';
import { youngGenerationBytes } from './young-generation.ts';

const gate = new CollectionGate({ clock: systemClock, events: () => {}, minIntervalMs: 0, maxShare: 1 });

describe('heap sensor', () => {
  it('tells used and usable heap at once, and live heap after the first major collection', async () => {
    using sensor = new HeapSensor({ clock: systemClock });
    const { heap, collection } = sensor.read();
    expect(heap!.limitBytes).toBe(getHeapStatistics().heap_size_limit);
    expect(heap!.usableLimitBytes).toBeLessThan(heap!.limitBytes);
    expect(heap).not.toHaveProperty('liveBytes');
    expect(collection).toEqual({ share: 0, majorPerMinute: 0, majors: 0 });
    gate.tryCollect('test');
    await setImmediate();
    await setImmediate();
    const after = sensor.read();
    // A collection that gives pages back is several in a row.
    expect(after.collection!.majors).toBeGreaterThanOrEqual(1);
    expect(after.collection!.majorPerMinute).toBe(after.collection!.majors);
    expect(after.collection!.share).toBeGreaterThan(0);
    expect(after.heap!.liveBytes).toBeGreaterThan(MIB);
    expect(after.heap!.liveBytes).toBeLessThanOrEqual(after.heap!.usedBytes);
  });

  it('leaves garbage out of live heap and keeps what is held in it', async () => {
    using sensor = new HeapSensor({ clock: systemClock });
    const liveBytes = async () => {
      await setImmediate();
      gate.tryCollect('test');
      await setImmediate();
      await setImmediate();
      return sensor.read().heap!.liveBytes!;
    };
    const before = await liveBytes();
    let held: { index: number }[] | null = Array.from({ length: 400_000 }, (_, index) => ({ index }));
    const during = await liveBytes();
    expect(during - before).toBeGreaterThan(8 * MIB);
    expect(held.length).toBe(400_000);
    held = null;
    expect(during - (await liveBytes())).toBeGreaterThan(8 * MIB);
  });

  it('hears of no more collections after it was disposed', async () => {
    const sensor = new HeapSensor({ clock: systemClock });
    sensor[Symbol.dispose]();
    gate.tryCollect('test');
    await setImmediate();
    await setImmediate();
    expect(sensor.read().collection!.majors).toBe(0);
  });
});

describe('young generation', () => {
  const none = { words: [], v8Version: '11.3.244.8' };

  it.each([
    // Limits seen in containers of 128 MB to 16 GB: what V8 reports, and the young part of it.
    ['11.3', 259, 3],
    ['11.3', 524, 12],
    ['11.3', 792, 24],
    ['11.3', 1048, 24],
    ['11.3', 1584, 48],
    ['11.3', 2096, 48],
    ['12.4', 4144, 48],
    ['13.6', 259, 3],
    ['13.6', 560, 48],
    ['13.6', 864, 96],
    ['13.6', 1120, 96],
    ['13.6', 1728, 192],
    ['13.6', 2240, 192],
    ['13.6', 4288, 192],
  ])('V8 %s with a limit of %i MB sets %i MB aside', (v8Version, limitMb, youngMb) => {
    expect(youngGenerationBytes(limitMb * MIB, { words: [], v8Version }) / MIB).toBe(youngMb);
  });

  it.each([
    [['--max-old-space-size=1000'], 1192, 192],
    [['--max_old_space_size', '1000'], 1048, 48],
    [['--max-semi-space-size=3'], 1012, 12],
    [['--max-old-space-size=1', '--max-old-space-size=1000'], 1048, 48],
    [['--max-semi-space-size=64', '--max-old-space-size=1000'], 1192, 192],
  ])('%j with a limit of %i MB sets %i MB aside', (words, limitMb, youngMb) => {
    expect(youngGenerationBytes(limitMb * MIB, { ...none, words }) / MIB).toBe(youngMb);
  });

  it('believes what a worker was given', () => {
    expect(youngGenerationBytes(76 * MIB, { ...none, workerYoungMb: 12 }) / MIB).toBe(12);
  });

  it.each([['--max-old-space-size=9000'], ['--max-old-space-size=oops'], ['--max-semi-space-size']])(
    'goes by the rule when %j cannot be',
    (word) => {
      expect(youngGenerationBytes(524 * MIB, { ...none, words: [word] }) / MIB).toBe(12);
    },
  );

  it('assumes 48 MB where nothing fits', () => {
    expect(youngGenerationBytes(264 * MIB, none) / MIB).toBe(48);
  });
});
