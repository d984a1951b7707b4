/**
 * Where a command writes: results to standard output, everything about them (progress, notes, errors) to standard error.
 *
 * Colour and moving lines appear on a terminal only, and not when `--no-color`, `NO_COLOR` (no-color.org) or `TERM=dumb` ask for none;
 * `FORCE_COLOR` asks for colour in a pipe. A reader that goes away (`tenure recall … | head -1`) is no error.
 */
import { styleText } from 'node:util';
import type { Environment } from '../platform/configuration/environment-layer.ts';
import { printable } from '../platform/printable.ts';

/** A stream as `process.stdout` is one. */
export interface OutputStream {
  write(text: string): boolean;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

export interface TerminalOptions {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly environment: Environment;
  /** One JSON document instead of text. */
  readonly json?: boolean | undefined;
  /** False for no colour, whatever the streams are. */
  readonly color?: boolean | undefined;
}

type Style = Parameters<typeof styleText>[0];

export class Terminal {
  readonly json: boolean;
  readonly #options: TerminalOptions;
  #moving = false;

  constructor(options: TerminalOptions) {
    this.#options = options;
    this.json = options.json ?? false;
  }

  /** A line of the result. */
  print(line = ''): void {
    this.#endMoving();
    this.#options.stdout.write(`${line}\n`);
  }

  /** The result as JSON. */
  printJson(value: unknown): void {
    this.print(printable(JSON.stringify(value, null, 2)));
  }

  /** A line that is not part of the result. Where a name in it holds line ends, what follows is indented and cannot pose as another. */
  note(line: string): void {
    this.#endMoving();
    this.#options.stderr.write(`${printable(line).replace(/\n(?! )/g, '\n  ')}\n`);
  }

  /** A line that replaces the last one like it; only where a person watches. */
  move(line: string): void {
    const { stderr } = this.#options;
    if (this.json || !stderr.isTTY) return;
    this.#moving = true;
    stderr.write(`\r\u001b[K${line.slice(0, (stderr.columns ?? 80) - 1)}`);
  }

  /** `text` in a style for the result, or plain. */
  style(style: Style, text: string): string {
    return this.hasColors('stdout') ? styleText(style, text, { validateStream: false }) : text;
  }

  hasColors(stream: 'stdout' | 'stderr'): boolean {
    const { environment, color } = this.#options;
    if (color === false || environment['NO_COLOR']) return false;
    const forced = environment['FORCE_COLOR'];
    if (forced !== undefined) return forced !== '0' && forced !== 'false';
    return this.#options[stream].isTTY === true && environment['TERM'] !== 'dumb';
  }

  #endMoving(): void {
    if (this.#moving) this.#options.stderr.write('\r\u001b[K');
    this.#moving = false;
  }
}

/** Hands the first failure of a stream to `tell`. A reader that went away is none, and what is written after it is let go. */
export function whenUnwritable(stream: NodeJS.WriteStream, tell: (error: NodeJS.ErrnoException) => void): void {
  let told = false;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (told || error.code === 'EPIPE') return;
    told = true;
    tell(error);
  });
}
