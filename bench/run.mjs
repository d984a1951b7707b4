/**
 * The bench runner: `npm run bench -- [name …] [--small] [--write]`.
 *
 * Without a name it runs every bench. Each is bundled on the fly and runs alone in a fresh process with `--expose-gc`, so one bench's
 * garbage and warm code are never another's figures. `--small` proves that a bench still works, in seconds; `--write` keeps the table
 * in `bench/results/<name>.md` with the machine, the Node version and the commit, and refuses uncommitted sources, for a table that
 * names a commit must be that commit's.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, platform, release, totalmem } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { rolldown } from 'rolldown';
import { root } from '../scripts/repository.mjs';

/** Files beside the benches that are not benches. */
const SUPPORT = new Set(['table.ts', 'reference-data.ts']);
/** What a bench throws that cannot run here, for want of data or of the right to make a cgroup. */
const CANNOT_RUN = ['MissingDataError', 'NoCgroupError'];
const EXIT_CANNOT_RUN = 3;
const LONGEST_MS = 30 * 60_000;
const ENTRY = 'bench-entry';
/** What lowered syntax (`using`) needs; the bundler brings it. */
const HELPERS = '@oxc-project/runtime';
/** Bundles and raw tables. */
const work = join(root, '.cache', 'bench');

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { small: { type: 'boolean', default: false }, write: { type: 'boolean', default: false } },
});

const known = readdirSync(join(root, 'bench'))
  .filter((file) => file.endsWith('.ts') && !SUPPORT.has(file))
  .map((file) => file.slice(0, -3))
  .sort();
const unknown = positionals.filter((name) => !known.includes(name));
if (unknown.length > 0) stop(`No bench named ${unknown.join(', ')}. There are: ${known.join(', ')}.`);
if (options.write && options.small) stop('--small figures are not worth keeping; use --write alone.');
if (
  options.write &&
  git('status', '--porcelain', '--', 'src', 'bench', 'package-lock.json', ':!bench/results') !== ''
) {
  stop('Commit the sources first: a kept table names the commit it was measured on.');
}

const skipped = [];
for (const name of positionals.length > 0 ? positionals : known) {
  const result = await run(name);
  if (result === EXIT_CANNOT_RUN) skipped.push(name);
  else if (result !== 0) stop(`The bench ${name} failed.`);
}
if (skipped.length > 0) console.log(`Cannot run here (see above): ${skipped.join(', ')}.`);
// A machine of CI has the data and the rights; a bench that did not run there is a failure, not a gap.
if (skipped.length > 0 && (process.env.CI === 'true' || positionals.length > 0)) process.exit(EXIT_CANNOT_RUN);

/** Bundles and runs one bench, prints its table; returns 0, `EXIT_CANNOT_RUN` or what the child exited with. */
async function run(name) {
  const script = join(work, `${name}.mjs`);
  const output = join(work, `${name}.json`);
  mkdirSync(work, { recursive: true });
  rmSync(output, { force: true });
  await bundle(name, { script, output });
  console.log(`\n${name}`);
  const { status, signal } = spawnSync(process.execPath, ['--expose-gc', '--enable-source-maps', script], {
    cwd: root,
    stdio: 'inherit',
    timeout: LONGEST_MS,
  });
  if (signal) console.error(`${name} was ended by ${signal}; a bench may take ${LONGEST_MS / 60_000} minutes.`);
  if (status !== 0) return status ?? 1;
  const { question, table } = JSON.parse(readFileSync(output, 'utf8'));
  console.log(`${question}\n\n${textTable(table)}`);
  for (const note of table.notes ?? []) console.log(`  ${note}`);
  if (options.write) {
    mkdirSync(join(root, 'bench', 'results'), { recursive: true });
    writeFileSync(join(root, 'bench', 'results', `${name}.md`), page({ name, question, table }));
  }
  return 0;
}

/** One file with the bench, its source and what the runner needs of it; packages stay outside. */
async function bundle(name, { script, output }) {
  const entry = `
    import { writeFileSync } from 'node:fs';
    import { bench } from ${JSON.stringify(join(root, 'bench', `${name}.ts`))};
    try {
      const table = await bench.run({ small: ${options.small} });
      writeFileSync(${JSON.stringify(output)}, JSON.stringify({ question: bench.question, table }));
    } catch (error) {
      if (!${JSON.stringify(CANNOT_RUN)}.includes(error?.name)) throw error;
      console.error(error.message);
      process.exitCode = ${EXIT_CANNOT_RUN};
    }`;
  const built = await rolldown({
    input: ENTRY,
    platform: 'node',
    external: (id) => id !== ENTRY && !id.startsWith('.') && !id.startsWith(HELPERS) && !isAbsolute(id),
    plugins: [
      {
        name: 'bench-entry',
        resolveId: (id) => (id === ENTRY ? id : null),
        load: (id) => (id === ENTRY ? entry : null),
        // A module that reaches for a file beside itself must find it where its source is, not beside the bundle.
        transform: (code, id) =>
          code.includes('import.meta.')
            ? code
                .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href))
                .replaceAll('import.meta.dirname', JSON.stringify(dirname(id)))
            : null,
      },
    ],
    transform: { target: 'node20.19' },
    logLevel: 'warn',
  });
  await built.write({ file: script, format: 'esm', sourcemap: true, codeSplitting: false });
  await built.close();
}

function textTable({ columns, rows }) {
  const cells = [columns, ...rows].map((row) => row.map(String));
  const widths = columns.map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  const lines = cells.map((row, line) =>
    row
      .map((cell, column) =>
        line > 0 && typeof rows[line - 1][column] === 'number'
          ? cell.padStart(widths[column])
          : cell.padEnd(widths[column]),
      )
      .join('  ')
      .trimEnd(),
  );
  return [lines[0], widths.map((width) => '-'.repeat(width)).join('  '), ...lines.slice(1)].join('\n');
}

function page({ name, question, table }) {
  const row = (cells) => `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
  return [
    `# ${name}`,
    '',
    question,
    '',
    row(table.columns),
    row(table.columns.map(() => '---')),
    ...table.rows.map(row),
    '',
    ...(table.notes ?? []).flatMap((note) => [note, '']),
    '| measured on | |',
    '| --- | --- |',
    row(['machine', `${cpus()[0].model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB`]),
    row(['system', `${platform()} ${release()}`]),
    row(['Node', process.version]),
    row(['commit', git('rev-parse', '--short=12', 'HEAD')]),
    row(['date', new Date().toISOString().slice(0, 10)]),
    '',
  ].join('\n');
}

function git(...args) {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
}

function stop(message) {
  console.error(message);
  process.exit(1);
}
