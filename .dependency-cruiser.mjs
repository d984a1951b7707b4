/**
 * The fence: who may import whom. `scripts/rooms.mjs` holds the lines; `scripts/check-fence.mjs` proves that each rule sees.
 *
 * Type-only imports count: a room that needs a stranger's type depends on it. Tests beside the code may import `testing`.
 * @type {import('dependency-cruiser').IConfiguration}
 */
import { fileURLToPath } from 'node:url';
import { alone, entries, rooms } from './scripts/rooms.mjs';

const TEST = '\\.test\\.tsx?$';
const anyOf = (names) => `(${names.map((name) => name.replaceAll('.', '\\.')).join('|')})`;

/** Each adapter's folder and the drivers that only it, and what stands `besides` it, may import. */
const ADAPTERS = [
  { folder: '^src/storage/sqlite/', drivers: ['^(node:)?sqlite$', '(^|/)@photostructure/sqlite(/|$)'] },
  { folder: '^src/storage/postgres/', drivers: ['(^|node_modules/)pg(/|$)'], besides: '^src/integrations/pg/' },
];
const HOLDERS = ['cache', 'pool', 'session', 'vector-index', 'stream'];

const rule = (name, comment, from, to) => ({ name, severity: 'error', comment, from, to });

const layers = rooms.flatMap(({ name, mayImport }) => [
  rule(
    `room-${name}`,
    `${name} may import only itself and the rooms on lines above it.`,
    { path: `^src/${name}/`, pathNot: TEST },
    { path: '^src/', pathNot: `^src/${anyOf([name, ...mayImport])}/` },
  ),
  rule(
    `room-${name}-tests`,
    `Tests of ${name} may import what it may, and testing.`,
    { path: `^src/${name}/.*${TEST}` },
    { path: '^src/', pathNot: `^src/${anyOf([name, ...mayImport, 'testing'])}/` },
  ),
]);

const holders = HOLDERS.map((name) =>
  rule(
    `holder-${name}`,
    'Holders are strangers to each other.',
    { path: `^src/holders/${name}/` },
    { path: `^src/holders/${anyOf(HOLDERS.filter((other) => other !== name))}/` },
  ),
);

const adapters = ADAPTERS.flatMap(({ folder, drivers, besides }) => [
  rule(
    'adapter-by-port',
    'An adapter is named only by platform, cli and testing; everyone else takes the port.',
    { path: '^src/', pathNot: `${folder}|^src/(platform|cli|testing)/` },
    { path: folder },
  ),
  rule(
    'driver-by-adapter',
    'A driver is imported only by its adapter.',
    { path: '^(src|dashboard)/', pathNot: besides ? `${folder}|${besides}` : folder },
    { path: drivers.join('|') },
  ),
]);

export default {
  forbidden: [
    ...layers,
    ...holders,
    ...adapters,
    rule('no-cycles', 'A cycle is two files that are really one.', {}, { circular: true }),
    rule(
      'entries-stand-outside',
      'The public entries re-export; no room imports them.',
      { path: '^src/' },
      { path: `^src/${anyOf(entries)}$` },
    ),
    rule(
      'root-loads-little',
      'The root entry loads no integration, no test support and no command line.',
      { path: '^src/index\\.ts$' },
      { path: `^src/(integrations|testing|cli|${alone})/` },
    ),
    rule(
      'src-stands-alone',
      'Source never imports tests, benches, scripts or the dashboard.',
      { path: '^src/' },
      { path: '^(test|bench|dashboard|scripts|examples)/' },
    ),
    rule(
      'plugin-alone',
      'The ESLint plugin imports nothing of ours.',
      { path: `^src/${alone}/` },
      { path: '^src/', pathNot: `^src/${alone}/` },
    ),
    rule(
      'plugin-unknown',
      'Nothing of ours imports the ESLint plugin.',
      { path: '^src/', pathNot: `^src/${alone}/` },
      { path: `^src/${alone}/` },
    ),
    rule(
      'dashboard-speaks-http',
      'The dashboard knows the server by HTTP; of the source it may take only the types of the wire.',
      { path: '^dashboard/' },
      { path: '^(src|test|bench|scripts)/', pathNot: '^src/server/wire\\.ts$' },
    ),
    rule(
      'dashboard-takes-types',
      'The wire is imported as types only: no server code in the page.',
      { path: '^dashboard/' },
      { path: '^src/server/wire\\.ts$', dependencyTypesNot: ['type-only'] },
    ),
    rule(
      'published-dependency',
      'Source may import only what package.json lists under dependencies or as an optional peer.',
      { path: '^src/', pathNot: `${TEST}|^src/testing/` },
      // What the tests install is a development dependency as well as a peer.
      { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only', 'npm-peer'] },
    ),
    rule(
      'suites-need-a-runner',
      'Conformance suites are written for vitest and fast-check; nothing else of development may be imported there.',
      { path: '^src/testing/', pathNot: TEST },
      { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], pathNot: 'node_modules/(vitest|fast-check)/' },
    ),
    rule(
      'testing-runs-anywhere',
      'What a user gets from the testing entry must load without a test runner.',
      { path: '^src/testing\\.ts$' },
      { path: 'node_modules/(vitest|fast-check)/', reachable: true },
    ),
    rule(
      'resolvable',
      'Every import leads somewhere.',
      {},
      { couldNotResolve: true, pathNot: '^((node:)?sqlite|\\./package\\.json)$' },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage|\\.cache)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: fileURLToPath(new URL('tsconfig.json', import.meta.url)) },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
};
