/** Options of a call by their names: a misspelt one would be lost without a word, and a store opened where nobody meant it. */
import { InvalidArgumentError } from '../base/errors.ts';
import { nearestKey } from './configuration/nearest-key.ts';

/** @throws InvalidArgumentError when `options` is no object, or has a field that is not among `known`. */
export function requireKnownOptions(options: object, of: { call: string; known: readonly string[] }): void {
  const { call, known } = of;
  if (typeof options !== 'object' || options === null) {
    throw new InvalidArgumentError('options', `of ${call} must be an object with any of ${known.join(', ')}.`);
  }
  const unknown = Object.keys(options).find((option) => !known.includes(option));
  if (unknown === undefined) return;
  const abbreviated = known.find((option) => option.startsWith(unknown));
  const meant = abbreviated ?? nearestKey(unknown, known);
  const hint = meant === undefined ? '' : ` Did you mean ${meant}?`;
  throw new InvalidArgumentError(unknown, `is no option of ${call}; there are ${known.join(', ')}.${hint}`);
}
