/**
 * One plain line for all test runs: `N passed, N failed`, with `, N skipped` where there are any.
 *
 * Reads vitest's JSON reports. A file of tests that could not even be loaded, and a run that left no report, count as one
 * failure each: neither may look like a run without failures.
 */
import { existsSync, readFileSync } from 'node:fs';

const counts = { passed: 0, failed: 0, skipped: 0 };
for (const path of process.argv.slice(2)) {
  if (!existsSync(path)) {
    console.error(`${path}: no report; that run did not finish.`);
    counts.failed++;
    continue;
  }
  for (const { status, assertionResults } of JSON.parse(readFileSync(path, 'utf8')).testResults) {
    const outcomes = assertionResults.map((test) => test.status);
    counts.passed += outcomes.filter((outcome) => outcome === 'passed').length;
    counts.failed += outcomes.filter((outcome) => outcome === 'failed').length;
    counts.skipped += outcomes.filter((outcome) => outcome !== 'passed' && outcome !== 'failed').length;
    if (status === 'failed' && !outcomes.includes('failed')) counts.failed++;
  }
}
console.log(
  `${counts.passed} passed, ${counts.failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''}`,
);
process.exit(counts.failed === 0 && counts.passed > 0 ? 0 : 1);
