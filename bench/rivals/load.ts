/**
 * Packages that benches compare with or read data by. They live in this folder with a lock of their own (`npm ci --prefix bench/rivals`)
 * and are never dependencies of the product.
 */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { MissingDataError } from '../reference-data.ts';

/** The module of a package of this folder. */
export async function loadRival<T>(name: string): Promise<T> {
  const require = createRequire(new URL('./package.json', import.meta.url));
  let file: string;
  try {
    file = require.resolve(name);
  } catch {
    throw new MissingDataError(`${name} is not installed; run: npm ci --prefix bench/rivals`);
  }
  return (await import(pathToFileURL(file).href)) as T;
}
