/**
 * Which values of a JSON document are records.
 *
 * A path names them from the root: `$` is the whole document, `.name` a property, `.*` or `[*]` every property or element, `[3]` one
 * element, `["a.b"]` a property whose name is no plain word. (JSONPath, RFC 9535, of which these are the parts that need no looking
 * back.) Where the paths of a document overlap, the outermost value is the record.
 */
import { InvalidArgumentError } from '../../base/errors.ts';

/** One step down: a key as text, or null for any. */
export type PathStep = string | null;

const STEP = /\.(?:(\*)|([^.[\]*"'\s]+))|\[(?:(\*)|(\d+)|("(?:[^"\\]|\\.)*"))\]/y;
/** The paths still possible are bits of one number. */
const MOST_PATHS = 30;

/** @throws InvalidArgumentError for what is not a path. */
export function parsePaths(paths: string | readonly string[]): PathStep[][] {
  const all = typeof paths === 'string' ? [paths] : paths;
  if (!Array.isArray(all) || all.length === 0 || all.length > MOST_PATHS) {
    throw new InvalidArgumentError('paths', `must be 1 to ${MOST_PATHS} paths such as "$.items.*".`);
  }
  return all.map(parsePath);
}

function parsePath(path: string): PathStep[] {
  const wrong = (): never => {
    throw new InvalidArgumentError(
      'paths',
      `${JSON.stringify(path)} is no path; write "$", "$.items.*", "$.days[*].rows[*]" or "$[\\"a.b\\"]".`,
    );
  };
  if (typeof path !== 'string' || !path.startsWith('$')) return wrong();
  const steps: PathStep[] = [];
  for (let at = 1; at < path.length; at = STEP.lastIndex) {
    STEP.lastIndex = at;
    const found = STEP.exec(path);
    if (found === null) return wrong();
    const [, star, name, anyElement, element, quoted] = found;
    if (star ?? anyElement) steps.push(null);
    else steps.push(name ?? element ?? quotedName(quoted!, wrong));
  }
  return steps;
}

function quotedName(text: string, wrong: () => never): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    return wrong();
  }
}

/** Follows a document down its containers and says which values are selected. */
export class PathCursor {
  readonly #paths: readonly (readonly PathStep[])[];
  /** For each open container on the way: the paths that lead through it, and the key or index of the value in it. */
  readonly #through: number[] = [];
  readonly #keys: (string | number)[] = [];

  constructor(paths: readonly (readonly PathStep[])[]) {
    this.#paths = paths;
  }

  get depth(): number {
    return this.#through.length;
  }

  get keys(): readonly (string | number)[] {
    return this.#keys;
  }

  /** The paths that lead to or through the value that begins here, as bits; 0 for none. */
  get candidates(): number {
    const depth = this.depth;
    const before = depth === 0 ? 2 ** this.#paths.length - 1 : this.#through[depth - 1]!;
    if (depth === 0) return before;
    let bits = 0;
    for (let path = 0; path < this.#paths.length; path++) {
      if ((before & (1 << path)) === 0) continue;
      const step = this.#paths[path]![depth - 1];
      if (step === null || (step !== undefined && step === String(this.#keys[depth - 1]))) bits |= 1 << path;
    }
    return bits;
  }

  /** Whether one of `candidates` ends here. */
  isSelected(candidates: number): boolean {
    return this.#paths.some((path, index) => (candidates & (1 << index)) !== 0 && path.length === this.depth);
  }

  enter(candidates: number, isArray: boolean): void {
    this.#through.push(candidates);
    this.#keys.push(isArray ? 0 : '');
  }

  leave(): void {
    this.#through.pop();
    this.#keys.pop();
  }

  /** The next value stands under `key`. */
  setKey(key: string): void {
    this.#keys[this.#keys.length - 1] = key;
  }

  nextElement(): void {
    const last = this.#keys.length - 1;
    const key = this.#keys[last];
    if (typeof key === 'number') this.#keys[last] = key + 1;
  }
}
