/**
 * The fence, and the proof that it sees.
 *
 * A fence that is silent is either kept or blind. So before the real tree is judged, a planted one is: every room imports every
 * other, and each further rule is broken once. The violations found there must be exactly the ones planted, no more and no
 * fewer; then the project itself must have none.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './repository.mjs';
import { alone, rooms } from './rooms.mjs';

const FOLDERS = ['src', 'dashboard', 'test', 'bench', 'scripts'];

/** What breaks each rule; the code reaches for rooms and for the innocent files below. */
const planted = [
  { rule: 'driver-by-adapter', file: 'src/storage/planted-builtin.ts', code: "import 'node:sqlite';" },
  { rule: 'driver-by-adapter', file: 'src/platform/planted-package.ts', code: "import '@photostructure/sqlite';" },
  { rule: 'driver-by-adapter', file: 'src/platform/planted-lazy.ts', code: "await import('node:sqlite');" },
  { rule: 'adapter-by-port', file: 'src/storage/planted-adapter.ts', code: "import './sqlite/adapter.ts';" },
  { rule: 'adapter-by-port', file: 'src/agents/planted-adapter.ts', code: "import '../storage/sqlite/adapter.ts';" },
  {
    rule: 'adapter-by-port',
    file: 'src/storage/planted-type.ts',
    code: "import type { A } from './sqlite/adapter.ts';\nexport type B = A;",
  },
  { rule: 'holder-cache', file: 'src/holders/cache/planted.ts', code: "import '../pool/pool.ts';" },
  { rule: 'room-base-tests', file: 'src/base/planted.test.ts', code: "import '../budget/room.ts';" },
  { rule: 'entries-stand-outside', file: 'src/cli/planted.ts', code: "import '../testing.ts';" },
  { rule: 'root-loads-little', file: 'src/index.ts', code: "import './cli/room.ts';" },
  { rule: 'src-stands-alone', file: 'src/cli/planted-bench.ts', code: "import '../../bench/bench.ts';" },
  { rule: 'src-stands-alone', file: 'src/cli/planted-test.ts', code: "import '../../test/support.ts';" },
  { rule: 'src-stands-alone', file: 'src/cli/planted-dashboard.ts', code: "import '../../dashboard/own.ts';" },
  { rule: 'plugin-alone', file: `src/${alone}/planted.ts`, code: "import '../base/room.ts';" },
  { rule: 'plugin-unknown', file: 'src/cli/planted-plugin.ts', code: `import '../${alone}/rule.ts';` },
  {
    rule: 'dashboard-speaks-http',
    file: 'dashboard/planted-room.ts',
    code: "import type { R } from '../src/server/room.ts';\nexport type S = R;",
  },
  {
    rule: 'dashboard-takes-types',
    file: 'dashboard/planted-value.ts',
    code: "import { wire } from '../src/server/wire.ts';\nwire();",
  },
  { rule: 'published-dependency', file: 'src/cli/planted-dev.ts', code: "import 'fast-check';" },
  { rule: 'suites-need-a-runner', file: 'src/testing/planted-dev.ts', code: "import 'publint';" },
  { rule: 'testing-runs-anywhere', file: 'src/testing.ts', code: "import './testing/suite.ts';" },
  { rule: 'resolvable', file: 'src/cli/planted-nowhere.ts', code: "import './nowhere.ts';" },
  { rule: 'no-cycles', file: 'src/base/circle-a.ts', code: "import './circle-b.ts';" },
];

/** Files that break nothing: what the planted ones reach for, and what looks like a violation and is none. */
const innocent = {
  'src/storage/sqlite/adapter.ts': "import 'node:sqlite';\nimport '@photostructure/sqlite';\nexport type A = 1;",
  'src/platform/names-adapter.ts': "import '../storage/sqlite/adapter.ts';",
  'src/base/circle-b.ts': "import './circle-a.ts';",
  'src/holders/pool/pool.ts': 'export {};',
  'src/base/innocent.test.ts': "import '../testing/room.ts';\nimport 'fast-check';",
  'src/testing/suite.ts': "import 'vitest';\nimport 'fast-check';",
  'src/server/wire.ts': 'export const wire = () => {};\nexport type W = 1;',
  [`src/${alone}/rule.ts`]: 'export {};',
  'dashboard/own.ts': "import type { W } from '../src/server/wire.ts';\nexport type V = W;",
  'bench/bench.ts': "import '../src/index.ts';\nimport 'node:sqlite';",
  'test/support.ts': "import '../src/testing.ts';",
  'scripts/own.mjs': 'export {};',
};

/** One file for each room, and one for each pair that tries the way from the first to the second. */
function everyWay() {
  const files = Object.fromEntries(rooms.map(({ name }) => [`src/${name}/room.ts`, 'export type R = 1;']));
  const forbidden = [];
  for (const from of rooms) {
    for (const to of rooms.filter((room) => room !== from)) {
      const file = `src/${from.name}/to-${to.name}.ts`;
      files[file] = `import type { R } from '../${to.name}/room.ts';\nexport type S = R;`;
      if (!from.mayImport.includes(to.name)) forbidden.push({ rule: `room-${from.name}`, file });
    }
  }
  return { files, forbidden };
}

/** Runs dependency-cruiser over `folders` of `tree`; returns `rule file` for each violation, with the text to show. */
function violationsIn(tree, folders) {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs'),
      ...['--config', join(root, '.dependency-cruiser.mjs'), '--output-type', 'json'],
      ...folders,
    ],
    { cwd: tree, encoding: 'utf8', maxBuffer: 2 ** 28 },
  );
  if (!stdout.startsWith('{')) throw new Error(`dependency-cruiser did not run: ${stderr || stdout}`);
  const { summary } = JSON.parse(stdout);
  if (summary.totalCruised === 0) throw new Error('dependency-cruiser saw no file; the fence proves nothing.');
  return {
    modules: summary.totalCruised,
    found: summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, file: from, to })),
  };
}

function plant(tree) {
  const { files, forbidden } = everyWay();
  const expected = [...forbidden, ...planted];
  rmSync(tree, { recursive: true, force: true });
  const all = { ...files, ...innocent, ...Object.fromEntries(planted.map(({ file, code }) => [file, code])) };
  for (const [file, code] of Object.entries(all)) {
    mkdirSync(dirname(join(tree, file)), { recursive: true });
    writeFileSync(join(tree, file), `${code}\n`);
  }
  return expected;
}

const key = ({ rule, file }) => `${rule} ${file}`;

function proveItSees() {
  const tree = join(root, '.cache', 'fence');
  const expected = plant(tree);
  const { found } = violationsIn(tree, FOLDERS);
  const foundKeys = new Set(found.map(key));
  const expectedKeys = new Set(expected.map(key));
  // A planted file may break a second rule on the way (a lower room that imports a test also leaves its room).
  const plantedFiles = new Set(planted.map(({ file }) => file));
  const unseen = [...expectedKeys].filter((one) => !foundKeys.has(one));
  const invented = found.filter((one) => !expectedKeys.has(key(one)) && !plantedFiles.has(one.file)).map(key);
  rmSync(tree, { recursive: true, force: true });
  if (unseen.length + invented.length > 0) {
    for (const one of unseen) console.error(`the fence does not see: ${one}`);
    for (const one of invented) console.error(`the fence sees what is allowed: ${one}`);
    process.exit(1);
  }
  return expectedKeys.size;
}

const seen = proveItSees();
const { found, modules } = violationsIn(root, FOLDERS);
for (const { rule, file, to } of found) console.error(`${file} → ${to}: ${rule}`);
if (found.length > 0) process.exit(1);
console.log(`The fence sees all ${seen} planted violations and none in ${modules} modules.`);
