/**
 * Environment variables as a layer, each over its key.
 *
 * Variables are texts, so numbers and flags are read here (`true`, `1`, `yes`, `on` and their opposites); what cannot be read
 * stays a text and the schema says so. An empty variable counts as not set, as compose files leave them.
 */
import type { Key } from './key.ts';
import { keyAt, keyList } from './keys.ts';
import { type Layer, writeAt } from './layer.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const FLAGS: Readonly<Record<string, boolean>> = {
  true: true,
  '1': true,
  yes: true,
  on: true,
  false: false,
  '0': false,
  no: false,
  off: false,
};

export function environmentLayer(environment: Environment): Layer {
  const tree: Record<string, unknown> = {};
  for (const { key } of keyList) {
    const text = key.environment && environment[key.environment]?.trim();
    if (text) writeAt(tree, key.path, read(text, key));
  }
  return { tree, locate: (path) => ({ kind: 'environment', name: keyAt(path.join('.'))!.environment! }) };
}

function read(text: string, { kind }: Key<unknown>): unknown {
  if (kind === 'flag') return FLAGS[text.toLowerCase()] ?? text;
  if (kind === 'number' && /^[+-]?(\d+(\.\d*)?|\.\d+|NaN|Infinity)(e[+-]?\d+)?$/i.test(text)) return Number(text);
  return text;
}
