/**
 * One place values come from — a file, the environment, code — brought to the written form and checked.
 *
 * Every layer is a tree as `tenure.yml` would hold it and a function that tells where each part was given, so one schema
 * checks them all and one function words what is wrong.
 */
import { z } from 'zod';
import { explain } from './explain.ts';
import type { Key } from './key.ts';
import { keyAt, keyList } from './keys.ts';
import { nearestKey } from './nearest-key.ts';
import { type ConfigurationProblem, describeOrigin, type Origin } from './problem.ts';

export type Path = readonly (string | number)[];

export interface Layer {
  /** Nested objects as in `tenure.yml`. */
  readonly tree: unknown;
  /** Where the value at `path` was given; `part` chooses between a key and its value. */
  locate(path: Path, part: 'key' | 'value'): Origin;
}

/** The schema of `tenure.yml`: every key may be left out, none may be unknown, a group may be empty. */
const fileSchema: z.ZodType = schemaOf('');

/** Everything that is wrong in `layer`, in the order it was written; a value that breaks two rules once. */
export function problemsOf(layer: Layer): ConfigurationProblem[] {
  const result = fileSchema.safeParse(layer.tree);
  if (result.success) return [];
  const line = ({ origin }: ConfigurationProblem) => (origin.kind === 'file' ? origin.line : 0);
  const problems = result.error.issues.flatMap((issue) => problemsOfIssue(issue, layer));
  const first = new Map(
    problems.toReversed().map((problem) => [`${problem.key}@${describeOrigin(problem.origin)}`, problem]),
  );
  return problems
    .filter((problem) => first.get(`${problem.key}@${describeOrigin(problem.origin)}`) === problem)
    .sort((one, other) => line(one) - line(other));
}

/** The value written at a key, undefined where there is none. */
export function writtenAt(tree: unknown, path: Path): unknown {
  let node = tree;
  for (const part of path) {
    if (typeof node !== 'object' || node === null || !Object.hasOwn(node, part)) return undefined;
    node = (node as Record<string | number, unknown>)[part];
  }
  return node;
}

/** Puts `value` into a tree, making the groups on the way. `path` is a key's, never a user's. */
export function writeAt(tree: Record<string, unknown>, path: string, value: unknown): void {
  const parts = path.split('.');
  let node = tree;
  for (const part of parts.slice(0, -1)) {
    node[part] ??= {};
    node = node[part] as Record<string, unknown>;
  }
  node[parts.at(-1)!] = value;
}

function schemaOf(group: string): z.ZodType {
  const shape = Object.fromEntries(
    namesIn(group).map((name) => {
      const path = join(group, name);
      return [name, keyAt(path)?.schema.optional() ?? schemaOf(path)];
    }),
  );
  return z.strictObject(shape).nullish();
}

/** Names that may stand in a group, in the order of the table. */
function namesIn(group: string): string[] {
  const prefix = group === '' ? '' : `${group}.`;
  const within = keyList.filter(({ key }) => key.path.startsWith(prefix));
  return [...new Set(within.map(({ key }) => key.path.slice(prefix.length).split('.')[0]!))];
}

function problemsOfIssue(issue: z.core.$ZodIssue, layer: Layer): ConfigurationProblem[] {
  const path = issue.path as Path;
  const group = path.join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((name) => ({
      key: join(group, name),
      origin: layer.locate([...path, name], 'key'),
      // Looking for the key that was meant is work, and of many problems few are shown.
      get message() {
        return unknownKey(name, group);
      },
    }));
  }
  const owner = keyOwning(path);
  const message = owner
    ? explain(writtenAt(layer.tree, owner.path.split('.')), owner)
    : `must be a group of keys: ${namesIn(group).join(', ')}.`;
  return [{ key: owner?.path ?? group, origin: layer.locate(path, 'value'), message }];
}

/** The key at `path` or, for an entry of a list, above it. */
function keyOwning(path: Path): Key<unknown> | undefined {
  return keyAt(path.join('.')) ?? keyAt(path.slice(0, -1).join('.'));
}

function unknownKey(name: string, group: string): string {
  const siblings = namesIn(group);
  const near = nearestKey(name, siblings) ?? keyList.find(({ key }) => key.path.endsWith(`.${name}`))?.key.path;
  return near ? `unknown key. Did you mean ${near}?` : `unknown key. Known here: ${siblings.join(', ')}.`;
}

function join(group: string, name: string): string {
  return group === '' ? name : `${group}.${name}`;
}
