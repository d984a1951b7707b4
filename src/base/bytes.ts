/**
 * Sizes in bytes: constants, parsing and display.
 *
 * Inside the code every size is a whole number of bytes in a variable that ends in `Bytes`. Megabytes exist only at the
 * edge (configuration keys ending in `_mb`, log lines), and there, as containers count them, 1 MB is 2^20 bytes.
 */
import { InvalidArgumentError } from './errors.ts';

export const KIB = 1024;
export const MIB = 1024 * KIB;
export const GIB = 1024 * MIB;

const UNIT_BYTES: Readonly<Record<string, number>> = {
  b: 1,
  k: KIB,
  kb: KIB,
  kib: KIB,
  m: MIB,
  mb: MIB,
  mib: MIB,
  g: GIB,
  gb: GIB,
  gib: GIB,
  t: 1024 * GIB,
  tb: 1024 * GIB,
  tib: 1024 * GIB,
};

/**
 * Reads a size such as `512 MB`, `1.5GiB` or a plain number of bytes.
 *
 * @throws InvalidArgumentError when it is not a size, is negative, not finite, or above 2^53 bytes.
 */
export function parseBytes(input: string | number, argument = 'size'): number {
  const match = typeof input === 'number' ? null : /^\s*([+-]?[\d.]+(?:e\d+)?)\s*([a-z]*)\s*$/i.exec(input);
  const amount = typeof input === 'number' ? input : Number(match?.[1]);
  const unitBytes = typeof input === 'number' ? 1 : UNIT_BYTES[match?.[2]?.toLowerCase() || 'b'];
  if (!Number.isFinite(amount) || unitBytes === undefined) {
    throw new InvalidArgumentError(
      argument,
      `"${input}" is not a size; write a number with B, KB, MB or GB, such as 512 MB.`,
    );
  }
  return requireBytes(Math.round(amount * unitBytes), argument);
}

/** Returns `value` when it is a whole, non-negative number of bytes; throws `InvalidArgumentError` otherwise. */
export function requireBytes(value: number, argument: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new InvalidArgumentError(argument, `must be a whole number of bytes, 0 or more; got ${String(value)}.`);
  }
  return value;
}

/** Bytes as megabytes for a person: `412 MB`, `1.4 GB`, `12 KB`. Three significant digits at most. */
export function formatBytes(bytes: number): string {
  const size = Math.abs(bytes);
  if (size >= GIB) return `${trim(bytes / GIB)} GB`;
  if (size >= MIB) return `${trim(bytes / MIB)} MB`;
  if (size >= KIB) return `${trim(bytes / KIB)} KB`;
  return `${Math.round(bytes)} B`;
}

function trim(value: number): string {
  return Math.abs(value) >= 10 ? String(Math.round(value)) : String(Math.round(value * 10) / 10);
}
