/**
 * The configuration of one node, from four places: what code gives goes over the environment, the environment over
 * `tenure.yml`, and that over the defaults.
 */
import { dirname, resolve } from 'node:path';
import { codeLayer } from './code-layer.ts';
import { inconsistencies } from './consistency.ts';
import { type Environment, environmentLayer } from './environment-layer.ts';
import { readFileLayer } from './file-layer.ts';
import type { DeepPartial, Key } from './key.ts';
import { type Configuration, keyList } from './keys.ts';
import { type Layer, problemsOf, writtenAt } from './layer.ts';
import { LoadedConfiguration, type Setting } from './loaded-configuration.ts';
import { ConfigurationError } from './problem.ts';

/** Looked for in the working directory when no path is given. */
const CONFIGURATION_FILE = 'tenure.yml';

export interface LoadOptions {
  /** The file to read; it must exist. Without it, `tenure.yml` in the working directory is read if it is there. */
  readonly path?: string | undefined;
  /** Where relative paths start; the working directory of the process by default. */
  readonly workingDirectory?: string | undefined;
  /** The variables; those of the process by default. */
  readonly environment?: Environment | undefined;
  /** Goes over everything else. */
  readonly overrides?: DeepPartial<Configuration> | undefined;
  /**
   * Loaded again because the file changed: it must still be there and say something. One that is gone or empty is being replaced,
   * for editors truncate before they write; it is no wish for the defaults. False by default.
   */
  readonly isReload?: boolean | undefined;
}

/**
 * Loads and checks the configuration.
 *
 * @throws ConfigurationError with every problem found, ConfigurationUnreadableError, and InvalidArgumentError for an unknown
 *   name in `overrides`.
 */
export async function loadConfiguration(options: LoadOptions = {}): Promise<LoadedConfiguration> {
  const {
    path,
    workingDirectory = process.cwd(),
    environment = process.env,
    overrides = {},
    isReload = false,
  } = options;
  const code = codeLayer(overrides);
  const file = resolve(workingDirectory, path ?? CONFIGURATION_FILE);
  const fileLayer = await readFileLayer(file, { mustExist: path !== undefined || isReload, mayBeEmpty: !isReload });
  const layers = [code, environmentLayer(environment), ...(fileLayer ? [fileLayer] : [])];

  const problems = layers.flatMap(problemsOf);
  if (problems.length > 0) throw new ConfigurationError(problems);

  const settings = new Map(keyList.map(({ key }) => [key.path, settingOf(key, layers)]));
  const loaded = new LoadedConfiguration(settings, {
    path: fileLayer ? file : null,
    file,
    resolvePath: (given, origin) => resolve(origin.kind === 'file' ? dirname(file) : workingDirectory, given),
  });
  const mismatches = inconsistencies(loaded);
  if (mismatches.length > 0) throw new ConfigurationError(mismatches);
  return loaded;
}

/** The value that counts for `key`: from the first layer that has one. */
function settingOf(key: Key<unknown>, layers: readonly Layer[]): Setting {
  const path = key.path.split('.');
  for (const layer of layers) {
    const written = writtenAt(layer.tree, path);
    if (written !== undefined) return { written, origin: layer.locate(path, 'value') };
  }
  return { written: key.default, origin: { kind: 'default' } };
}
