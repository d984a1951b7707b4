/**
 * `tenure.yml` as a layer: YAML 1.2, with the line and column of every key and value.
 *
 * The parser is loaded only when there is a file: a node without one saves the memory.
 */
import { readFile } from 'node:fs/promises';
import type { Document, LineCounter, Node, Pair, YAMLMap } from 'yaml';
import { MIB } from '../../base/bytes.ts';
import type { Layer, Path } from './layer.ts';
import { ConfigurationError, ConfigurationUnreadableError, type Origin } from './problem.ts';

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
  const document = yaml.parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const broken = [...document.errors, ...document.warnings];
  if (broken.length > 0) {
    throw new ConfigurationError(
      broken.map(({ pos, message }) => ({
        key: '',
        origin: originAt(file, lines, pos[0]),
        message: `not valid YAML: ${message}`,
      })),
    );
  }
  return {
    tree: treeOf(document, file),
    locate: (path, part) => originAt(file, lines, offsetOf(yaml, document, path, part)),
  };
}

async function readText(file: string, { mustExist }: { mustExist: boolean }): Promise<string | null> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && !mustExist) return null;
    throw new ConfigurationUnreadableError(file, code === 'ENOENT' ? 'there is no such file' : message, error);
  }
  if (bytes.length > FILE_LIMIT_BYTES) throw new ConfigurationUnreadableError(file, 'it is larger than 1 MB');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new ConfigurationUnreadableError(file, 'it is not valid UTF-8', error);
  }
}

/** The plain values. A file of aliases that multiply is refused by the parser's own limit. */
function treeOf(document: Document, file: string): unknown {
  try {
    return document.toJS() as unknown;
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
function offsetOf(yaml: typeof import('yaml'), document: Document, path: Path, part: 'key' | 'value'): number {
  let node: unknown = document.contents;
  let offset = (node as Node | null)?.range?.[0] ?? 0;
  for (const [index, name] of path.entries()) {
    if (yaml.isAlias(node)) node = node.resolve(document);
    if (yaml.isMap(node)) {
      const pair = pairOf(yaml, node, String(name));
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

function pairOf(yaml: typeof import('yaml'), map: YAMLMap, name: string): Pair<Node, Node | null> | undefined {
  return map.items.find(({ key }) => yaml.isScalar(key) && String(key.value) === name) as
    | Pair<Node, Node | null>
    | undefined;
}
