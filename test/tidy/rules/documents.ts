/** STYLE of what is not code: no private paths, numbered decisions, tables that say what they were measured on, links that lead. */
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { projectFolder } from '../project-files.ts';
import { file, isCode, isTest, type Rule } from '../rule.ts';

const MACHINE_PATH = /(?<![\w.~-])\/(tmp|home|root|work|Users)\/[\w.]/g;
const REGISTRY = /registry\.[a-z0-9.-]*(npm|yarn)[a-z0-9.-]*\.\w+|"resolved"\s*:\s*"http/g;

const publicPlaces: Rule = {
  name: 'no file names a path of one machine or the host of a registry',
  applies: () => true,
  problems: (source) =>
    [...source.text.matchAll(MACHINE_PATH), ...source.text.matchAll(REGISTRY)].map(({ index, 0: text }) =>
      source.problem(index, `"${text}": true on one machine only.`),
    ),
  planted: [
    file('docs/a.md', `cd ${['', 'home', 'me', 'tenure'].join('/')}`),
    file('test/a.ts', `const folder = '${['', 'tmp', 'x'].join('/')}';`),
    file('.npmrc', `registry=https://${['registry', 'npmjs', 'org'].join('.')}`),
  ],
  innocent: [file('docs/a.md', 'a tmp/work folder, ./home/page, https://example.com/home/x, the key registry.entries')],
};

const decisions: Rule = {
  name: 'decisions are numbered, named and headed alike',
  applies: (path) => path.startsWith('docs/decisions/'),
  problems: ({ path, text }) => {
    const number = /^docs\/decisions\/(\d{3})-[a-z0-9-]+\.md$/.exec(path)?.[1];
    if (!number) return [`${path}: name it NNN-title.md.`];
    const opening = `# ${Number(number)}. `;
    return text.startsWith(opening) ? [] : [`${path}: open with "${opening}" and the decision.`];
  },
  planted: [file('docs/decisions/build.md', '# 1. Build'), file('docs/decisions/001-build.md', '# Build')],
  innocent: [file('docs/decisions/001-build.md', '# 1. Build')],
};

const results: Rule = {
  name: 'every result table names its machine, Node version and commit',
  applies: (path) => path.startsWith('bench/results/') && !path.endsWith('/README.md'),
  problems: ({ path, text }) =>
    [
      /^\| machine \| .+, \d+ cores, \d+ GB \|$/m,
      /^\| Node \| v\d+\.\d+\.\d+ \|$/m,
      /^\| commit \| [0-9a-f]{7,40} \|$/m,
    ]
      .filter((wanted) => !wanted.test(text))
      .map((wanted) => `${path}: ${wanted} is missing; write tables with npm run bench -- <name> --write.`),
  planted: [
    file('bench/results/a.md', '| machine | X, 2 cores, 8 GB |', '| Node | v20.19.0 |'),
    file('bench/results/a.md', '| machine | |', '| Node | v20.19.0 |', '| commit | 0123abc |'),
  ],
  innocent: [
    file('bench/results/a.md', '| machine | X, 2 cores, 8 GB |', '| Node | v20.19.0 |', '| commit | 0123abc |'),
  ],
};

const links: Rule = {
  name: 'links inside the documents lead somewhere',
  applies: (path) => path.endsWith('.md'),
  problems: (source) =>
    [...source.text.matchAll(/\]\((?!https?:|mailto:|#)([^)\s#]+)(?:#[^)]*)?\)/g)].flatMap(({ index, 1: target }) => {
      const path = normalize(join(dirname(source.path), decodeURI(target!)));
      return existsSync(join(projectFolder, path)) ? [] : [source.problem(index, `${target} is not there.`)];
    }),
  planted: [file('docs/a.md', 'See [b](nowhere.md#here).')],
  innocent: [file('docs/a.md', 'See [b](../README.md#start), [c](https://example.com) and [d](#d).')],
};

const pagesNamedInCode: Rule = {
  name: 'a page that a comment sends the reader to is there',
  applies: (path) => isCode(path) && !isTest(path) && !path.startsWith('test/tidy/'),
  problems: (source) =>
    [...source.text.matchAll(/\bdocs\/[\w/-]+\.md\b/g)].flatMap(({ index, 0: page }) =>
      existsSync(join(projectFolder, page)) ? [] : [source.problem(index, `${page} is not there.`)],
    ),
  planted: [file('src/base/a.ts', '/** See docs/nowhere.md. */')],
  innocent: [file('src/base/a.ts', '/** See docs/errors.md; writes `docs/<name>.md`. */')],
};

const filesNamedInPages: Rule = {
  name: 'a source file that a page names is there',
  applies: (path) => path.endsWith('.md') && !/^(docs\/decisions\/|src\/README\.md)/.test(path),
  problems: (source) =>
    [...source.text.matchAll(/`((?:[\w.-]+\/)+[\w.-]+\.(?:ts|mjs))`/g)].flatMap(({ index, 1: named }) =>
      [named!, `src/${named}`].some((path) => existsSync(join(projectFolder, path)))
        ? []
        : [source.problem(index, `${named} is not there.`)],
    ),
  planted: [file('ARCHITECTURE.md', 'See `base/nowhere.ts`.')],
  innocent: [file('ARCHITECTURE.md', 'See `base/clock.ts`, `scripts/rooms.mjs`, `pressure/sensors/*` and `clock.ts`.')],
};

export const documentRules: readonly Rule[] = [
  publicPlaces,
  decisions,
  results,
  links,
  pagesNamedInCode,
  filesNamedInPages,
];
