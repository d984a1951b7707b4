import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InvariantError } from '../base/assert.ts';
import { StoreFullError } from '../storage/storage-errors.ts';
import { CommandLine } from './cli.fixture.ts';
import { InterruptedError } from './exit.ts';

let user: CommandLine;

beforeEach(async () => {
  user = await CommandLine.create();
});

afterEach(async () => {
  expect(user.openNodes).toBe(0);
  await user[Symbol.asyncDispose]();
});

describe('help and usage', () => {
  it('tells its version and its commands without opening anything', async () => {
    const openNode = () => Promise.reject(new Error('opened'));
    expect((await user.run(['--version'], { openNode })).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    const { stdout, exitCode } = await user.run(['--help'], { openNode });
    expect(exitCode).toBe(0);
    for (const name of ['serve', 'doctor', 'ingest', 'ask', 'remember', 'recall'])
      expect(stdout).toContain(`  ${name}`);
    expect(stdout).toContain('Exit codes');
  });

  it.each(['serve', 'doctor', 'ingest', 'ask', 'remember', 'recall'])(
    'explains %s with examples and global options',
    async (name) => {
      const { stdout, exitCode } = await user.run([name, '--help']);
      expect(exitCode).toBe(0);
      expect(stdout).toContain(`\n  tenure ${name}`);
      expect(stdout).toContain('--directory <path>');
    },
  );

  it.each([
    [['ask'], "missing required argument 'question'"],
    [['recall', 'x', '--limti', '3'], "unknown option '--limti'"],
    [['rember', 'x'], "unknown command 'rember'"],
    [['recall', 'x', '--limit', '0'], 'whole number from 1 to 1000'],
    [['recall', 'x', '--limit', '1e2'], 'whole number from 1 to 1000'],
    [['remember', 'x', '--importance', 'high'], 'number from 0 to 1'],
    [['serve', '--port', '65536'], 'whole number from 0 to 65535'],
    [['ingest', 'x', '--kind', 'pdf'], "'pdf' is invalid"],
    [['ask', ' '], 'There is no text'],
    [['ingest', '-', 'file.md'], 'cannot be read together'],
    [['ingest', '-'], '--kind markdown'],
    [['ingest', 'x.md', '--name', 'y'], '--name is for standard input'],
    [['doctor', 'extra'], 'too many arguments'],
  ])('refuses %j with exit code 2', async (args, message) => {
    const { exitCode, stdout, stderr } = await user.run(args);
    expect(exitCode).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^error USAGE: /);
    expect(stderr).toContain(message);
    expect(stderr.trim()).not.toContain('\n\n');
  });

  it('names the help of the command that was asked wrongly', async () => {
    expect((await user.run(['recall', '--limti', '3'])).stderr).toContain('(see tenure recall --help)');
    expect((await user.run(['remember'])).stderr).toContain('(see tenure remember --help)');
    expect((await user.run(['rember', 'x'])).stderr).toContain('(see tenure --help)');
  });

  it('says what a scope is without its flags', async () => {
    const { stdout } = await user.run(['recall', '--help']);
    expect(stdout).toContain('(default: "default")');
    expect(stdout).toContain('(default: "help")');
  });

  it('ends with 2 what only other arguments could mend', async () => {
    expect(await user.run(['remember', 'x', '--tag', ''])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('error INVALID_ARGUMENT'),
    });
  });

  it('shows names and keys of others with their control characters escaped', async () => {
    const path = await user.file('d/line\u001b[31m\nerror X: posing.md', 'x\0y');
    const { stderr } = await user.run(['ingest', path]);
    expect(stderr).toMatch(/^[\P{Cc}\n]*$/u);
    expect(stderr).toContain('line\\u001b[31m\n  error X: posing.md');
    const config = await user.file('tenure.yml', '"\\e[2J\\x9b": 1\n');
    for (const args of [['recall', 'x'], ['recall', 'x', '--json'], ['doctor']]) {
      const { stdout, stderr } = await user.run([...args, '--config', config]);
      expect(stdout + stderr).toMatch(/^[\P{Cc}\n]*$/u);
      expect(stdout + stderr).toMatch(/\\u001b\[2J.*\\u009b/);
    }
  });

  it('shows its help when called without a command, as an error', async () => {
    const { exitCode, stdout, stderr } = await user.run([]);
    expect(exitCode).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('Usage: tenure');
  });
});

describe('errors', () => {
  const failing = (error: unknown) => ({ openNode: () => Promise.reject(error) });

  it('prints the code and what to do, or JSON', async () => {
    const full = new StoreFullError({ path: 'tenure.db' });
    const text = await user.run(['recall', 'x'], failing(full));
    expect(text).toEqual({ exitCode: 1, stdout: '', stderr: `error STORE_FULL: ${full.message}\n` });
    const json = await user.run(['recall', 'x', '--json'], failing(full));
    expect(json.exitCode).toBe(1);
    expect(JSON.parse(json.stderr)).toEqual({
      error: { code: 'STORE_FULL', message: full.message, details: full.details },
    });
    const usage = await user.run(['recall', '--json']);
    expect(JSON.parse(usage.stderr)).toMatchObject({ error: { code: 'USAGE' } });
  });

  it('prints errors of the system by their code', async () => {
    const error = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES', syscall: 'open' });
    expect(await user.run(['recall', 'x'], failing(error))).toMatchObject({
      exitCode: 1,
      stderr: 'error EACCES: EACCES: permission denied\n',
    });
  });

  it('lets defects through, with their stack', async () => {
    await expect(user.run(['recall', 'x'], failing(new InvariantError('broken')))).rejects.toThrow('broken');
  });

  it('tells of a refused configuration with its place', async () => {
    const config = await user.file('tenure.yml', 'server:\n  prot: 80\n');
    const { exitCode, stderr } = await user.run(['ask', 'x', '--config', config]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('error CONFIG_INVALID: One problem');
    expect(stderr).toContain(`${config}:2:3`);
  });

  it('says that it was interrupted, whatever broke because of it', async () => {
    const stop = new AbortController();
    stop.abort(new InterruptedError('SIGTERM'));
    const result = await user.run(['recall', 'x'], { signal: stop.signal, ...failing(new Error('broken off')) });
    expect(result).toMatchObject({ exitCode: 143, stderr: 'error INTERRUPTED: Stopped by SIGTERM.\n' });
  });
});

describe('remember and recall', () => {
  it('keeps a memory and finds it with its reason', async () => {
    const kept = await user.run([
      'remember',
      'The deployment window is',
      'Tuesday.',
      '--tag',
      'ops',
      '--tag',
      'plan',
      '--speaker',
      'Ann',
    ]);
    expect(kept).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^Remembered [\w-]{36}\n$/), stderr: '' });
    const { stdout } = await user.run(['recall', 'when is the deployment window?', '--tag', 'ops']);
    const [text, about, why] = stdout.split('\n');
    expect(text).toBe('The deployment window is Tuesday.');
    expect(about).toMatch(/^ {2}Ann {2}\d{4}-\d\d-\d\d$/);
    expect(why).toMatch(/^ {2}\d+\.\d\d {2}words: /);
    const none = await user.run(['recall', 'deployment', '--tag', 'other']);
    expect(none).toMatchObject({ exitCode: 0, stdout: 'Nothing was found in this scope.\n' });
  });

  it('prints JSON', async () => {
    const kept = await user.run([
      'remember',
      'Ann prefers short answers.',
      '--json',
      '--importance',
      '0.9',
      '--pinned',
      '--source',
      'chat',
    ]);
    expect(JSON.parse(kept.stdout)).toMatchObject({
      memory: {
        text: 'Ann prefers short answers.',
        importance: 0.9,
        pinned: true,
        source: 'chat',
        scope: { tenant: 'default', agent: 'help' },
      },
    });
    const { stdout } = await user.run([
      '--json',
      'recall',
      'answers',
      '--min-importance',
      '0.8',
      '--max-tokens',
      '100',
    ]);
    expect(JSON.parse(stdout)).toMatchObject({
      results: [{ memory: { text: 'Ann prefers short answers.' }, why: expect.any(Array) }],
    });
  });

  it('does not let a memory paint the screen', async () => {
    await user.run(['remember', 'alert \u001b[31m red\u0007', '--speaker', 'e\u009bvil']);
    const shown = { recall: 'alert \\u001b[31m red\\u0007', ask: 'alert' };
    for (const [command, text] of Object.entries(shown)) {
      const { stdout } = await user.run([command, 'alert', '--no-color'], { isTTY: true });
      expect(stdout).toContain(text);
      expect(stdout).toMatch(/^[\P{Cc}\n]*$/u);
    }
  });

  it('shows the first lines of a long memory, all of it with --full, and all of it as JSON', async () => {
    const text = 'A list.\n\nFirst quokka.\nSecond quokka.\nThird quokka.';
    await user.run(['remember', text]);
    const shown = await user.run(['recall', 'quokka']);
    expect(shown.stdout).toMatch(/^A list\.\nFirst quokka\.\nSecond quokka\.…\n {2}\d{4}-/);
    expect((await user.run(['recall', 'quokka', '--full'])).stdout).toContain(`${text}\n  `);
    const { results } = JSON.parse((await user.run(['recall', 'quokka', '--json'])).stdout);
    expect(results[0].memory.text).toBe(text);
  });

  it('keeps scopes apart', async () => {
    await user.run(['remember', 'secret of acme', '--tenant', 'acme', '--agent', '', '--user', 'ann']);
    const recall = async (...scope: string[]) => (await user.run(['recall', 'secret', ...scope])).stdout;
    expect(await recall('--tenant', 'acme', '--agent', '', '--user', 'ann')).toContain('secret of acme');
    expect(await recall('--tenant', 'acme', '--user', 'ann')).toContain('Nothing was found');
    expect(await recall()).toContain('Nothing was found');
    for (const part of ['tenant', 'user', 'session'])
      expect(await user.run(['recall', 'x', `--${part}`, ''])).toMatchObject({
        exitCode: 2,
        stderr: expect.stringMatching(new RegExp(`^error SCOPE_INVALID: scope\\.${part} `)),
      });
  });

  it('reads the text from standard input', async () => {
    await user.run(['remember', '-'], { input: 'A line from a pipe.\n' });
    expect((await user.run(['recall', '-'], { input: 'pipe?' })).stdout).toContain('A line from a pipe.');
    expect(await user.run(['remember', '-'])).toMatchObject({ exitCode: 2 });
    expect(await user.run(['remember', '-'], { input: 'x'.repeat(2 ** 20 + 1) })).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('tenure ingest -'),
    });
  });

  it('uses the store that --directory names', async () => {
    const other = join(user.folder, 'other');
    await user.run(['remember', 'kept elsewhere', '--directory', other]);
    expect((await user.run(['recall', 'elsewhere'])).stdout).toContain('Nothing was found');
    expect((await user.run(['--directory', other, 'recall', 'elsewhere'])).stdout).toContain('kept elsewhere');
  });
});

describe('ingest and ask', () => {
  const guide = '# Guide\n\n## Busy timeout\n\nSet `busyTimeoutMs` to wait longer for the lock of another process.\n';

  it('takes documents in once and answers with sources', async () => {
    const path = await user.file('guide/store.md', guide);
    const folder = join(user.folder, 'guide');
    expect((await user.run(['ingest', folder])).stdout).toMatch(
      /^1 document: 1 learned \(1 passage\); \d+ B in \d+\.\d s\n$/,
    );
    expect((await user.run(['ingest', folder])).stdout).toContain('0 learned (0 passages), 1 unchanged');
    const { stdout, exitCode } = await user.run(['ask', 'how do I set a busy timeout?']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('busyTimeoutMs');
    expect(stdout).toContain(`Sources\n  1. ${path}  Guide › Busy timeout\n`);
    const json = JSON.parse((await user.run(['ask', 'busy timeout?', '--json', '--limit', '1'])).stdout);
    expect(json).toMatchObject({ confident: true, sources: [{ path, heading: 'Guide › Busy timeout' }] });
  });

  it('says when it knows nothing', async () => {
    expect((await user.run(['ask', 'zyzzyva?'])).stdout).toContain('Nothing known here');
  });

  it('tells what failed and what was left out, and fails', async () => {
    await user.file('mixed/a.txt', 'Fine.');
    await user.file('mixed/chat.jsonl', '{"role":"user","content":"ok"}\n{oops\n');
    await user.file('mixed/b.md', 'x\0y');
    const { exitCode, stdout, stderr } = await user.run(['ingest', join(user.folder, 'mixed')]);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('3 documents: 2 learned (2 passages), 1 failed');
    expect(stderr).toContain('failed INGEST_BINARY');
    expect(stderr).toMatch(/left out .*chat\.jsonl, line 2: /);
    const json = await user.run(['ingest', join(user.folder, 'mixed'), '--json', '--strict']);
    expect(json).toMatchObject({ exitCode: 1, stderr: '' });
    expect(JSON.parse(json.stdout).failed).toHaveLength(1);
  });

  it('says since when a file is unchanged, and again which lines of it were left out', async () => {
    const path = await user.file('chat.jsonl', '{"role":"user","content":"ok"}\n{oops\n');
    await utimes(path, new Date('2026-02-03T04:05:06Z'), new Date('2026-02-03T04:05:06Z'));
    const first = await user.run(['ingest', path]);
    expect(first.stdout).toContain('1 learned (1 passage); ');
    const second = await user.run(['ingest', path]);
    expect(second.stdout).toContain('0 learned (0 passages), 1 unchanged since 2026-02-03; ');
    expect(second.stderr).toBe(first.stderr);
    expect(second.stderr).toMatch(/^left out .*chat\.jsonl, line 2: .*\n$/);
    expect(JSON.parse((await user.run(['ingest', path, '--json'])).stdout)).toMatchObject({
      unchanged: 1,
      badLines: 1,
      warnings: [{ name: path, line: 2, code: 'INGEST_MALFORMED' }],
    });
    // Beside one that is new, no date would be true of all.
    const other = await user.file('other.jsonl', '{"role":"user","content":"new"}\n');
    const mixed = await user.run(['ingest', path, other]);
    expect(mixed.stdout).toContain('1 learned (1 passage), 1 unchanged; ');
    expect(mixed.stderr).toBe(first.stderr);
  });

  it('reads a document from standard input', async () => {
    const args = ['ingest', '-', '--kind', 'html', '--name', 'example.com'];
    expect(await user.run(args, { input: '<h1>Rates</h1><p>Parcels cost five euros.' })).toMatchObject({ exitCode: 0 });
    expect((await user.run(['ask', 'what do parcels cost?'])).stdout).toContain('1. example.com');
  });

  it('refuses to read nothing', async () => {
    await user.file('empty/x.png', '');
    const { exitCode, stderr } = await user.run(['ingest', join(user.folder, 'empty')]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('There is nothing to read')]);
    expect(await user.run(['ingest', join(user.folder, 'missing')])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('INGEST_UNREADABLE'),
    });
  });

  it('stops when told to and says so', async () => {
    await user.file('guide.md', guide);
    const stop = new AbortController();
    stop.abort(new InterruptedError('SIGINT'));
    expect(await user.run(['ingest', user.folder], { signal: stop.signal })).toMatchObject({ exitCode: 130 });
  });

  it('shows progress on a terminal only, and leaves nothing of it behind', async () => {
    await user.file('guide.md', guide);
    const piped = await user.run(['ingest', join(user.folder, 'guide.md')]);
    expect(piped.stderr).toBe('');
    await user.file('guide.md', `${guide}more`);
    const shown = await user.run(['ingest', join(user.folder, 'guide.md')], { isTTY: true });
    expect(shown.stderr).toContain('100 %  1/1 documents');
    expect(shown.stderr.endsWith('\r\u001b[K')).toBe(true);
  });
});

describe('colour', () => {
  it.each([
    ['a pipe', {}, [], false, false],
    ['a terminal', {}, [], true, true],
    ['a terminal and --no-color', {}, ['--no-color'], true, false],
    ['a terminal and NO_COLOR', { NO_COLOR: '1' }, [], true, false],
    ['a terminal that is dumb', { TERM: 'dumb' }, [], true, false],
    ['a pipe and FORCE_COLOR', { FORCE_COLOR: '1' }, [], false, true],
    ['a terminal and FORCE_COLOR=0', { FORCE_COLOR: '0' }, [], true, false],
  ])('on %s', async (_, environment, flags, isTTY, expected) => {
    Object.assign(user.environment, environment);
    await user.run(['remember', 'something']);
    const { stdout } = await user.run(['recall', 'something', ...flags], { isTTY });
    expect(stdout.includes('\u001b[')).toBe(expected);
    expect((await user.run(['--help', ...flags], { isTTY })).stdout.includes('\u001b[')).toBe(expected);
  });
});
