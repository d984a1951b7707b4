import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { ClosedError } from '../../base/errors.ts';
import { KeptFile } from './kept-file.ts';
import { machineSensors } from './machine-sensors.ts';
import { RecordedMachine } from './recorded-machine.ts';

const text = (file: KeptFile) => Buffer.from(file.content.subarray(0, file.read())).toString();

describe('kept file', () => {
  it('reads what is there now through one descriptor', () => {
    using machine = new RecordedMachine();
    machine.write('a', 'one');
    using file = new KeptFile(`${machine.root}/a`);
    expect(text(file)).toBe('one');
    machine.write('a', 'longer than before');
    expect(text(file)).toBe('longer than before');
    machine.write('a', '');
    expect(text(file)).toBe('');
  });

  it('tries a missing file again after 40 reads, not at each', () => {
    using machine = new RecordedMachine();
    using file = new KeptFile(`${machine.root}/late`);
    expect(text(file)).toBe('');
    machine.write('late', 'here');
    for (let read = 1; read < 40; read++) expect(file.read()).toBe(0);
    expect(text(file)).toBe('here');
  });

  it('reads a folder, which opens but cannot be read, as empty', () => {
    using machine = new RecordedMachine();
    using file = new KeptFile(machine.root);
    expect(file.read()).toBe(0);
    expect(file.read()).toBe(0);
  });

  it('is closed for good', () => {
    const file = new KeptFile(import.meta.filename);
    file.read();
    file[Symbol.dispose]();
    file[Symbol.dispose]();
    expect(() => file.read()).toThrow(ClosedError);
  });
});

describe('all sensors of the machine', () => {
  it('fill a whole reading on every recorded machine and keep nothing open afterwards', () => {
    const before = readdirSync('/dev/fd').length;
    for (const name of [
      'docker-v1',
      'docker-v2',
      'kubernetes-v1',
      'kubernetes-v2',
      'systemd-v2',
      'hybrid',
      'desktop-v2',
      undefined,
    ]) {
      using machine = new RecordedMachine(name);
      const sensors = machineSensors({ clock: systemClock, root: machine.root });
      const reading = Object.assign(
        {},
        ...sensors.map((sensor) => sensor.read()),
        ...sensors.map((sensor) => sensor.read()),
      );
      expect(reading.systemTotalBytes).toBeGreaterThan(0);
      expect(reading.anonBytes).toBeGreaterThan(0);
      expect(reading.heap.usableLimitBytes).toBeGreaterThan(0);
      if (name !== undefined) expect(readdirSync('/dev/fd').length).toBeGreaterThan(before);
      for (const sensor of sensors) sensor[Symbol.dispose]();
      for (const sensor of sensors) sensor[Symbol.dispose]();
    }
    expect(readdirSync('/dev/fd').length).toBe(before);
  });
});
