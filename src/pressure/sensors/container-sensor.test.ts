import { describe, expect, it } from 'vitest';
import { MIB } from '../../base/bytes.ts';
import { tightestLimit } from '../limit.ts';
import { ContainerSensor } from './container-sensor.ts';
import { RecordedMachine } from './recorded-machine.ts';

const ROOT_GROUP = 'sys/fs/cgroup/';
const POD = 'kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1f0c2f8e_6d8c_4f0b_9a53_6d1b0b0f3a77.slice';

function containerOf(name?: string) {
  using machine = new RecordedMachine(name);
  using sensor = new ContainerSensor({ root: machine.root });
  return sensor.read().container;
}

describe('recorded containers', () => {
  it('docker, cgroup v2: page cache and reclaimable slab are not counted', () => {
    expect(containerOf('docker-v2')).toEqual({
      version: 2,
      limitBytes: 512 * MIB,
      path: '/',
      usedBytes: (300 + 4 + 1 + 3 + 0.5 + 0.25 + 6 + 2) * MIB,
      anonBytes: 304 * MIB,
      unreclaimableKernelBytes: (1 + 3 + 0.5 + 0.25 + 2) * MIB,
    });
  });

  it('docker, cgroup v1, without a namespace: the mount point is the container', () => {
    expect(containerOf('docker-v1')).toEqual({
      version: 1,
      limitBytes: 256 * MIB,
      path: '/docker/8f2a6c0e4d7b9135aa06f1c27be3d98405c6e7f8091a2b3c4d5e6f7081920a1b',
      usedBytes: (120 + 8 + 9) * MIB,
      anonBytes: 128 * MIB,
      unreclaimableKernelBytes: 0,
    });
  });

  it('kubernetes, cgroup v2: the tightest limit stands above the process, and its group is measured', () => {
    expect(containerOf('kubernetes-v2')).toMatchObject({
      limitBytes: 1024 * MIB,
      path: `/${POD}`,
      anonBytes: 260 * MIB,
      unreclaimableKernelBytes: 7 * MIB,
    });
  });

  it('kubernetes, cgroup v1: a limit above what is mounted counts, though nobody can say whose it is', () => {
    const container = containerOf('kubernetes-v1');
    expect(container).toMatchObject({ version: 1, limitBytes: 384 * MIB, anonBytes: 150 * MIB });
    expect(container).not.toHaveProperty('path');
  });

  it('systemd, nested slices: memory.high limits, and a fuller slice above is reported', () => {
    expect(containerOf('systemd-v2')).toMatchObject({
      limitBytes: 384 * MIB,
      path: '/system.slice/agents.slice/tenure.service',
      anonBytes: 182 * MIB,
      fullerGroup: { path: '/system.slice/agents.slice', limitBytes: 1024 * MIB, heldBytes: (932 + 15) * MIB },
    });
  });

  it('hybrid: memory stays with v1, and 2^63 less a page is no limit', () => {
    const container = containerOf('hybrid');
    expect(container).toMatchObject({ version: 1, anonBytes: 90 * MIB });
    expect(container).not.toHaveProperty('limitBytes');
  });

  it('desktop: the group that accounts for the process is measured, and `max` is no limit', () => {
    const container = containerOf('desktop-v2');
    expect(container).toMatchObject({ version: 2, anonBytes: 700 * MIB, usedBytes: 700 * MIB });
    expect(container).not.toHaveProperty('limitBytes');
  });

  it('a system without cgroups has no container', () => {
    expect(containerOf()).toBeUndefined();
  });
});

describe('a container that changes', () => {
  it('sees a limit that is set, tightened and lifted while it runs', () => {
    using machine = new RecordedMachine('docker-v2');
    using sensor = new ContainerSensor({ root: machine.root });
    const limitBytes = () => sensor.read().container?.limitBytes;
    expect(limitBytes()).toBe(512 * MIB);
    machine.write(`${ROOT_GROUP}memory.high`, `${300 * MIB}\n`);
    expect(limitBytes()).toBe(300 * MIB);
    machine.write(`${ROOT_GROUP}memory.high`, 'max\n');
    machine.write(`${ROOT_GROUP}memory.max`, 'max\n');
    expect(limitBytes()).toBeUndefined();
    machine.write(`${ROOT_GROUP}memory.max`, '18446744073709551615\n');
    expect(limitBytes()).toBeUndefined();
  });

  it('says nothing while its files are empty or garbage, and speaks again when they are back', () => {
    using machine = new RecordedMachine('docker-v2');
    using sensor = new ContainerSensor({ root: machine.root });
    const before = sensor.read().container;
    machine.write(`${ROOT_GROUP}memory.current`, '');
    expect(sensor.read().container).toBeUndefined();
    machine.write(`${ROOT_GROUP}memory.current`, 'not a number');
    expect(sensor.read().container).toBeUndefined();
    machine.write(`${ROOT_GROUP}memory.current`, `${before!.usedBytes + 130 * MIB}\n`);
    expect(sensor.read().container).toEqual(before);
  });

  it('follows the process into another group within 40 readings', () => {
    using machine = new RecordedMachine('systemd-v2');
    using sensor = new ContainerSensor({ root: machine.root });
    expect(sensor.read().container?.path).toBe('/system.slice/agents.slice/tenure.service');
    machine.write('proc/self/cgroup', '0::/system.slice/agents.slice\n');
    for (let reading = 0; reading < 40; reading++) sensor.read();
    expect(sensor.read().container).toMatchObject({ path: '/system.slice/agents.slice', limitBytes: 1024 * MIB });
    expect(sensor.pressureFolder).toMatch(/agents\.slice$/);
  });

  it('loses its groups for good when the cgroup file system goes, without error', () => {
    using machine = new RecordedMachine('docker-v2');
    using sensor = new ContainerSensor({ root: machine.root });
    sensor.read();
    machine.remove('sys');
    machine.write('proc/self/cgroup', '');
    for (let reading = 0; reading < 41; reading++) sensor.read();
    expect(sensor.read().container).toBeUndefined();
    expect(sensor.pressureFolder).toBeNull();
  });
});

describe('the tightest limit', () => {
  it('is the lowest of container, configuration and machine, and says which', () => {
    const container = {
      version: 2,
      limitBytes: 512,
      path: '/a',
      usedBytes: 0,
      anonBytes: 0,
      unreclaimableKernelBytes: 0,
    } as const;
    expect(tightestLimit({ container, configuredBytes: 600, physicalBytes: 700 })).toEqual({
      bytes: 512,
      source: 'cgroup',
      path: '/a',
    });
    expect(tightestLimit({ container, configuredBytes: 500 })).toEqual({ bytes: 500, source: 'configured' });
    expect(tightestLimit({ container, physicalBytes: 400 })).toEqual({ bytes: 400, source: 'physical' });
  });

  it.each([0, -1, 2 ** 60, 2 ** 63 - 4096, 1.8446744073709552e19, Number.POSITIVE_INFINITY, Number.NaN])(
    'leaves out %s',
    (bytes) => {
      expect(tightestLimit({ configuredBytes: bytes, physicalBytes: 5 })).toEqual({ bytes: 5, source: 'physical' });
      expect(tightestLimit({ physicalBytes: bytes })).toEqual({ bytes: 1024 * MIB, source: 'configured' });
    },
  );
});
