import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Tenure, type TenureOptions } from '../platform/tenure.ts';
import { ScriptedConsumer } from '../testing/scripted-consumer.ts';
import { CommandLine, type Ran, Written } from './cli.fixture.ts';
import { InterruptedError } from './exit.ts';
import type { Outside } from './run.ts';

let user: CommandLine;

beforeEach(async () => {
  user = await CommandLine.create();
});

afterEach(async () => {
  expect(user.openNodes).toBe(0);
  await user[Symbol.asyncDispose]();
});

/** Written text that can be waited for. */
class Watched extends Written {
  #waiting: { wanted: RegExp; found: (match: RegExpExecArray) => void }[] = [];

  override write(text: string): boolean {
    super.write(text);
    for (const { wanted, found } of this.#waiting) {
      const match = wanted.exec(this.text);
      if (match) found(match);
    }
    return true;
  }

  async until(wanted: RegExp): Promise<string> {
    const match =
      wanted.exec(this.text) ?? (await new Promise<RegExpExecArray>((found) => this.#waiting.push({ wanted, found })));
    return match[1] ?? match[0];
  }
}

async function serving(
  args: readonly string[],
  use: (stdout: Watched, stderr: Watched) => Promise<void>,
  more: Pick<Outside, 'openNode'> | undefined = undefined,
): Promise<Ran> {
  const [stdout, stderr] = [new Watched(), new Watched()];
  const stop = new AbortController();
  const running = user.run(['serve', '--port', '0', ...args], { stdout, stderr, signal: stop.signal, ...more });
  const ended = running.then(() => {
    throw new Error(`serve ended: ${stderr.text}`);
  });
  try {
    await Promise.race([use(stdout, stderr), ended]);
  } finally {
    ended.catch(() => {});
    stop.abort(new InterruptedError('SIGTERM'));
  }
  return { ...(await running), stdout: stdout.text, stderr: stderr.text };
}

describe('serve', () => {
  it('says where everything is, learns its own documents, answers, and stops cleanly', async () => {
    const { exitCode, stdout } = await serving([], async (output) => {
      const address = await output.until(/address +(http:\/\/127\.0\.0\.1:\d+)/);
      const ready = await fetch(`${address}/health/ready`);
      expect(ready.status).toBe(200);
      await output.until(/Own documentation: \d+ documents: .*Ready to be asked\./s);
      const answer = await fetch(`${address}/ask`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ question: 'how do I set a busy timeout?' }),
      });
      const { sources } = (await answer.json()) as { sources: { path: string }[] };
      expect(sources.map(({ path }) => path)).toContainEqual(expect.stringMatching(/^tenure\/docs\//));
    });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^Tenure \d+\.\d+\.\d+ on Node /);
    expect(stdout).toContain(`store          ${join(user.folder, 'store', 'tenure.db')}`);
    expect(stdout).toContain('configuration  defaults');
  });

  it('is known to doctor as the node of its store', async () => {
    await serving([], async (output) => {
      user.environment['TENURE_PORT'] = await output.until(/http:\/\/127\.0\.0\.1:(\d+)/);
      const { stdout } = await user.run(['doctor']);
      expect(stdout).toContain('The node of this store is running');
      const other = await user.run(['doctor', '--directory', join(user.folder, 'other')]);
      expect(other.stdout).toContain('A Tenure with another store uses the port');
    });
  });

  it('learns what is configured, and nothing twice', async () => {
    await mkdir(join(user.folder, 'handbook'));
    await writeFile(join(user.folder, 'handbook', 'quokkas.md'), '# Quokkas\n\nQuokkas sleep in the shade.\n');
    const config = join(user.folder, 'tenure.yml');
    await writeFile(config, 'help:\n  documents: [./handbook, ./missing.md]\n');
    const learned = /"what":"Configured documents"[^\n]*"documents":(\d+)[^\n]*\n/;
    const reportOf = async () => {
      const { stdout, stderr } = await serving(
        ['--config', config, '--json'],
        async (output) => void (await output.until(learned)),
      );
      const [listening, own, report] = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(listening).toMatchObject({ event: 'listening', configuration: config });
      expect(own).toMatchObject({ event: 'learned', what: 'Own documentation', failed: [] });
      expect(stderr).toContain('not learned: ');
      return report as { documents: number; unchanged: number; failed: { name: string }[] };
    };
    const first = await reportOf();
    expect(first).toMatchObject({ unchanged: 0, failed: [{ name: expect.stringContaining('missing.md') }] });
    const second = await reportOf();
    expect(second.unchanged).toBe(first.documents - 1);
    expect((await user.run(['ask', 'where do quokkas sleep?'])).stdout).toContain('in the shade');
    // What Tenure knows about itself is not what its user knows.
    expect((await user.run(['recall', 'busy timeout'])).stdout).toBe('Nothing was found in this scope.\n');
  });

  it('stops in the middle of learning, and goes on at the next start', async () => {
    const { exitCode, stdout } = await serving([], async (output) => void (await output.until(/address/)));
    expect(exitCode).toBe(0);
    expect(stdout).not.toContain('could not be learned');
    await serving([], async (output) => void (await output.until(/Ready to be asked/)));
  });

  it('logs everything from the first event to the last', async () => {
    const config = await configure(
      'log: { level: debug }\nmemory_management: { alert_thresholds: { process_memory_mb: 1 } }\n',
    );
    const leaky = async (options: TenureOptions) => {
      const node = await Tenure.open(options);
      new ScriptedConsumer(node.budget, { bytes: 1000 });
      return node;
    };
    const { stderr } = await serving(
      ['--config', config],
      async (output) => void (await output.until(/Ready to be asked/)),
      { openNode: leaky },
    );
    const lines = linesOf(stderr);
    const types = lines.map(({ type }) => type);
    expect(lines[0]).toMatchObject({ type: 'storage.opened', migrated: expect.any(Number) });
    expect(lines[0]!['migrated']).toBeGreaterThan(0);
    const inOrder = ['pressure.alert_raised', 'platform.opened', 'server.listening', 'agent_memory.remembered'];
    const places = [...inOrder, 'server.closed'].map((type) => types.indexOf(type));
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((one, other) => one - other));
    expect(types.slice(-2)).toEqual(['storage.closed', 'budget.leaked']);
  });

  it('follows the level of the log when the configuration changes', async () => {
    const config = await configure('log: { level: error }\n');
    const { stderr } = await serving(['--config', config], async (output, log) => {
      await output.until(/Ready to be asked/);
      await writeFile(config, 'log: { level: info }\n');
      await log.until(/configuration_reloaded/);
    });
    const types = linesOf(stderr).map(({ type }) => type);
    expect(types.filter((type) => !type.startsWith('pressure.'))).toEqual([
      'platform.configuration_reloaded',
      'server.closed',
    ]);
  });

  it('says that the port is in use', async () => {
    const other = createServer();
    const port = await new Promise<number>((resolve) =>
      other.listen(0, '127.0.0.1', () => resolve((other.address() as { port: number }).port)),
    );
    const { exitCode, stdout, stderr } = await user.run(['serve', '--port', String(port)]);
    await closed(other);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(new RegExp(`^error PORT_IN_USE: Port ${port} on 127\\.0\\.0\\.1 is in use`, 'm'));
  });

  it('takes an IPv6 address in brackets, as in a URL', async () => {
    const { exitCode } = await serving(['--host', '[::1]'], async (output) => {
      const address = await output.until(/address +(http:\/\/\[::1\]:\d+)/);
      expect((await fetch(`${address}/health/live`)).status).toBe(200);
    });
    expect(exitCode).toBe(0);
  });

  it('refuses to listen where others could reach it', async () => {
    const { exitCode, stderr } = await user.run(['serve', '--port', '0', '--host', '0.0.0.0']);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('error SERVER_NOT_LOOPBACK')]);
  });
});

async function configure(text: string): Promise<string> {
  const config = join(user.folder, 'tenure.yml');
  await writeFile(config, text);
  return config;
}

function linesOf(stderr: string): { type: string; [field: string]: unknown }[] {
  return stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

function closed(server: Server): Promise<unknown> {
  return new Promise((resolve) => server.close(resolve));
}
