/**
 * A house rule as a test: where it applies, what breaks it, and a planted breach that proves it can fail.
 */
import { ProjectFile } from './project-files.ts';

export interface Rule {
  readonly name: string;
  applies(path: string): boolean;
  /** One line for each breach, with path, line number and what to do. */
  problems(file: ProjectFile): string[];
  /** Each breaks the rule. */
  readonly planted: readonly ProjectFile[];
  /** Each looks like a breach and is none. */
  readonly innocent: readonly ProjectFile[];
}

/** What is built and shipped: neither tests nor what stands beside them for tests only. */
export const isSource = (path: string): boolean =>
  /^src\/.*\.ts$/.test(path) && !/\.(test|fixture)\.ts$|\/(fake|test)-[\w-]+\.ts$/.test(path);
export const isTypeScript = (path: string): boolean => /\.tsx?$/.test(path) && !path.includes('/fixtures/');
export const isTest = (path: string): boolean => /\.test\.tsx?$/.test(path);
export const isCode = (path: string): boolean => /\.(tsx?|mjs)$/.test(path) && !path.includes('/fixtures/');

/** A file that exists only here. */
export function file(path: string, ...lines: string[]): ProjectFile {
  return new ProjectFile(path, `${lines.join('\n')}\n`);
}
