/** JSON kept in a column, written by us alone: what is not what we wrote is damage of the file, and told as such. */
import { DamagedRowError } from './sqlite-errors.ts';

/** The list that `text` holds. @throws DamagedRowError, which `Transactions` makes a `StoreCorruptError` of the file. */
export function storedList<T>(text: string): T[] {
  const value = parsed(text);
  if (!Array.isArray(value)) throw new DamagedRowError('a column holds no list');
  return value as T[];
}

/** The object that `text` holds. @throws DamagedRowError, which `Transactions` makes a `StoreCorruptError` of the file. */
export function storedObject<T extends object>(text: string): T {
  const value = parsed(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new DamagedRowError('a column holds no object');
  }
  return value as T;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DamagedRowError('a column holds no JSON', cause);
  }
}
