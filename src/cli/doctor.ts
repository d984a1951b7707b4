/**
 * `tenure doctor`: looks at runtime, machine, configuration and store without changing them, and says what to do.
 *
 * It works where a node does not start: each check stands alone, and what one finds does not stop the next.
 */

import { totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { Environment } from '../platform/configuration/environment-layer.ts';
import { loadConfiguration } from '../platform/configuration/load.ts';
import { ConfigurationError } from '../platform/configuration/problem.ts';
import { printable } from '../platform/printable.ts';
import { VERSION } from '../platform/version.ts';
import { tightestLimit } from '../pressure/limit.ts';
import { machineSensors } from '../pressure/sensors/machine-sensors.ts';
import type { ReadingPart } from '../pressure/sensors/sensor.ts';
import type { CommandContext, GlobalFlags } from './command.ts';
import type { Finding, Severity } from './doctor/finding.ts';
import { checkAllocator, checkContainer, checkOpenFiles, checkStall, checkSwap } from './doctor/host.ts';
import { checkHeap, checkNode, checkSemiSpaces } from './doctor/runtime.ts';
import { checkClock, checkConfiguration, checkPort, configurationFindings } from './doctor/settings.ts';
import { checkStore } from './doctor/store.ts';
import { EXIT } from './exit.ts';
import type { Terminal } from './terminal.ts';

const STORE_FILE = 'tenure.db';
const STYLES = { ok: 'green', info: 'cyan', warning: 'yellow', error: 'red' } as const;

export async function doctor(context: CommandContext<AsyncDisposable>, flags: GlobalFlags): Promise<number> {
  const { terminal, clock, environment } = context;
  const findings = await examine({ clock, environment, flags });
  const count = (severity: Severity) => findings.filter((finding) => finding.severity === severity).length;
  if (terminal.json)
    terminal.printJson({ version: VERSION, errors: count('error'), warnings: count('warning'), findings });
  else {
    for (const finding of findings) printFinding(terminal, finding);
    terminal.print();
    terminal.print(`${count('error')} errors, ${count('warning')} warnings, ${count('info')} notes`);
  }
  return count('error') > 0 ? EXIT.unhealthy : EXIT.done;
}

function printFinding(terminal: Terminal, { severity, what, evidence, fix }: Finding): void {
  terminal.print(`${terminal.style(STYLES[severity], severity.padEnd(7))} ${printable(what)}`);
  terminal.print(terminal.style('dim', `        ${printable(evidence)}`));
  if (fix !== undefined) terminal.print(`        → ${printable(fix)}`);
}

/** Every finding, most basic first. `root` is where `/` is. */
export async function examine(at: {
  clock: Clock;
  environment: Environment;
  flags: GlobalFlags;
  root?: string;
}): Promise<Finding[]> {
  const { clock, environment, flags, root = '/' } = at;
  const settings = await settingsOf(flags, environment);
  const { heap, container, stall, systemTotalBytes } = readOnce({ clock, root });
  const store = join(settings.directory, STORE_FILE);
  const limit = tightestLimit({
    container,
    configuredBytes: settings.limitBytes,
    physicalBytes: systemTotalBytes ?? totalmem(),
  });
  return [
    checkNode(process.versions.node),
    ...(heap ? [checkHeap(heap, limit), checkSemiSpaces(heap, limit)] : []),
    checkContainer(container, limit),
    ...checkSwap(root),
    ...checkStall(stall, process.platform),
    ...checkAllocator(root, environment),
    ...checkOpenFiles(root),
    ...settings.findings,
    ...(await checkStore(store)),
    checkClock(clock.nowMs(), Intl.DateTimeFormat().resolvedOptions().timeZone),
    await checkPort({ ...settings, store }, clock),
  ];
}

function readOnce(at: { clock: Clock; root: string }): ReadingPart {
  const sensors = machineSensors(at);
  try {
    return Object.assign({}, ...sensors.map((sensor) => sensor.read())) as ReadingPart;
  } finally {
    for (const sensor of sensors) sensor[Symbol.dispose]();
  }
}

interface Settings {
  readonly directory: string;
  readonly host: string;
  readonly port: number;
  readonly limitBytes: number | undefined;
  readonly findings: readonly Finding[];
}

/** What counts of the configuration; where it is refused, what was said beside it and no port. */
async function settingsOf({ directory, config: path }: GlobalFlags, environment: Environment): Promise<Settings> {
  try {
    const loaded = await loadConfiguration({ path, environment, overrides: { store: { directory } } });
    const { store, server, limits } = loaded.values;
    const limitBytes = limits.memoryBytes === 'auto' ? undefined : limits.memoryBytes;
    return {
      directory: store.directory,
      host: server.host,
      port: server.port,
      limitBytes,
      findings: checkConfiguration(loaded),
    };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return {
      directory: resolve(directory ?? environment['TENURE_DIRECTORY'] ?? '.tenure'),
      host: '127.0.0.1',
      port: 0,
      limitBytes: undefined,
      findings: configurationFindings(error),
    };
  }
}
