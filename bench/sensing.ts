/** What one look at the process costs: each sensor, and the whole cycle of the monitor with assessment, alerts and responder. */
import { MIB } from '../src/base/bytes.ts';
import { systemClock } from '../src/base/clock.ts';
import { Budget } from '../src/budget/budget.ts';
import { CollectionGate } from '../src/pressure/collection-gate.ts';
import { Monitor } from '../src/pressure/monitor.ts';
import { machineSensors } from '../src/pressure/sensors/machine-sensors.ts';
import { median, percentile } from './data/percentile.ts';
import type { Bench } from './table.ts';

const CONSUMERS = 20;

export const bench: Bench = {
  name: 'sensing',
  question: 'How long does one sensing cycle take, by sensor and as a whole?',
  async run({ small }) {
    const rounds = small ? 2_000 : 40_000;
    const sensors = machineSensors({ clock: systemClock });
    const rows = sensors.map((sensor) => row(`${sensor.name} sensor`, rounds, () => sensor.read()));
    const { container } = Object.assign({}, ...sensors.map((sensor) => sensor.read()));
    const budget = new Budget({ limitBytes: 1024 * MIB });
    const registrations = Array.from({ length: CONSUMERS }, (_, index) => budget.register(consumer(index)));
    const reservations = registrations.map((registration) => registration.reserve());
    for (const reservation of reservations) reservation.tryGrow(MIB);
    const events = () => {};
    const gate = new CollectionGate({ clock: systemClock, events });
    const monitor = new Monitor({ clock: systemClock, events, budget, gate, sensors });
    rows.push(row(`whole cycle, ${CONSUMERS} consumers`, rounds, () => monitor.sense()));
    await monitor.close();
    for (const reservation of reservations) reservation[Symbol.dispose]();
    budget.close();
    return {
      columns: ['what', 'median µs', 'p99 µs'],
      rows,
      notes: [
        'Floor: a whole cycle under 1,000 µs. Aim: median under 50 µs, p99 under 200 µs.',
        `Without pauses between cycles. Container: ${container ? `cgroup v${container.version}` : 'none'}.`,
      ],
    };
  },
};

function row(what: string, rounds: number, look: () => void): (string | number)[] {
  for (let round = 0; round < 1_000; round++) look();
  const tookUs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const startMs = performance.now();
    look();
    tookUs.push(1_000 * (performance.now() - startMs));
  }
  return [what, Number(median(tookUs).toFixed(1)), Number(percentile(tookUs, 0.99).toFixed(1))];
}

function consumer(index: number) {
  return {
    name: `consumer-${index}`,
    where: 'heap' as const,
    priority: 5,
    weight: 1,
    minBytes: 0,
    reclaimableBytes: () => 0,
    reclaim: () => 0,
  };
}
