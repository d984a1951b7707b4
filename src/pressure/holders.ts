/** Who holds most, for log lines, alerts and events. */
import { formatBytes } from '../base/bytes.ts';
import type { ConsumerBytes } from './reading.ts';

const NAMED = 3;

/** The three consumers that hold most, largest first; empty ones are left out. */
export function largestHolders(consumers: readonly ConsumerBytes[]): readonly ConsumerBytes[] {
  return consumers
    .filter(({ bytes }) => bytes > 0)
    .sort((one, other) => other.bytes - one.bytes)
    .slice(0, NAMED);
}

/** Each as `vectors 180 MB`. */
export function describeHolders(holders: readonly ConsumerBytes[]): string[] {
  return holders.map(({ name, bytes }) => `${name} ${formatBytes(bytes)}`);
}
