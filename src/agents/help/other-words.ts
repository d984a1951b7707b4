/**
 * Other words for the same: who asks does not know which one the document uses.
 *
 * Few on purpose, and only those that mean the same in every document about software: a wrong one answers another question.
 */
import { analyze } from '../../agent-memory/analyze.ts';

const GROUPS = [
  'delete remove erase forget',
  'folder directory',
  'settings configuration config',
  'licence license',
  'backup back',
  'maximum max largest',
  'large big size',
  'fast quick speed performance slow',
  'cap limit restrict',
  'stop quit exit shutdown',
  'start launch run',
  'stdin input',
  'stdout output',
  'env environment',
  'db database',
  'docs documentation',
  'repo repository',
  'os system',
  'save keep store',
  'change set edit',
  'expire expiry ttl',
  'login authentication password',
  'crash killed kill die',
  'check verify doctor',
  'upgrade update',
];

const OTHERS = new Map<string, string[]>();
for (const group of GROUPS) {
  const words = group.split(' ');
  for (const word of words) {
    const [term] = analyze(word) as [string];
    OTHERS.set(term, [...(OTHERS.get(term) ?? []), ...words.filter((other) => other !== word)]);
  }
}
const OTHER_TERMS = new Map([...OTHERS].map(([term, words]) => [term, words.flatMap(analyze)]));

/** Words that mean the same as the word of `term`; often none. */
export function otherWordsFor(term: string): readonly string[] {
  return OTHERS.get(term) ?? [];
}

/** Their terms. */
export function otherTermsFor(term: string): readonly string[] {
  return OTHER_TERMS.get(term) ?? [];
}
