/**
 * `npm run test:long -- [--rounds <n>]`: the property tests again and again, each round with new seeds, 20 rounds unless told otherwise.
 *
 * One round is what `npm test` runs. A failure ends it, with the seed that fast-check prints to run it again.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './repository.mjs';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '20' } } });
const rounds = Number(values.rounds);
if (!(Number.isInteger(rounds) && rounds > 0)) {
  console.error(`--rounds takes a whole number above 0; got "${values.rounds}".`);
  process.exit(2);
}

const files = ['src', 'test']
  .flatMap(testsIn)
  .filter((path) => readFileSync(join(root, path), 'utf8').match(/'fast-check'|-conformance\.ts'/));
for (let round = 1; round <= rounds; round++) {
  console.log(`\nround ${round} of ${rounds}`);
  const { status } = spawnSync(
    process.execPath,
    [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', ...files],
    {
      cwd: root,
      stdio: 'inherit',
    },
  );
  if (status !== 0) process.exit(status ?? 1);
}

function testsIn(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return testsIn(path);
    return entry.name.endsWith('.test.ts') ? [path] : [];
  });
}
