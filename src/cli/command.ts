/** What every command is given: where to write, what to read, when to stop, and how to open a node. */
import type { Clock } from '../base/clock.ts';
import type { Environment } from '../platform/configuration/environment-layer.ts';
import type { Tenure, TenureOptions } from '../platform/tenure.ts';
import type { Terminal } from './terminal.ts';

/** The part of a node that commands use; `serve` needs all of it. */
export type CommandNode = Pick<Tenure, 'paths' | 'memory' | 'help' | 'ingest' | typeof Symbol.asyncDispose>;

/** Options every command takes. */
export interface GlobalFlags {
  readonly directory?: string;
  readonly config?: string;
}

export interface CommandContext<Node extends AsyncDisposable = CommandNode> {
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly environment: Environment;
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Aborts with an `InterruptedError` at the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  openNode(options: TenureOptions): Promise<Node>;
}

/** The node the global flags stand for. */
export function nodeOptions(flags: GlobalFlags): TenureOptions {
  return { directory: flags.directory, configurationPath: flags.config };
}
