/**
 * `tenure.yml` as a layer: YAML 1.2, with the line and column of every key and value.
 *
 * The parser is loaded only when there is a file: a node without one saves the memory.
 */
import { open, stat } from 'node:fs/promises';
import type { Document, LineCounter, Node, Pair, YAMLMap } from 'yaml';
import { MIB } from '../../base/bytes.ts';
import type { Layer, Path } from './layer.ts';
import { ConfigurationError, ConfigurationUnreadableError, type Origin } from './problem.ts';
import { refusedIn } from './yaml-refused.ts';

/** A larger file is no configuration. */
const FILE_LIMIT_BYTES = MIB;

/**
 * Reads `file`; null when it does not exist and need not.
 *
 * @throws ConfigurationUnreadableError when it cannot be read or is not UTF-8, ConfigurationError when it is not YAML, or is empty and
 *   may not be.
 */
export async function readFileLayer(
  file: string,
  options: { mustExist: boolean; mayBeEmpty: boolean },
): Promise<Layer | null> {
  const text = await readText(file, options);
  if (text?.trim() === '' && !options.mayBeEmpty) {
    const message = 'is empty. To go back to the defaults, leave a comment in it.';
    throw new ConfigurationError([{ key: '', origin: startOf(file), message }]);
  }
  return text === null ? null : parseFileLayer(text, file);
}

/** The layer of a text in YAML; `file` is its name in messages. */
export async function parseFileLayer(text: string, file: string): Promise<Layer> {
  const yaml = await import('yaml');
  const lines = new yaml.LineCounter();
  const document = usable(file, () =>
    // Keys given twice are looked for in time that grows with their number, not with its square.
    yaml.parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false }),
  );
  const broken = [...document.errors, ...document.warnings];
  const refused =
    broken.length > 0
      ? broken.map(({ pos, message }) => ({ offset: pos[0], message: `not valid YAML: ${message}` }))
      : refusedIn(yaml, document);
  if (refused.length > 0) {
    throw new ConfigurationError(
      refused.map(({ offset, message }) => ({ key: '', origin: originAt(file, lines, offset), message })),
    );
  }
  const pairs = new PairIndex(yaml);
  return {
    tree: usable(file, () => document.toJS() as unknown),
    locate: (path, part) => originAt(file, lines, offsetOf(pairs, document, path, part)),
  };
}

async function readText(file: string, { mustExist }: { mustExist: boolean }): Promise<string | null> {
  let bytes: Uint8Array;
  try {
    bytes = await readBounded(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && !mustExist) return null;
    if (error instanceof ConfigurationUnreadableError) throw error;
    throw new ConfigurationUnreadableError(file, code === 'ENOENT' ? 'there is no such file' : message, error);
  }
  if (bytes.length > FILE_LIMIT_BYTES) throw new ConfigurationUnreadableError(file, 'it is larger than 1 MB');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new ConfigurationUnreadableError(file, 'it is not valid UTF-8', error);
  }
}

/** Reads a little more than a configuration may have, and of a plain file only: a device need not end, and a pipe waits for a writer. */
async function readBounded(file: string): Promise<Uint8Array> {
  if (!(await stat(file)).isFile()) throw new ConfigurationUnreadableError(file, 'it is not a regular file');
  const handle = await open(file);
  try {
    const bytes = Buffer.alloc(FILE_LIMIT_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      ({ bytesRead: read } = await handle.read(bytes, length, bytes.length - length));
    }
    return bytes.subarray(0, length);
  } finally {
    await handle.close();
  }
}

/** What `make` makes. A file of aliases that multiply is refused by the parser's own limit, one that nests too deep by the stack's. */
function usable<T>(file: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    const message = `not usable YAML: ${(error as Error).message}`;
    throw new ConfigurationError([{ key: '', origin: startOf(file), message }]);
  }
}

function startOf(file: string): Origin {
  return { kind: 'file', file, line: 1, column: 1 };
}

function originAt(file: string, lines: LineCounter, offset: number): Origin {
  const { line, col } = lines.linePos(offset);
  return { kind: 'file', file, line: Math.max(1, line), column: Math.max(1, col) };
}

/** Where `path` stands in the text; where its last part is missing, where the part above it stands. */
function offsetOf(pairs: PairIndex, document: Document, path: Path, part: 'key' | 'value'): number {
  const { yaml } = pairs;
  let node: unknown = document.contents;
  let offset = (node as Node | null)?.range?.[0] ?? 0;
  for (const [index, name] of path.entries()) {
    if (yaml.isAlias(node)) node = node.resolve(document);
    if (yaml.isMap(node)) {
      const pair = pairs.find(node, String(name));
      if (!pair) return offset;
      const named = part === 'key' && index === path.length - 1;
      offset = ((named ? null : pair.value) ?? pair.key).range?.[0] ?? offset;
      node = pair.value;
    } else if (yaml.isSeq(node)) {
      node = node.items[Number(name)];
      offset = (node as Node).range?.[0] ?? offset;
    }
  }
  return offset;
}

type FoundPair = Pair<Node, Node | null>;

/** The pairs of maps by their names; a map is gone through once, however many of its keys are asked for. */
class PairIndex {
  readonly yaml: typeof import('yaml');
  readonly #pairs = new Map<YAMLMap, Map<string, FoundPair>>();

  constructor(yaml: typeof import('yaml')) {
    this.yaml = yaml;
  }

  find(map: YAMLMap, name: string): FoundPair | undefined {
    let named = this.#pairs.get(map);
    if (!named) {
      named = new Map(
        (map.items as FoundPair[]).map((pair) => [String((pair.key as { value?: unknown }).value), pair]),
      );
      this.#pairs.set(map, named);
    }
    return named.get(name);
  }
}
