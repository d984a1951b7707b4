/**
 * A real PostgreSQL for a test: the one of `TENURE_TEST_POSTGRES` (a connection string), else one of its own from the server binaries of this
 * machine, in a temporary folder on a socket nobody else knows.
 *
 * The binaries refuse to run as root; then they run as `nobody`. Debian keeps them outside the path, so they are looked for there too.
 */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const UNPRIVILEGED_ID = 65_534;
const DEBIAN = '/usr/lib/postgresql';

export class PostgresServer implements AsyncDisposable {
  /** What `pg` connects with. */
  readonly connectionString: string;
  readonly #stop: () => Promise<void>;

  private constructor(connectionString: string, stop: () => Promise<void>) {
    this.connectionString = connectionString;
    this.#stop = stop;
  }

  static async start(): Promise<PostgresServer> {
    const given = process.env['TENURE_TEST_POSTGRES'];
    if (given) return new PostgresServer(given, async () => {});
    const binaries = binariesFolder();
    const folder = mkdtempSync(join(tmpdir(), 'tenure-postgres-'));
    const data = join(folder, 'data');
    const owner = process.getuid?.() === 0 ? { uid: UNPRIVILEGED_ID, gid: UNPRIVILEGED_ID } : {};
    if (owner.uid) chownSync(folder, owner.uid, UNPRIVILEGED_ID);
    chmodSync(folder, 0o700);
    const options = { ...owner, cwd: folder, encoding: 'utf8' } as const;
    const made = spawnSync(
      join(binaries, 'initdb'),
      ['--pgdata', data, '--username', 'tenure', '--auth', 'trust', '--no-sync', '--encoding', 'UTF8', '--locale', 'C'],
      options,
    );
    if (made.status !== 0) throw new Error(`initdb: ${made.stderr || made.error}`);
    const port = await freePort();
    const settings = ['fsync=off', 'listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`];
    const server = spawn(
      join(binaries, 'postgres'),
      ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])],
      { ...owner, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let log = '';
    await new Promise<void>((resolve, reject) => {
      server.stderr.setEncoding('utf8').on('data', (text: string) => {
        log += text;
        if (log.includes('ready to accept connections')) resolve();
      });
      server.once('exit', () => reject(new Error(`postgres ended:\n${log}`)));
    });
    return new PostgresServer(`postgres://tenure@127.0.0.1:${port}/postgres`, async () => {
      const ended = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGQUIT');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
  }
}

function binariesFolder(): string {
  const debian = existsSync(DEBIAN) ? readdirSync(DEBIAN).map((version) => join(DEBIAN, version, 'bin')) : [];
  const folders = [...debian.sort().reverse(), ...(process.env['PATH'] ?? '').split(delimiter)];
  const found = folders.find((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name))));
  if (found === undefined) {
    throw new Error(
      'No PostgreSQL server: install one (apt-get install postgresql), or name one in TENURE_TEST_POSTGRES (a connection string).',
    );
  }
  return found;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
      .once('error', reject)
      .listen(0, '127.0.0.1', () => {
        const { port } = server.address() as { port: number };
        server.close(() => resolve(port));
      });
  });
}
