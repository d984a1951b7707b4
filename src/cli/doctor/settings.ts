/** Configuration, clock and port: what a node would start with. */
import { createServer } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import { keyList } from '../../platform/configuration/keys.ts';
import type { LoadedConfiguration } from '../../platform/configuration/loaded-configuration.ts';
import { type ConfigurationError, describeOrigin, describeProblem } from '../../platform/configuration/problem.ts';
import type { Finding } from './finding.ts';

/** Before this the clock cannot be right: it is older than Tenure. */
const EARLIEST_MS = Date.UTC(2025, 0, 1);
const ANSWER_WITHIN_MS = 1000;

export function checkConfiguration(loaded: LoadedConfiguration): Finding {
  const set = keyList.filter(({ key }) => loaded.isSet(key.path));
  const origins = set.map(({ key }) => `${key.path} (${describeOrigin(loaded.origin(key.path))})`);
  return {
    check: 'configuration',
    severity: 'ok',
    what:
      loaded.path === null ? 'No configuration file; defaults are used' : `The configuration is valid: ${loaded.path}`,
    evidence: origins.length === 0 ? 'nothing is set' : `set: ${origins.join(', ')}`,
  };
}

export function configurationFindings({ problems, more }: ConfigurationError): Finding[] {
  const lines = [...problems.map(describeProblem), ...(more > 0 ? [`… and ${more} more`] : [])];
  return lines.map((evidence) => ({
    check: 'configuration',
    severity: 'error',
    what: 'The configuration is refused',
    evidence,
    fix: 'Correct it there; nothing starts before.',
  }));
}

export function checkClock(nowMs: number, timeZone: string | undefined): Finding {
  const wrong = nowMs < EARLIEST_MS;
  return {
    check: 'clock',
    severity: wrong ? 'error' : 'ok',
    what: wrong
      ? 'The clock of the machine is wrong; memories would be dated and expire wrongly'
      : 'The clock is plausible',
    evidence: `${new Date(nowMs).toISOString()}, time zone ${timeZone ?? 'unknown'}`,
    ...(wrong ? { fix: 'Set it, or let NTP do so.' } : {}),
  };
}

/** Whether the port is free, and if not, whether a node answers there. */
export async function checkPort({ host, port }: { host: string; port: number }, clock: Clock): Promise<Finding> {
  const check = 'server.port';
  if (port === 0) return { check, severity: 'ok', what: 'Any free port is taken', evidence: 'port 0' };
  const evidence = `${host}:${port}`;
  const failure = await listenFailure({ host, port });
  if (failure === undefined) return { check, severity: 'ok', what: 'The port is free', evidence };
  if (failure !== 'EADDRINUSE') {
    const fix = 'Choose another with --port, TENURE_PORT or server.port.';
    return { check, severity: 'error', what: `The port cannot be used (${failure})`, evidence, fix };
  }
  if (await isNode({ host, port }, clock)) return { check, severity: 'ok', what: 'A node is running here', evidence };
  const fix = 'Stop that program, or choose another port with --port, TENURE_PORT or server.port.';
  return { check, severity: 'warning', what: 'Another program uses the port', evidence, fix };
}

function listenFailure(at: { host: string; port: number }): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(at.port, at.host, () => server.close(() => resolve(undefined)));
  });
}

async function isNode({ host, port }: { host: string; port: number }, clock: Clock): Promise<boolean> {
  const patience = new AbortController();
  using _ = clock.after(ANSWER_WITHIN_MS, () => patience.abort());
  try {
    const answer = await fetch(`http://${host}:${port}/health/memory`, { signal: patience.signal });
    return 'memory_mb' in ((await answer.json()) as object);
  } catch {
    return false;
  }
}
