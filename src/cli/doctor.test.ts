import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { loadDriver } from '../storage/sqlite/driver.ts';
import { CommandLine } from './cli.fixture.ts';
import type { Finding } from './doctor/finding.ts';
import { examine } from './doctor.ts';

let user: CommandLine;

beforeEach(async () => {
  user = await CommandLine.create();
});

afterEach(() => user[Symbol.asyncDispose]());

const find = (findings: readonly Finding[], check: string) => findings.find((finding) => finding.check === check);

async function found(args: readonly string[] = []): Promise<{ exitCode: number; findings: Finding[]; errors: number }> {
  const { exitCode, stdout } = await user.run(['doctor', '--json', ...args]);
  return { exitCode, ...(JSON.parse(stdout) as { findings: Finding[]; errors: number }) };
}

describe('doctor', () => {
  it('finds nothing to mend on a machine that is well, and changes nothing', async () => {
    const { exitCode, findings, errors } = await found();
    expect([exitCode, errors]).toEqual([0, 0]);
    expect(find(findings, 'store.file')).toMatchObject({
      severity: 'info',
      what: expect.stringContaining('no store yet'),
    });
    for (const check of ['node.version', 'heap.limit', 'heap.semi_space', 'store.driver', 'store.space', 'clock']) {
      expect(find(findings, check)).toMatchObject({ severity: 'ok', evidence: expect.stringMatching(/\S/) });
    }
    expect((await user.run(['doctor'])).stdout).toMatch(
      /ok {6}Node \d+[\s\S]*\n\n0 errors, \d+ warnings, \d+ notes\n$/,
    );
    await expect(user.run(['recall', 'x'])).resolves.toMatchObject({ exitCode: 0 });
  });

  it('looks into the store', async () => {
    await user.run(['remember', 'something']);
    const { findings } = await found();
    expect(find(findings, 'store.file')).toMatchObject({ severity: 'ok', what: 'The store can be written' });
    expect(find(findings, 'store.content')).toMatchObject({ severity: 'ok', evidence: 'quick_check: ok' });
    expect(find(findings, 'store.schema')).toMatchObject({ severity: 'ok' });
  });

  it('tells a damaged store, a file of another program and a folder that is none', async () => {
    const store = join(user.folder, 'store', 'tenure.db');
    await mkdir(join(store, '..'));
    await writeFile(store, 'SQLite format 3\0'.padEnd(8192, 'x'));
    const damaged = await found();
    expect(damaged.exitCode).toBe(3);
    expect(find(damaged.findings, 'store.content')).toMatchObject({
      severity: 'error',
      fix: expect.stringMatching(/\S/),
    });

    const { DatabaseSync } = await loadDriver();
    await rm(store);
    const other = new DatabaseSync(store, {});
    other.exec('CREATE TABLE theirs (id)');
    other.close();
    expect(find((await found()).findings, 'store.content')).toMatchObject({
      severity: 'error',
      what: 'The file belongs to another program',
    });

    const folder = join(user.folder, 'file');
    await writeFile(folder, 'no folder');
    const unusable = await found(['--directory', folder]);
    expect(unusable.exitCode).toBe(3);
    expect(find(unusable.findings, 'store.file')).toMatchObject({ severity: 'error' });
  });

  it('lists what is wrong in the configuration and looks at the rest', async () => {
    const config = join(user.folder, 'tenure.yml');
    await writeFile(config, 'server:\n  prot: 1\n  port: -1\n');
    const { exitCode, findings } = await found(['--config', config]);
    expect(exitCode).toBe(3);
    const wrong = findings.filter(({ check }) => check === 'configuration');
    expect(wrong.map(({ evidence }) => evidence)).toEqual([
      expect.stringContaining('Did you mean port?'),
      expect.stringContaining('negative'),
    ]);
    expect(find(findings, 'store.file')).toBeDefined();
    await writeFile(config, 'server:\n  port: 0\n');
    const mended = await found(['--config', config]);
    expect(find(mended.findings, 'configuration')).toMatchObject({
      severity: 'ok',
      evidence: expect.stringContaining(`server.port (TENURE_PORT)`),
    });
  });

  it('warns of keys that nothing follows yet, whoever set them', async () => {
    const config = join(user.folder, 'tenure.yml');
    await writeFile(
      config,
      'memory_management:\n  leak_detection: { samples: 30 }\n  limits: { memory_limit_mb: 512 }\n',
    );
    user.environment['MEMORY_LEAK_THRESHOLD_MB'] = '50';
    user.environment['ENABLE_GARBAGE_COLLECTION'] = 'false';
    const { findings, exitCode } = await found(['--config', config]);
    expect(exitCode).toBe(0);
    const evidence =
      'memory_management.leak_detection.threshold_mb (MEMORY_LEAK_THRESHOLD_MB), ' +
      `memory_management.leak_detection.samples (${config}:2:30)`;
    expect(find(findings, 'configuration.no_effect')).toMatchObject({ severity: 'warning', evidence });
    delete user.environment['MEMORY_LEAK_THRESHOLD_MB'];
    await writeFile(config, 'memory_management:\n  limits: { memory_limit_mb: 512 }\n');
    expect(find((await found(['--config', config])).findings, 'configuration.no_effect')).toBeUndefined();
  });

  it('tells the node of this store on the port from that of another, and both from another program', async () => {
    const store = join(user.folder, 'store', 'tenure.db');
    const answer = (path: string) => JSON.stringify({ store: { path } });
    let body = answer(store);
    const server = createServer((request, response) =>
      response.end(request.url === '/monitoring/memory' ? body : 'hello'),
    );
    const port = await new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
    );
    user.environment['TENURE_PORT'] = String(port);
    expect(find((await found()).findings, 'server.port')).toMatchObject({
      severity: 'ok',
      what: 'The node of this store is running',
    });
    await user.run(['remember', 'something']);
    await symlink(join(user.folder, 'store'), join(user.folder, 'link'));
    body = answer(join(user.folder, 'link', 'tenure.db'));
    expect(find((await found()).findings, 'server.port')).toMatchObject({ severity: 'ok' });
    body = answer('/elsewhere/tenure.db');
    expect(find((await found()).findings, 'server.port')).toMatchObject({
      severity: 'warning',
      what: 'A Tenure with another store uses the port',
      evidence: expect.stringContaining('/elsewhere/tenure.db'),
      fix: expect.stringContaining('--port'),
    });
    body = 'hello';
    expect(find((await found()).findings, 'server.port')).toMatchObject({
      severity: 'warning',
      what: 'Another program uses the port',
    });
    await new Promise((resolve) => server.close(resolve));
    expect(find((await found()).findings, 'server.port')).toMatchObject({ severity: 'ok', what: 'The port is free' });
  });

  it('reads the machine', async () => {
    const root = join(user.folder, 'root');
    const write = async (path: string, text: string) => {
      await mkdir(join(root, path, '..'), { recursive: true });
      await writeFile(join(root, path), text);
    };
    await write('proc/self/cgroup', '0::/app\n');
    await write('proc/self/mountinfo', '30 20 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n');
    await write('sys/fs/cgroup/app/memory.current', '99614720\n');
    await write('sys/fs/cgroup/app/memory.max', '104857600\n');
    await write('sys/fs/cgroup/app/memory.stat', 'anon 99000000\nfile 0\ninactive_file 0\nslab_unreclaimable 0\n');
    await write(
      'proc/meminfo',
      'MemTotal: 1048576 kB\nMemAvailable: 524288 kB\nSwapTotal: 1000 kB\nSwapFree: 100 kB\n',
    );
    await write(
      'proc/pressure/memory',
      'some avg10=40.00 avg60=0 avg300=0 total=1\nfull avg10=20.00 avg60=0 avg300=0 total=1\n',
    );
    await write('proc/self/maps', '7f00-7f01 r-xp 00000000 00:00 1 /usr/lib/x86_64-linux-gnu/libc.so.6\n');
    await write('proc/self/limits', 'Max open files            1024                 4096                 files\n');
    const look = () =>
      examine({ clock: systemClock, environment: { TENURE_PORT: '0' }, flags: { directory: user.folder }, root });
    const sick = await look();
    const severities = Object.fromEntries(sick.map(({ check, severity }) => [check, severity]));
    expect(severities).toMatchObject({
      'heap.limit': 'warning',
      'container.limit': 'warning',
      'host.swap': 'warning',
      'host.pressure_stall': 'warning',
      'host.open_files': 'warning',
      allocator: 'info',
      'allocator.arenas': 'info',
    });
    expect(find(sick, 'heap.limit')?.fix).toContain('--max-old-space-size=75.');
    expect(find(sick, 'container.limit')?.evidence).toBe('cgroup v2 /app, 95 MB of 100 MB used');

    await write('proc/self/maps', '7f00-7f01 r-xp 00000000 00:00 1 /usr/lib/libjemalloc.so.2\n');
    await write('proc/self/limits', 'Max open files            unlimited            unlimited            files\n');
    await write('sys/fs/cgroup/app/memory.max', 'max\n');
    const well = Object.fromEntries((await look()).map(({ check, severity }) => [check, severity]));
    expect(well).toMatchObject({ allocator: 'ok', 'container.limit': 'info', 'host.open_files': 'ok' });
    expect(well).not.toHaveProperty('allocator.arenas');
  });
});
