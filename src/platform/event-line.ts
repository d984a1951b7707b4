/** Pieces of the lines that events are told by. */
import type { LogLine, Severity } from './log-line.ts';

/** One sentence for each type of event. */
export type LinesOf<E extends { readonly type: string }> = {
  readonly [Type in E['type']]: (event: Extract<E, { type: Type }>) => LogLine;
};

export function line(severity: Severity, text: string): LogLine {
  return { severity, text };
}

/** `1 memory`, `2 memories`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${Math.round(ms / 100) / 10} s`;
  return `${Math.round(ms / 60_000)} min`;
}
