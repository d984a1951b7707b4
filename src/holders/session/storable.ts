/**
 * Whether a value comes back from JSON as it went in; if not, where and why.
 *
 * `JSON.stringify` drops functions, makes null of NaN and `{}` of a map, and says nothing: the session would be another one after it has been
 * on disk. So each value is walked before it is written, at a fraction of what encoding it costs. What has a `toJSON` (a date, a
 * decimal) is taken at its word: its JSON is what is kept, in memory as on disk. A property that is `undefined` is left out.
 */
import { SessionValueError } from './session-errors.ts';

/** Deeper nesting is a cycle, or will overflow the stack of whoever reads it. */
const MOST_LEVELS = 500;

/** Longer paths are cut: that of a cycle is as long as the walk is deep. */
const LONGEST_PATH = 120;

/**
 * @param mostValues more values than this are refused: shared again and again, a few could stand for billions.
 * @throws SessionValueError
 */
export function requireStorable(value: unknown, { name, mostValues }: { name: string; mostValues: number }): void {
  const found = new StorableWalk(mostValues).problemIn(value);
  if (found) throw new SessionValueError({ path: (name + found.path).slice(0, LONGEST_PATH), problem: found.problem });
}

interface Problem {
  readonly path: string;
  readonly problem: string;
}

class StorableWalk {
  readonly #mostValues: number;
  readonly #above: object[] = [];
  #values = 0;

  constructor(mostValues: number) {
    this.#mostValues = mostValues;
  }

  problemIn(value: unknown): Problem | null {
    if (++this.#values > this.#mostValues) return problem(`holds more than ${this.#mostValues} values`);
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return null;
      case 'number':
        return Number.isFinite(value) ? null : problem(`is ${value}`);
      case 'object':
        return value === null ? null : this.#problemWithin(value);
      case 'undefined':
        return problem('is undefined');
      case 'bigint':
        return problem('is a BigInt');
      default:
        return problem(`is a ${typeof value}`);
    }
  }

  #problemWithin(object: object): Problem | null {
    const above = this.#above;
    if (above.length >= MOST_LEVELS) {
      return problem(above.includes(object) ? 'contains itself' : `is nested more than ${MOST_LEVELS} levels deep`);
    }
    if (ArrayBuffer.isView(object)) return problem(`is a ${object.constructor.name}`);
    if ('toJSON' in object && typeof object.toJSON === 'function') return null;
    above.push(object);
    const found = Array.isArray(object) ? this.#problemInList(object) : this.#problemInRecord(object);
    above.pop();
    return found;
  }

  #problemInList(list: readonly unknown[]): Problem | null {
    for (let index = 0; index < list.length; index++) {
      const found = this.problemIn(list[index]);
      if (found) return below(`[${index}]`, found);
    }
    return null;
  }

  #problemInRecord(record: object): Problem | null {
    if (!isPlain(record)) return problem(`is a ${record.constructor?.name || 'class instance'}`);
    for (const key of Object.keys(record)) {
      const value = (record as Record<string, unknown>)[key];
      if (value === undefined) continue;
      const found = this.problemIn(value);
      if (found) return below(nameOf(key), found);
    }
    return null;
  }
}

/** Also of another context (`node:vm`, a test runner), which has an `Object.prototype` of its own. */
function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype === Object.prototype || prototype === null) return true;
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf');
}

function problem(text: string): Problem {
  return { path: '', problem: text };
}

function below(part: string, found: Problem): Problem {
  return { path: part + found.path, problem: found.problem };
}

function nameOf(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}
