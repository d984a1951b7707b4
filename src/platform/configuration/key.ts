/**
 * One configuration key: how it is written, what it means, what may stand there, and what the code sees.
 *
 * A key is written with people's units (`max_heap_mb: 1024`, `monitoring_interval: 30`) and read by the code in bytes and
 * milliseconds. Both directions live here, so a value given in code is checked by the same schema, and reported in the same
 * words, as one written in `tenure.yml`.
 */
import { z } from 'zod';
import { MIB } from '../../base/bytes.ts';

/** What a written number counts. */
export type Unit = 'MB' | 'MB per hour' | 'seconds' | 'milliseconds' | 'percent' | 'points' | 'share' | 'count';

export interface Range {
  readonly min: number;
  readonly max: number;
  readonly whole: boolean;
  readonly unit: Unit;
}

/** Said of every key. */
interface Described<Written> {
  /** Where it stands in `tenure.yml`, with dots. */
  readonly path: string;
  readonly default: Written;
  /** One sentence for the reference. */
  readonly about: string;
  /** The environment variable that goes over it. */
  readonly environment?: string;
  /** A change of it is taken over only by a restart. */
  readonly restart?: boolean;
  /** It is read and checked, and nothing in this version follows it yet. */
  readonly noEffectYet?: boolean;
}

export interface Key<Value> extends Described<unknown> {
  readonly kind: 'number' | 'flag' | 'choice' | 'text' | 'path' | 'paths';
  /** Checks the written form. */
  readonly schema: z.ZodType;
  /** What may stand there, in words. */
  readonly expected: string;
  readonly range?: Range;
  /** A default meant for a limit of 1 GB, which follows the real limit unless it was set. */
  readonly scales: boolean;
  toValue(written: unknown): Value;
  toWritten(value: Value): unknown;
}

/** True for a key, false for a group of keys. */
export function isKey(node: object): node is Key<unknown> {
  return 'schema' in node && 'expected' in node;
}

/** The same keys, each marked as one that nothing follows yet. */
export function notYet<Tree extends object>(tree: Tree): Tree {
  if (isKey(tree)) return { ...tree, noEffectYet: true };
  return Object.fromEntries(Object.entries(tree).map(([name, below]) => [name, notYet(below as object)])) as Tree;
}

/** The values a tree of keys stands for. */
export type ValuesOf<Tree> =
  Tree extends Key<infer Value> ? Value : { readonly [Name in keyof Tree]: ValuesOf<Tree[Name]> };

export type DeepPartial<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]?: DeepPartial<T[K]> | undefined }
    : T;

type Numeric = Described<number> & { readonly min?: number; readonly max?: number };

/** Values of one unit of the written form. */
const FACTORS: Readonly<Record<Unit, number>> = {
  MB: MIB,
  'MB per hour': MIB,
  seconds: 1000,
  milliseconds: 1,
  percent: 1,
  points: 1,
  share: 1,
  count: 1,
};

/** A size in MB; bytes inside. `scales` marks a default meant for a limit of 1 GB. */
export const megabytes = (key: Numeric & { scales?: boolean }) => numeric(key, { unit: 'MB', min: 1, max: 16 * MIB });

/** A growth in MB per hour; bytes per hour inside. */
export const megabytesPerHour = (key: Numeric & { scales?: boolean }) =>
  numeric(key, { unit: 'MB per hour', min: 1, max: 16 * MIB });

/** A time in seconds, up to a week; milliseconds inside. */
export const seconds = (key: Numeric) => numeric(key, { unit: 'seconds', min: 1, max: 7 * 86_400 });

/** A time in milliseconds, up to an hour. */
export const milliseconds = (key: Numeric) =>
  numeric(key, { unit: 'milliseconds', min: 1, max: 3_600_000, whole: true });

/** 0 to 100. */
export const percent = (key: Numeric) => numeric(key, { unit: 'percent', min: 0, max: 100 });

/** A pressure score, 0 to 100. */
export const points = (key: Numeric) => numeric(key, { unit: 'points', min: 0, max: 100 });

/** 0 to 1. */
export const share = (key: Numeric) => numeric(key, { unit: 'share', min: 0, max: 1 });

/** A whole number of things. */
export const count = (key: Numeric) => numeric(key, { unit: 'count', min: 0, max: 1_000_000, whole: true });

function numeric(
  key: Numeric & { scales?: boolean },
  base: { unit: Unit; min: number; max: number; whole?: boolean },
): Key<number> {
  const range = { unit: base.unit, min: key.min ?? base.min, max: key.max ?? base.max, whole: base.whole ?? false };
  const factor = FACTORS[base.unit];
  const schema = z.number().min(range.min).max(range.max);
  return {
    ...key,
    kind: 'number',
    schema: range.whole ? schema.int() : schema,
    expected: expectedNumber(range),
    range,
    scales: key.scales ?? false,
    toValue: (written: number) => (factor === 1 ? written : Math.round(written * factor)),
    toWritten: (value) => value / factor,
  };
}

function expectedNumber({ min, max, whole, unit }: Range): string {
  const what = unit === 'count' ? '' : unit === 'share' ? ' between' : ` of ${unit}`;
  return unit === 'share'
    ? `a number${what} ${min} and ${max}`
    : `a ${whole ? 'whole ' : ''}number${what}, ${min} to ${max}`;
}

/** A size in MB, or the word `auto`. */
export function megabytesOrAuto(key: Described<number | 'auto'> & { min: number }): Key<number | 'auto'> {
  const size = megabytes({ ...key, default: key.min });
  return {
    ...size,
    ...key,
    schema: z.union([z.literal('auto'), size.schema]),
    expected: `auto, or ${size.expected}`,
    toValue: (written: unknown) => (written === 'auto' ? written : size.toValue(written)),
    toWritten: (value) => (value === 'auto' ? value : size.toWritten(value)),
  };
}

/** `true` or `false`. */
export const flag = (key: Described<boolean>): Key<boolean> =>
  plain(key, { kind: 'flag', schema: z.boolean(), expected: 'true or false' });

/** One of a few words. */
export const choice = <const Word extends string>(key: Described<Word> & { of: readonly Word[] }): Key<Word> =>
  plain(key, { kind: 'choice', schema: z.enum(key.of), expected: `one of ${key.of.join(', ')}` });

/** A name or an address to listen on; an IPv6 address may stand in brackets, as in a URL. */
export const host = (key: Described<string>): Key<string> => ({
  ...plain(key, { kind: 'text', schema: z.string().min(1), expected: 'a text' }),
  toValue: (written) => (written as string).replace(/^\[(.*)\]$/, '$1'),
});

/** A file or folder; a relative one in `tenure.yml` starts at that file's folder, elsewhere at the working directory. */
export const path = (key: Described<string>): Key<string> =>
  plain(key, { kind: 'path', schema: z.string().min(1), expected: 'a path' });

/** A path, or nothing. */
export const optionalPath = (key: Described<string | null>): Key<string | null> =>
  plain(key, { kind: 'path', schema: z.string().min(1).nullable(), expected: 'a path' });

/** A list of paths. */
export const paths = (key: Described<readonly string[]>): Key<readonly string[]> =>
  plain(key, { kind: 'paths', schema: z.array(z.string().min(1)).max(1000), expected: 'a list of paths' });

function plain<Value>(key: Described<Value>, shape: Pick<Key<Value>, 'kind' | 'schema' | 'expected'>): Key<Value> {
  return { ...key, ...shape, scales: false, toValue: (written: Value) => written, toWritten: (value: Value) => value };
}
