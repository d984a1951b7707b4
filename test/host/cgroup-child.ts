/**
 * Moves itself into a cgroup and prints, as one line of JSON each, what the sensors say there. Arguments: what to do, the group's
 * folder, and a folder on a disk.
 *
 * - `sense`: at first, with 64 MB of memory taken, and with 100 MB of page cache on top.
 * - `respond`: a monitor with a budget whose one consumer holds 120 MB in slabs; then 80 MB that nobody accounts for are taken.
 */
import { closeSync, fsyncSync, openSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { MIB } from '../../src/base/bytes.ts';
import { systemClock } from '../../src/base/clock.ts';
import { Budget } from '../../src/budget/budget.ts';
import { CollectionGate } from '../../src/pressure/collection-gate.ts';
import { heldBytes } from '../../src/pressure/limit.ts';
import { Monitor } from '../../src/pressure/monitor.ts';
import type { PressureEvent } from '../../src/pressure/pressure-events.ts';
import { ContainerSensor } from '../../src/pressure/sensors/container-sensor.ts';
import { machineSensors } from '../../src/pressure/sensors/machine-sensors.ts';

const [task, group, diskFolder] = process.argv.slice(2) as [string, string, string];
const SLAB_BYTES = 4 * MIB;

const print = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

/** Written over, so that it is resident; resizable, so that it can be given back at once. */
function filledSlab(bytes: number): ArrayBuffer {
  const slab = new ArrayBuffer(bytes, { maxByteLength: bytes });
  new Uint8Array(slab).fill(1);
  return slab;
}

function fillPageCache(path: string, bytes: number): void {
  const chunk = Buffer.alloc(MIB, 1);
  const file = openSync(path, 'w+');
  for (let written = 0; written < bytes; written += chunk.length) writeSync(file, chunk);
  fsyncSync(file);
  // Read twice: pages read again count as active, which is page cache all the same.
  for (let round = 0; round < 2; round++)
    for (let at = 0; at < bytes; at += chunk.length) readSync(file, chunk, 0, chunk.length, at);
  closeSync(file);
}

function sense(): void {
  using sensor = new ContainerSensor();
  print(sensor.read());
  const slab = filledSlab(64 * MIB);
  print(sensor.read());
  const path = join(diskFolder, `page-cache-${process.pid}`);
  try {
    fillPageCache(path, 100 * MIB);
    print(sensor.read());
  } finally {
    rmSync(path);
  }
  slab.resize(0);
  print(sensor.read());
}

async function respond(): Promise<void> {
  using budget = new Budget({ limitBytes: 1024 * MIB });
  const slabs: ArrayBuffer[] = [];
  const registration = budget.register({
    name: 'slabs',
    where: 'slab',
    priority: 5,
    weight: 1,
    minBytes: 0,
    reclaimableBytes: () => slabs.length * SLAB_BYTES,
    reclaim({ targetBytes }) {
      const leaving = slabs.splice(0, Math.ceil(targetBytes / SLAB_BYTES));
      for (const slab of leaving) slab.resize(0);
      reservation.shrink(leaving.length * SLAB_BYTES);
      return leaving.length * SLAB_BYTES;
    },
  });
  using reservation = registration.reserve();
  let hasResponded = false;
  const events = (event: PressureEvent) => {
    print(event);
    if (event.type === 'pressure.responded') hasResponded = true;
  };
  const gate = new CollectionGate({ clock: systemClock, events });
  await using monitor = new Monitor({
    clock: systemClock,
    events,
    budget,
    gate,
    sensors: machineSensors({ clock: systemClock }),
  });
  while (slabs.length < 30 && reservation.tryGrow(SLAB_BYTES)) slabs.push(filledSlab(SLAB_BYTES));
  monitor.start();
  await setTimeout(600);
  const unaccounted = filledSlab(80 * MIB);
  for (let waitedMs = 0; !hasResponded && waitedMs < 20_000; waitedMs += 50) await setTimeout(50);
  await setTimeout(300);
  const { reading } = monitor.status();
  print({
    type: 'end',
    limit: reading.limit,
    heldBytes: heldBytes(reading),
    reservedBytes: budget.reservedBytes,
    unaccounted: unaccounted.byteLength,
  });
  reservation.shrink(reservation.bytes);
}

writeFileSync(join(group, 'cgroup.procs'), String(process.pid));
await (task === 'sense' ? sense() : respond());
