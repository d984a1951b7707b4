/** Levels and places in words. */
import type { Consumer, Level } from './wire.ts';

const HEADLINES: Readonly<Record<Level, string>> = {
  low: 'Memory is calm.',
  moderate: 'Memory is getting tight.',
  high: 'Memory is under pressure.',
  critical: 'Memory is almost exhausted.',
};

export function headline(level: Level): string {
  return HEADLINES[level];
}

const PLACES: Readonly<Record<Consumer['where'], string>> = {
  heap: 'JavaScript heap',
  slab: 'slabs',
  native: 'native memory',
  'disk-cache': 'cache of the store',
};

export function placeOf(where: Consumer['where']): string {
  return PLACES[where];
}
