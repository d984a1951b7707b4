/** What nobody should give as a configuration. What people do give is in `load.test.ts`. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadConfiguration } from './load.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-file-'));
});

afterEach(() => rm(folder, { recursive: true }));

async function loadText(text: string) {
  const path = join(folder, 'tenure.yml');
  await writeFile(path, text);
  return loadConfiguration({ path, environment: {} });
}

async function problemsOf(text: string): Promise<string[]> {
  const error = await loadText(text).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
  return (error as { details: { problems: string[] } }).details.problems;
}

const short = (problem: string) => problem.replace(`${join(folder, 'tenure.yml')}:`, '');

describe('a configuration file', () => {
  it('is a regular file, of which no more is read than it may have', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    for (const path of ['/dev/zero', join(folder, 'pipe'), folder])
      await expect(loadConfiguration({ path, environment: {} })).rejects.toMatchObject({
        code: 'CONFIG_UNREADABLE',
        details: { reason: 'it is not a regular file' },
      });
    // A file without an end that looks like one without content.
    await expect(loadConfiguration({ path: '/proc/self/pagemap', environment: {} })).rejects.toMatchObject({
      code: 'CONFIG_UNREADABLE',
    });
  });

  it('with a problem in every line tells of the first, in the time it takes to read', async () => {
    const started = performance.now();
    const problems = await problemsOf(Array.from({ length: 60_000 }, (_, index) => `servr${index}: 1\n`).join(''));
    expect(problems).toHaveLength(21);
    expect(short(problems[19]!)).toMatch(/^20:1 servr19: unknown key/);
    expect(problems[20]).toBe('… and 59980 more');
    // Compared with each other, the keys took a minute.
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  it.each([
    ['server: { port: 99999999999999999999999 }', ['1:17 server.port: is 1e+23, which is too large.']],
    ['? [a, b]\n: 1\n', ['1:3: a key must be a word']],
    ['server: !!set { port }', ['1:15: the tag !!set has no meaning here']],
    ['server: { port: !!timestamp 2026-01-01 }', ['1:29: the tag !!timestamp has no meaning here']],
    ['server: { port: 1 }\nserver: { port: 2 }', ['2:1: not valid YAML: the key "server" is given twice.']],
  ])('says of %j once what is wrong, and Node warns of nothing', async (text, expected) => {
    const warned = vi.spyOn(process, 'emitWarning');
    const problems = (await problemsOf(text)).map(short);
    expect(problems).toEqual(expected.map((start) => expect.stringContaining(start)));
    expect(warned).not.toHaveBeenCalled();
    warned.mockRestore();
  });

  it('takes the tags of plain values', async () => {
    const { values } = await loadText('server: !!map { port: !!int 80, host: !!str "[::1]" }');
    expect([values.server.port, values.server.host]).toEqual([80, '::1']);
  });
});
