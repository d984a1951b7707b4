/** `npm start` in a fresh clone in an empty folder, with install scripts blocked: from nothing to a dashboard, and down again. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { projectFolder } from '../tidy/project-files.ts';

let folder: string;

beforeAll(() => {
  folder = join(realpathSync(mkdtempSync(join(tmpdir(), 'tenure-clone-'))), 'tenure');
  execFileSync('git', ['clone', '--quiet', projectFolder, folder]);
});

afterAll(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

it('sets up, serves, and stops when npm is told to stop', { timeout: 240_000 }, async () => {
  const env = { ...process.env, npm_config_ignore_scripts: 'true', NODE_ENV: 'production' };
  const npm = spawn('npm', ['start', '--', '--port', '0'], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const address = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      const found = /^ {2}address +(http:\/\/[\d.]+:\d+)$/m.exec(output);
      if (found) resolve(found[1]!);
    };
    npm.stdout.on('data', read);
    npm.stderr.on('data', read);
    npm.on('close', () => reject(new Error(`npm start ended before it listened:\n${output}`)));
  });
  const line = (what: string, value: string) => `\n  ${what.padEnd(14)} ${value}\n`;
  expect(output).toContain(line('configuration', 'defaults (no tenure.yml in this folder)'));
  expect(output).toContain(line('store', join(folder, '.tenure', 'tenure.db')));
  expect(output).toContain(line('log', 'standard error'));
  expect(output).toContain(line('address', address));
  expect(address).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d*$/);
  const page = await fetch(address);
  expect(page.status).toBe(200);
  expect(await page.text()).toContain('<script');
  expect((await fetch(`${address}/health/ready`)).status).toBe(200);

  npm.kill('SIGTERM');
  await once(npm, 'close');
  await expect(fetch(address)).rejects.toThrow();
});
