/**
 * YAML that is valid and of no use here: keys that are lists or groups, keys given twice, and tags that make sets, dates and the like.
 *
 * The parser would pass over some of it without a word (a set is a group without values) and turn a list into a key with a warning of
 * its own. It can tell keys given twice, but compares each with each; a file of 60,000 keys then takes a minute.
 */
import type { Document, Node, YAMLMap } from 'yaml';

type Yaml = typeof import('yaml');

/** What is wrong, and how far from the start of the text. */
export interface Refused {
  readonly offset: number;
  readonly message: string;
}

/** What tags may make: the plain values of JSON. */
const PLAIN_TAGS = new Set(
  ['map', 'seq', 'str', 'int', 'float', 'bool', 'null'].map((name) => `tag:yaml.org,2002:${name}`),
);

export function refusedIn(yaml: Yaml, document: Document): Refused[] {
  const refused: Refused[] = [];
  const refuse = (node: unknown, message: string) =>
    refused.push({ offset: (node as Node | null)?.range?.[0] ?? 0, message });
  yaml.visit(document, {
    Node: (_key, node) => {
      if (!yaml.isAlias(node) && node.tag !== undefined && !PLAIN_TAGS.has(node.tag)) {
        refuse(
          node,
          `the tag !!${node.tag.split(':').at(-1)} has no meaning here; write plain values, lists and groups.`,
        );
        return yaml.visit.SKIP;
      }
      if (yaml.isMap(node)) refuseKeys(yaml, node, refuse);
      return undefined;
    },
  });
  return refused;
}

function refuseKeys(yaml: Yaml, map: YAMLMap, refuse: (node: unknown, message: string) => void): void {
  const names = new Set<string>();
  for (const { key } of map.items) {
    if (!yaml.isScalar(key)) {
      refuse(key, 'a key must be a word, not a list, a group or an alias.');
      continue;
    }
    const name = String(key.value);
    if (names.has(name)) refuse(key, `not valid YAML: the key ${JSON.stringify(name)} is given twice.`);
    names.add(name);
  }
}
