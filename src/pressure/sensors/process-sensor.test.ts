import { describe, expect, it } from 'vitest';
import { MIB } from '../../base/bytes.ts';
import { ProcessSensor, pageBytesOf } from './process-sensor.ts';
import { RecordedMachine } from './recorded-machine.ts';

describe('process sensor', () => {
  it('takes anonymous as resident less shared', () => {
    using machine = new RecordedMachine('docker-v2');
    using sensor = new ProcessSensor({ root: machine.root, pageBytes: 4096 });
    expect(sensor.read()).toMatchObject({ rssBytes: 96 * MIB, anonBytes: 52 * MIB });
  });

  it('follows memory that this process really takes and gives back', () => {
    using sensor = new ProcessSensor();
    const before = sensor.read();
    const buffer = new ArrayBuffer(64 * MIB, { maxByteLength: 64 * MIB });
    new Uint8Array(buffer).fill(1);
    const during = sensor.read();
    expect(during.anonBytes! - before.anonBytes!).toBeGreaterThan(56 * MIB);
    buffer.resize(0);
    expect(during.anonBytes! - sensor.read().anonBytes!).toBeGreaterThan(56 * MIB);
  });

  it('counts ArrayBuffers and what V8 holds outside its heap', () => {
    using sensor = new ProcessSensor();
    const buffer = new ArrayBuffer(80 * MIB);
    const { externalBytes, arrayBufferBytes } = sensor.read();
    expect(arrayBufferBytes).toBeGreaterThanOrEqual(buffer.byteLength);
    expect(externalBytes).toBeGreaterThanOrEqual(arrayBufferBytes!);
  });

  it.each([undefined, '', 'garbage', '100', '0 0 0', '100 x 3'])(
    'falls back to resident memory when statm is %j',
    (statm) => {
      using machine = new RecordedMachine();
      if (statm !== undefined) machine.write('proc/self/statm', statm);
      using sensor = new ProcessSensor({ root: machine.root });
      const { rssBytes, anonBytes } = sensor.read();
      expect(rssBytes).toBeGreaterThan(MIB);
      expect(anonBytes).toBe(rssBytes);
    },
  );

  it('never reports negative memory when the kernel’s counters lag', () => {
    using machine = new RecordedMachine();
    machine.write('proc/self/statm', '1000 10 12 0 0 0 0\n');
    using sensor = new ProcessSensor({ root: machine.root, pageBytes: 4096 });
    expect(sensor.read().anonBytes).toBe(0);
  });

  it.each([4096, 16384, 65536])(
    'finds out that pages have %i bytes, though the two counts differ a little',
    (pageBytes) => {
      expect(pageBytesOf({ rssBytes: 10_300 * pageBytes, residentPages: 10_000 })).toBe(pageBytes);
    },
  );
});
