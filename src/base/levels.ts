/** The four pressure levels, from calm to emergency, and their order. */

export const LEVELS = ['low', 'moderate', 'high', 'critical'] as const;

/** How bad memory pressure is. */
export type Level = (typeof LEVELS)[number];

/** 0 for `low` to 3 for `critical`: the value of the metric `memory_pressure_level`. */
export function levelRank(level: Level): number {
  return LEVELS.indexOf(level);
}

/** True when `level` is `floor` or worse. */
export function isAtLeast(level: Level, floor: Level): boolean {
  return levelRank(level) >= levelRank(floor);
}
