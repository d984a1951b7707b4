/** The last line of CI tells the truth about the reports it was given. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectFolder } from './project-files.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tenure-summary-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes a report of one file of tests for each list of outcomes. */
function report(name: string, ...files: { status: string; outcomes: string[] }[]): string {
  const testResults = files.map(({ status, outcomes }) => ({
    status,
    assertionResults: outcomes.map((outcome) => ({ status: outcome })),
  }));
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify({ testResults }));
  return path;
}

function summary(...paths: string[]): { status: number | null; line: string } {
  const script = join(projectFolder, 'scripts', 'summarize-tests.mjs');
  const { status, stdout } = spawnSync(process.execPath, [script, ...paths], { encoding: 'utf8' });
  return { status, line: stdout.trim() };
}

describe('the summary of test runs', () => {
  it('adds up all runs', () => {
    const good = report('good.json', { status: 'passed', outcomes: ['passed', 'passed'] });
    const bad = report('bad.json', { status: 'failed', outcomes: ['passed', 'failed', 'pending'] });
    expect(summary(good)).toEqual({ status: 0, line: '2 passed, 0 failed' });
    expect(summary(good, bad)).toEqual({ status: 1, line: '3 passed, 1 failed, 1 skipped' });
  });

  it('counts a file that could not be loaded, and a run without a report, as failures', () => {
    const good = report('good.json', { status: 'passed', outcomes: ['passed'] });
    const unloaded = report('unloaded.json', { status: 'failed', outcomes: [] });
    expect(summary(good, unloaded)).toEqual({ status: 1, line: '1 passed, 1 failed' });
    expect(summary(good, join(folder, 'absent.json'))).toEqual({ status: 1, line: '1 passed, 1 failed' });
  });

  it('does not take nothing for success', () => {
    expect(summary(report('empty.json'))).toEqual({ status: 1, line: '0 passed, 0 failed' });
  });
});
