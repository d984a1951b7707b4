/** The configuration as loaded: values the code reads, where each came from, and what defaults become under the real limit. */
import { invariant } from '../../base/assert.ts';
import { GIB } from '../../base/bytes.ts';
import { isKey, type Key } from './key.ts';
import { type Configuration, keys } from './keys.ts';
import type { Origin } from './problem.ts';

export interface Setting {
  /** As in `tenure.yml`. */
  readonly written: unknown;
  readonly origin: Origin;
}

export class LoadedConfiguration {
  /** Every value; defaults as they are for a limit of 1 GB. */
  readonly values: Configuration;
  /** The file that was read; null when there was none. */
  readonly path: string | null;
  /** Where the file is looked for, whether it is there or not. */
  readonly file: string;
  readonly #settings: ReadonlyMap<string, Setting>;
  readonly #resolvePath: (given: string, origin: Origin) => string;

  constructor(
    settings: ReadonlyMap<string, Setting>,
    place: { path: string | null; file: string; resolvePath: (given: string, origin: Origin) => string },
  ) {
    this.#settings = settings;
    this.path = place.path;
    this.file = place.file;
    this.#resolvePath = place.resolvePath;
    this.values = this.#valuesBy((key) => this.value(key));
  }

  /** Where the value of a key came from. `path` is its path in `tenure.yml`. */
  origin(path: string): Origin {
    return this.#setting(path).origin;
  }

  /** True when somebody chose the value of this key; false when it is the default. */
  isSet(path: string): boolean {
    return this.origin(path).kind !== 'default';
  }

  /** The value of one key; a default as it is for a limit of 1 GB. */
  value<Value>(key: Key<Value>): Value {
    const { written, origin } = this.#setting(key.path);
    if (written !== null && key.kind === 'path') return this.#resolvePath(written as string, origin) as Value;
    if (key.kind === 'paths') return (written as string[]).map((given) => this.#resolvePath(given, origin)) as Value;
    return key.toValue(written);
  }

  /**
   * The values under a limit of `limitBytes`: defaults in MB that are meant for 1 GB follow it, what was set stays. A default
   * that would stand on the wrong side of a threshold somebody set moves with it.
   */
  scaledTo(limitBytes: number): Configuration {
    const values = this.#valuesBy((key) => {
      const value = this.value(key);
      return key.scales && !this.isSet(key.path) ? Math.round(((value as number) * limitBytes) / GIB) : value;
    });
    const { warningBytes, criticalBytes } = values.limits;
    if (warningBytes <= criticalBytes) return values;
    const agreed = this.isSet(keys.limits.warningBytes.path) ? warningBytes : criticalBytes;
    return { ...values, limits: { ...values.limits, warningBytes: agreed, criticalBytes: agreed } };
  }

  /** Keys whose value differs in `other`, as paths in `tenure.yml`. */
  changedFrom(other: LoadedConfiguration): string[] {
    return [...this.#settings.keys()].filter(
      (path) => JSON.stringify(this.#settings.get(path)!.written) !== JSON.stringify(other.#setting(path).written),
    );
  }

  #setting(path: string): Setting {
    const setting = this.#settings.get(path);
    invariant(setting, `${path} is no configuration key.`);
    return setting;
  }

  #valuesBy(value: (key: Key<unknown>) => unknown): Configuration {
    const build = (node: object): unknown =>
      isKey(node) ? value(node) : Object.fromEntries(Object.entries(node).map(([name, below]) => [name, build(below)]));
    return build(keys) as Configuration;
  }
}
