/** How soon an alert is delivered: from the sensors' crossing reading to the subscriber who hears of it. */
import { MIB } from '../src/base/bytes.ts';
import { systemClock } from '../src/base/clock.ts';
import { EventHub } from '../src/base/events.ts';
import { CollectionGate } from '../src/pressure/collection-gate.ts';
import { Monitor } from '../src/pressure/monitor.ts';
import type { PressureEvent } from '../src/pressure/pressure-events.ts';
import { machineSensors } from '../src/pressure/sensors/machine-sensors.ts';
import type { Sensor } from '../src/pressure/sensors/sensor.ts';
import { median, percentile } from './data/percentile.ts';
import type { Bench } from './table.ts';

const LIMIT_BYTES = 512 * MIB;

export const bench: Bench = {
  name: 'alert-latency',
  question: 'How long after a reading crosses a threshold has its alert been delivered?',
  async run({ small }) {
    const tookMs: number[] = [];
    for (let crossing = 0; crossing < (small ? 50 : 1_000); crossing++) tookMs.push(await crossingMs());
    const figure = (value: number) => Number(value.toFixed(3));
    return {
      columns: ['crossings', 'median ms', 'p99 ms', 'worst ms'],
      rows: [[tookMs.length, figure(median(tookMs)), figure(percentile(tookMs, 0.99)), figure(Math.max(...tookMs))]],
      notes: [
        'Floor: 5 ms. Aim: 1 ms. Each crossing is the second reading of a new monitor with all sensors of the machine, so nothing is warm but the code.',
      ],
    };
  },
};

async function crossingMs(): Promise<number> {
  let crossedMs = Number.NaN;
  let deliveredMs = Number.NaN;
  let anonBytes = 100 * MIB;
  // Stands last, so its word on anonymous memory is the one that counts.
  const crossing: Sensor = {
    name: 'crossing',
    read() {
      crossedMs = performance.now();
      return { anonBytes };
    },
    [Symbol.dispose]() {},
  };
  const hub = new EventHub<PressureEvent>({
    onSubscriberError(error) {
      throw error;
    },
  });
  hub.subscribe(({ type }) => {
    if (type === 'pressure.alert_raised' && Number.isNaN(deliveredMs)) deliveredMs = performance.now();
  });
  const gate = new CollectionGate({ clock: systemClock, events: hub.emit, collect: () => {} });
  const sensors = [...machineSensors({ clock: systemClock }), crossing];
  const monitor = new Monitor({
    clock: systemClock,
    events: hub.emit,
    gate,
    sensors,
    settings: { configuredLimitBytes: LIMIT_BYTES },
  });
  monitor.sense();
  anonBytes = 450 * MIB;
  monitor.sense();
  await monitor.close();
  return deliveredMs - crossedMs;
}
