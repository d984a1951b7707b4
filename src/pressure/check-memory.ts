/** One look at the process's memory, without monitor, budget or configuration. */
import { MIB } from '../base/bytes.ts';
import { InvalidArgumentError } from '../base/errors.ts';
import { ProcessSensor } from './sensors/process-sensor.ts';

export interface MemoryCheck {
  /** Anonymous memory of the process (resident elsewhere than on Linux), in MB of 2^20 bytes. */
  readonly memoryMb: number;
  readonly thresholdMb: number;
  /** Memory over threshold, in percent; above 100 when it is exceeded. */
  readonly percent: number;
  /** The threshold is reached. */
  readonly needsCleanup: boolean;
}

/**
 * Measures the process and compares it with a threshold. Takes some tens of microseconds and keeps nothing open.
 *
 * @param options.thresholdMb above 0; 500 by default.
 * @throws InvalidArgumentError when the threshold is not a number above 0.
 */
export function checkMemory(options: { thresholdMb?: number } = {}): MemoryCheck {
  const { thresholdMb = 500 } = options;
  if (!(thresholdMb > 0 && Number.isFinite(thresholdMb))) {
    throw new InvalidArgumentError('thresholdMb', `must be a number above 0; got ${thresholdMb}.`);
  }
  using sensor = new ProcessSensor();
  const memoryMb = (sensor.read().anonBytes ?? 0) / MIB;
  return { memoryMb, thresholdMb, percent: (100 * memoryMb) / thresholdMb, needsCleanup: memoryMb >= thresholdMb };
}
