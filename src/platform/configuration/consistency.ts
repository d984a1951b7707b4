/** Values that are fine alone and make no sense together. */
import type { Key } from './key.ts';
import { keys } from './keys.ts';
import type { LoadedConfiguration } from './loaded-configuration.ts';
import type { ConfigurationProblem } from './problem.ts';

interface Order {
  readonly lower: Key<number>;
  /** May be equal to `lower`, not below it. */
  readonly upper: Key<number | 'auto'>;
  readonly because: string;
}

const { limits, monitoring } = keys;

const ORDERS: readonly Order[] = [
  {
    lower: limits.warningBytes,
    upper: limits.criticalBytes,
    because: 'a warning cannot come after the critical threshold',
  },
  { lower: limits.criticalBytes, upper: limits.memoryBytes, because: 'a threshold above the limit is never reached' },
  {
    lower: monitoring.sensorIntervalMs,
    upper: monitoring.storedIntervalMs,
    because: 'readings cannot be stored more often than they are taken',
  },
];

/** Every pair that contradicts itself. A default that follows the limit is never half of one: it moves out of the way. */
export function inconsistencies(loaded: LoadedConfiguration): ConfigurationProblem[] {
  const moves = (key: { path: string; scales: boolean }) => key.scales && !loaded.isSet(key.path);
  return ORDERS.flatMap(({ lower, upper, because }) => {
    const high = loaded.value(upper);
    if (high === 'auto' || loaded.value(lower) <= high || moves(lower) || moves(upper)) return [];
    const [blamed, other] = loaded.isSet(lower.path) ? [lower, upper] : [upper, lower];
    const message = `does not go with ${other.path}: ${because}. Change one of them.`;
    return [{ key: blamed.path, origin: loaded.origin(blamed.path), message }];
  });
}
