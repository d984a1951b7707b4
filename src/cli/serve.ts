/**
 * `tenure serve`: runs one node with its HTTP interface and dashboard until it is told to stop.
 *
 * It listens first and learns its documents in the background, so the page is there at once. Stopping ends the learning (it goes on
 * where it was at the next start), lets requests in flight finish, and closes the store.
 */
import { once } from 'node:events';
import type { IngestDocument } from '../agent-memory/ingest/document.ts';
import { walk } from '../agent-memory/ingest/walk.ts';
import { HELP_SCOPE, OWN_DOCUMENTS_SCOPE } from '../agents/help/help-agent.ts';
import { messageOf, TenureError } from '../base/errors.ts';
import { loadConfiguration } from '../platform/configuration/load.ts';
import { describeEvent } from '../platform/event-lines.ts';
import { Log } from '../platform/logging.ts';
import { printable } from '../platform/printable.ts';
import { loadOptionsOf, type Tenure, type TenureOptions } from '../platform/tenure.ts';
import type { TenureEvent } from '../platform/tenure-event.ts';
import { VERSION } from '../platform/version.ts';
import { createServer } from '../server/server.ts';
import { describeServerEvent, type ServerEvent } from '../server/server-event.ts';
import type { Scope } from '../storage/scope.ts';
import { type CommandContext, type GlobalFlags, nodeOptions } from './command.ts';
import { EXIT } from './exit.ts';
import { summaryOf } from './ingest.ts';
import { ownDocuments } from './own-documents.ts';
import type { OutputStream } from './terminal.ts';

export interface ServeFlags extends GlobalFlags {
  readonly host?: string;
  readonly port?: number;
}

export interface ServeContext extends CommandContext<Tenure> {
  /** Where log lines go besides the configured file. */
  readonly logScreen: OutputStream;
}

type LoggedEvent = TenureEvent | ServerEvent;

export async function serve(context: ServeContext, flags: ServeFlags): Promise<number> {
  const { clock, signal, environment } = context;
  const { host, port } = flags;
  const options = { ...nodeOptions(flags), environment, configuration: { server: { host, port } } };
  // Open before the node and after it, so that it hears of migrations at the start and of leaks at the end.
  await using log = await openLog(options, context.logScreen);
  const onEvent = (event: TenureEvent) => {
    if (event.type === 'platform.configuration_reloaded') log.setLevel(node.configuration.log.level);
    log.write(event);
  };
  await using node = await context.openNode({ ...options, onEvent });
  await using server = createServer({ node, clock, onEvent: log.write });
  const bound = await server.listen();
  announce(context, node, `http://${bound.address.includes(':') ? `[${bound.address}]` : bound.address}:${bound.port}`);
  const learning = learn(context, node);
  if (!signal.aborted) await once(signal, 'abort');
  await learning;
  return EXIT.done;
}

async function openLog(options: TenureOptions, screen: OutputStream): Promise<Log<LoggedEvent>> {
  const { values } = await loadConfiguration(loadOptionsOf(options));
  return Log.open<LoggedEvent>({
    settings: values.log,
    describe: (event) => (isServerEvent(event) ? describeServerEvent(event) : describeEvent(event)),
    screen,
  });
}

function isServerEvent(event: LoggedEvent): event is ServerEvent {
  return event.type.startsWith('server.');
}

function announce({ terminal }: ServeContext, node: Tenure, address: string): void {
  const { store, configuration } = node.paths;
  const log = node.configuration.log.file;
  if (terminal.json) {
    const listening = { event: 'listening', version: VERSION, address, store, configuration, log };
    terminal.print(printable(JSON.stringify(listening)));
    return;
  }
  const line = (what: string, value: string) => terminal.print(`  ${what.padEnd(14)} ${value}`);
  terminal.print(`${terminal.style('bold', `Tenure ${VERSION}`)} on Node ${process.versions.node}`);
  line('configuration', printable(configuration ?? 'defaults (no tenure.yml in this folder)'));
  line('store', printable(store));
  line('log', printable(log ?? 'standard error'));
  line('address', terminal.style('cyan', address));
}

/** Takes in the package's own documents and those configured, each into its scope; a line for each that has any. */
async function learn({ terminal, signal }: ServeContext, node: Tenure): Promise<void> {
  const configured = node.configuration.help.documents;
  try {
    await learnInto(OWN_DOCUMENTS_SCOPE, { what: 'Own documentation', documents: ownDocuments() });
    if (configured.length > 0) {
      await learnInto(HELP_SCOPE, { what: 'Configured documents', documents: walk(configured, { signal }) });
    }
    if (!terminal.json) terminal.print('Ready to be asked.');
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof TenureError)) throw error;
    terminal.note(`The documents could not be learned (${error.code}): ${messageOf(error)}`);
  }

  async function learnInto(
    scope: Scope,
    from: { what: string; documents: AsyncIterable<IngestDocument> },
  ): Promise<void> {
    const report = await node.ingest(from.documents, { scope, signal });
    for (const { message } of report.failed) terminal.note(`not learned: ${message}`);
    if (terminal.json) terminal.print(printable(JSON.stringify({ event: 'learned', what: from.what, ...report })));
    else terminal.print(`${from.what}: ${summaryOf(report)}`);
  }
}
