/** The packed tarball in an empty folder, used as a new user would: installed without scripts, imported, run, asked. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunningServer, run } from '../package/built-package.ts';
import { projectFolder } from '../tidy/project-files.ts';

let folder: string;
let tarball: string;
let npx: string[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tenure-packed-'));
  execFileSync('npm', ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder], {
    cwd: projectFolder,
  });
  tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))!;
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  const quietly = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  execFileSync('npm', ['install', ...quietly, `./${tarball}`], { cwd: folder });
  npx = ['npx', '--no-install', 'tenure'];
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the packed package', () => {
  it('installs no package that only development needs', () => {
    const installed = readdirSync(join(folder, 'node_modules'));
    expect(installed).toContain('tenure');
    expect(installed).not.toContain('vitest');
    expect(installed).not.toContain('preact');
  });

  it('says its version', async () => {
    const { status, output } = await run([...npx, '--version'], { cwd: folder });
    expect(status, output).toBe(0);
    expect(output.trim()).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it('is imported by its name, and by its subpaths', async () => {
    const code = `
      import { Tenure } from 'tenure';
      import { ManualClock } from 'tenure/testing';
      console.log(typeof Tenure.open, typeof ManualClock);`;
    writeFileSync(join(folder, 'imports.mjs'), code);
    expect(await run([process.execPath, 'imports.mjs'], { cwd: folder })).toEqual({
      status: 0,
      output: 'function function\n',
    });
  });

  it('remembers across processes', async () => {
    const remembered = await run([...npx, 'remember', 'The deployment window is Tuesday at 14:00.'], { cwd: folder });
    expect(remembered.status, remembered.output).toBe(0);
    const recalled = await run([...npx, 'recall', 'When is the deployment window?'], { cwd: folder });
    expect(recalled.status, recalled.output).toBe(0);
    expect(recalled.output).toContain('Tuesday at 14:00');
  });

  it('answers, and looks at itself, as the README says', async () => {
    const documents = join(folder, 'docs');
    cpSync(join(projectFolder, 'docs', 'guide'), documents, { recursive: true });
    const ingested = await run([...npx, 'ingest', 'docs'], { cwd: folder });
    expect(ingested.status, ingested.output).toBe(0);
    const asked = await run([...npx, 'ask', 'how do I set a busy timeout?'], { cwd: folder });
    expect(asked.status, asked.output).toBe(0);
    expect(asked.output).toMatch(/lock_timeout_ms[\s\S]*\nSources\n {2}1\. \S*docs\/store-and-durability\.md/);
    const examined = await run([...npx, 'doctor'], { cwd: folder });
    expect(examined.status, examined.output).toBe(0);
    expect(examined.output).toMatch(/ok +The store is whole[\s\S]*\n0 errors, /);
  });

  it('serves from the tarball alone, in an empty folder', async () => {
    const empty = realpathSync(mkdtempSync(join(tmpdir(), 'tenure-npx-')));
    try {
      copyFileSync(join(folder, tarball), join(empty, tarball));
      const place = { cwd: empty, env: { npm_config_ignore_scripts: 'true', npm_config_prefer_offline: 'true' } };
      const tenure = ['npx', '--yes', `./${tarball}`];
      const server = await RunningServer.start([...tenure, 'serve', '--port', '0'], place);
      expect((await fetch(`${server.address}/health/ready`)).status).toBe(200);
      const page = await fetch(server.address);
      expect(page.headers.get('content-type')).toContain('text/html');
      const asked = await run([...tenure, 'ask', 'how do I set a busy timeout?'], place);
      expect(asked.status, asked.output).toBe(0);
      const { status, output } = await server.stop();
      expect(status, output).toBe(0);
      expect(output).toContain(`store          ${join(empty, '.tenure', 'tenure.db')}`);
      await expect(fetch(server.address)).rejects.toThrow();
      const examined = await run([...tenure, 'doctor'], place);
      expect(examined.output).toMatch(/ok +The store is whole/);
    } finally {
      rmSync(empty, { recursive: true, force: true });
    }
  });

  it('serves, answers from documents with sources, shows the dashboard, and stops cleanly', async () => {
    const docs = join(folder, 'node_modules', 'tenure', 'docs');
    const ingested = await run([...npx, 'ingest', docs], { cwd: folder });
    expect(ingested.status, ingested.output).toBe(0);

    const main = join(folder, 'node_modules', 'tenure', 'dist', 'cli', 'main.js');
    const server = await RunningServer.start([process.execPath, main, 'serve', '--port', '0'], { cwd: folder });
    const response = await fetch(`${server.address}/ask`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ question: 'how do I set a busy timeout?', scope: { tenant: 'default', agent: 'help' } }),
    });
    const { answer, sources } = (await response.json()) as { answer: string; sources: { path: string }[] };
    expect(answer).toMatch(/busy/i);
    expect(sources).not.toHaveLength(0);

    const page = await fetch(server.address);
    expect(page.headers.get('content-type')).toContain('text/html');

    const { status, output } = await server.stop();
    expect(status, output).toBe(0);
  });
});
