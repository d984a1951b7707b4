/**
 * The way to the reference data: real traces and sets from outside, none of which are committed to the project.
 *
 * `TENURE_DATA` names the folder that holds them. What needs one asks `dataFile`; where it is missing the bench or test
 * stops with a message that says so, and never passes empty. `docs/reference-data.md` says what each file is and where it comes from.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** Reference data that this bench or test needs is not on this machine. */
export class MissingDataError extends Error {
  override readonly name = 'MissingDataError';
}

/** Absolute path of a file of the reference data, such as `retrieval/locomo-dev5.json.gz`. */
export function dataFile(path: string): string {
  const folder = process.env['TENURE_DATA'];
  if (!folder) {
    throw new MissingDataError(
      `${path}: set TENURE_DATA to the folder of the reference data (see docs/reference-data.md).`,
    );
  }
  const file = resolve(folder, path);
  if (!existsSync(file)) {
    throw new MissingDataError(
      `${path} is not in TENURE_DATA (${folder}); see docs/reference-data.md for where to get it.`,
    );
  }
  return file;
}
