import { totalmem } from 'node:os';
import { describe, expect, it } from 'vitest';
import { HostSensor } from './host-sensor.ts';
import { RecordedMachine } from './recorded-machine.ts';
import { StallSensor } from './stall-sensor.ts';

describe('host sensor', () => {
  it('reads total and available memory', () => {
    using machine = new RecordedMachine('docker-v2');
    using sensor = new HostSensor({ root: machine.root });
    const part = sensor.read();
    expect(part).toMatchObject({ systemTotalBytes: 16303428 * 1024, systemAvailableBytes: 9873992 * 1024 });
    expect(part.systemUsedPercent).toBeCloseTo(39.44, 2);
  });

  it('counts free memory and page cache on a kernel without MemAvailable', () => {
    using machine = new RecordedMachine();
    machine.write(
      'proc/meminfo',
      'MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 20 kB\nCached: 300 kB\nSwapCached: 5 kB\n',
    );
    using sensor = new HostSensor({ root: machine.root });
    expect(sensor.read()).toMatchObject({ systemAvailableBytes: 420 * 1024, systemUsedPercent: 58.00000000000001 });
  });

  it('asks Node where there is no /proc', () => {
    using machine = new RecordedMachine();
    using sensor = new HostSensor({ root: machine.root });
    const { systemTotalBytes, systemAvailableBytes } = sensor.read();
    expect(systemTotalBytes).toBe(totalmem());
    expect(systemAvailableBytes).toBeGreaterThan(0);
  });
});

describe('stall sensor', () => {
  it('prefers the figures of the own cgroup', () => {
    using machine = new RecordedMachine('docker-v2');
    let folder: string | null = `${machine.root}/sys/fs/cgroup`;
    using sensor = new StallSensor({ root: machine.root, groupFolder: () => folder });
    expect(sensor.read().stall).toEqual({ someAvg10: 3.27, fullAvg10: 1.44 });
    folder = `${machine.root}/elsewhere`;
    expect(sensor.read().stall).toEqual({ someAvg10: 0, fullAvg10: 0 });
    folder = null;
    expect(sensor.read().stall).toEqual({ someAvg10: 0, fullAvg10: 0 });
  });

  it('reads kernels that tell only `some`, and figures up to 100', () => {
    using machine = new RecordedMachine();
    machine.write('proc/pressure/memory', 'some avg10=100.00 avg60=9.00 avg300=1.00 total=1\n');
    using sensor = new StallSensor({ root: machine.root });
    expect(sensor.read().stall).toEqual({ someAvg10: 100, fullAvg10: 0 });
  });

  it.each([undefined, '', 'Operation not supported'])(
    'has no figures, and no error, when the file is %j',
    (content) => {
      using machine = new RecordedMachine();
      if (content !== undefined) machine.write('proc/pressure/memory', content);
      using sensor = new StallSensor({ root: machine.root });
      expect(sensor.read().stall).toBeUndefined();
    },
  );
});
