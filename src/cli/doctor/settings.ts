/** Configuration, clock and port: what a node would start with. */
import { realpath } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import { keyList } from '../../platform/configuration/keys.ts';
import type { LoadedConfiguration } from '../../platform/configuration/loaded-configuration.ts';
import { type ConfigurationError, describeOrigin, describeProblem } from '../../platform/configuration/problem.ts';
import type { Finding } from './finding.ts';

/** Before this the clock cannot be right: it is older than Tenure. */
const EARLIEST_MS = Date.UTC(2025, 0, 1);
const ANSWER_WITHIN_MS = 1000;

export function checkConfiguration(loaded: LoadedConfiguration): Finding[] {
  const set = keyList.map(({ key }) => key).filter(({ path }) => loaded.isSet(path));
  const withOrigin = ({ path }: { path: string }) => `${path} (${describeOrigin(loaded.origin(path))})`;
  const valid: Finding = {
    check: 'configuration',
    severity: 'ok',
    what:
      loaded.path === null ? 'No configuration file; defaults are used' : `The configuration is valid: ${loaded.path}`,
    evidence: set.length === 0 ? 'nothing is set' : `set: ${set.map(withOrigin).join(', ')}`,
  };
  const vain = set.filter(({ noEffectYet }) => noEffectYet);
  if (vain.length === 0) return [valid];
  const warning: Finding = {
    check: 'configuration.no_effect',
    severity: 'warning',
    what: 'Keys are set that have no effect yet in this version',
    evidence: vain.map(withOrigin).join(', '),
    fix: 'Do not rely on them: nothing follows them before a later version. docs/configuration.md marks those keys.',
  };
  return [valid, warning];
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

/** Whether the port is free, and if not, whether it is the node of this store that answers there, or another's. */
export async function checkPort(
  { host, port, store }: { host: string; port: number; store: string },
  clock: Clock,
): Promise<Finding> {
  const check = 'server.port';
  if (port === 0) return { check, severity: 'ok', what: 'Any free port is taken', evidence: 'port 0' };
  const evidence = `${host}:${port}`;
  const failure = await listenFailure({ host, port });
  if (failure === undefined) return { check, severity: 'ok', what: 'The port is free', evidence };
  if (failure !== 'EADDRINUSE') {
    const fix = 'Choose another with --port, TENURE_PORT or server.port.';
    return { check, severity: 'error', what: `The port cannot be used (${failure})`, evidence, fix };
  }
  const served = await storeServedAt({ host, port }, clock);
  if (served !== undefined && (await isSameFile(served, store))) {
    return { check, severity: 'ok', what: 'The node of this store is running', evidence: `${evidence}, ${served}` };
  }
  const fix = 'Stop that program, or choose another port with --port, TENURE_PORT or server.port.';
  return served === undefined
    ? { check, severity: 'warning', what: 'Another program uses the port', evidence, fix }
    : {
        check,
        severity: 'warning',
        what: 'A Tenure with another store uses the port',
        evidence: `${evidence}, ${served}`,
        fix,
      };
}

function listenFailure(at: { host: string; port: number }): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(at.port, at.host, () => server.close(() => resolve(undefined)));
  });
}

/** The store of the node that answers there; undefined when none does. */
async function storeServedAt(at: { host: string; port: number }, clock: Clock): Promise<string | undefined> {
  const host = at.host.includes(':') ? `[${at.host}]` : at.host;
  const patience = new AbortController();
  using _ = clock.after(ANSWER_WITHIN_MS, () => patience.abort());
  try {
    const answer = await fetch(`http://${host}:${at.port}/monitoring/memory`, { signal: patience.signal });
    const { store } = (await answer.json()) as { store?: { path?: unknown } };
    return typeof store?.path === 'string' ? store.path : undefined;
  } catch {
    return undefined;
  }
}

/** Compared by where links lead; a path that leads nowhere stands for itself. */
async function isSameFile(one: string, other: string): Promise<boolean> {
  const [first, second] = await Promise.all([one, other].map((path) => realpath(path).catch(() => path)));
  return first === second;
}
