/** Values given in code, in bytes and milliseconds, as a layer: brought to the written form, so that the same checks apply. */
import { InvalidArgumentError } from '../../base/errors.ts';
import { type DeepPartial, isKey } from './key.ts';
import { type Configuration, keys } from './keys.ts';
import { type Layer, writeAt } from './layer.ts';
import { nearestKey } from './nearest-key.ts';

/** @throws InvalidArgumentError for a name that is no part of the configuration. */
export function codeLayer(overrides: DeepPartial<Configuration>): Layer {
  const tree: Record<string, unknown> = {};
  write(overrides, keys, 'configuration', tree);
  return { tree, locate: () => ({ kind: 'code' }) };
}

function write(values: object, known: object, name: string, tree: Record<string, unknown>): void {
  if (typeof values !== 'object' || values === null) throw new InvalidArgumentError(name, 'must be an object.');
  for (const [part, value] of Object.entries(values)) {
    if (value === undefined) continue;
    const below = Object.hasOwn(known, part) ? (known as Record<string, object>)[part]! : undefined;
    if (!below) throw new InvalidArgumentError(`${name}.${part}`, unknownName(part, Object.keys(known)));
    if (isKey(below)) writeAt(tree, below.path, typeof value === 'number' ? below.toWritten(value) : value);
    else write(value as object, below, `${name}.${part}`, tree);
  }
}

function unknownName(part: string, known: readonly string[]): string {
  const near = nearestKey(part, known);
  return `is not a part of the configuration. ${near ? `Did you mean ${near}?` : `Known: ${known.join(', ')}.`}`;
}
