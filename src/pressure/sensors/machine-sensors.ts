/** All sensors of the machine we run on. */
import type { Clock } from '../../base/clock.ts';
import { ContainerSensor } from './container-sensor.ts';
import { HeapSensor } from './heap-sensor.ts';
import { HostSensor } from './host-sensor.ts';
import { ProcessSensor } from './process-sensor.ts';
import type { Sensor } from './sensor.ts';
import { StallSensor } from './stall-sensor.ts';

/** Opens them; whoever takes them disposes them. `root` is where `/proc` and `/sys` are looked for, `/` by default. */
export function machineSensors(options: { clock: Clock; root?: string }): readonly Sensor[] {
  const at = options.root === undefined ? {} : { root: options.root };
  const container = new ContainerSensor(at);
  return [
    new ProcessSensor(at),
    new HeapSensor(options),
    new HostSensor(at),
    container,
    new StallSensor({ ...at, groupFolder: () => container.pressureFolder }),
  ];
}
