/**
 * Events as log lines: on the screen, and in a file when one is configured.
 *
 * Text for a person at a terminal, one JSON object a line for everything else. The log subscribes like anybody; no room writes to
 * it. What is needed only for JSON or for a file is loaded only then.
 */
import { styleText } from 'node:util';
import type { TenureEventBase } from '../base/events.ts';
import type { Configuration } from './configuration/keys.ts';
import type { LogFile } from './log-file.ts';
import { isWritten, type LogLevel, type LogLine, SEVERITIES, type Severity } from './log-line.ts';
import { printable } from './printable.ts';
import { hideSecrets, withoutSecrets } from './secrets.ts';

/** Where the screen's lines go; `process.stderr` is one. */
export interface Screen {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
}

export interface LogOptions<E extends TenureEventBase> {
  readonly settings: Configuration['log'];
  /** The line for an event; null to write none. */
  readonly describe: (event: E) => LogLine | null;
  readonly screen: Screen;
}

/** Writes one line as JSON. */
type WriteJson = (event: TenureEventBase, line: LogLine) => void;

const STYLES = { debug: 'dim', info: 'reset', warning: 'yellow', error: 'red' } as const;

export class Log<E extends TenureEventBase> implements AsyncDisposable {
  readonly #options: LogOptions<E>;
  readonly #writeJson: WriteJson;
  readonly #file: LogFile | null;
  readonly #asText: boolean;
  #level: LogLevel;

  private constructor(options: LogOptions<E>, how: { writeJson: WriteJson; file: LogFile | null; asText: boolean }) {
    this.#options = options;
    this.#level = options.settings.level;
    this.#writeJson = how.writeJson;
    this.#file = how.file;
    this.#asText = how.asText;
  }

  /** Opens the log. @throws LogUnwritableError when the file cannot be written. */
  static async open<E extends TenureEventBase>(options: LogOptions<E>): Promise<Log<E>> {
    const { settings, screen } = options;
    const asText = settings.format === 'text' || (settings.format === 'auto' && screen.isTTY === true);
    const file = settings.file === null ? null : await openFile(settings, settings.file, screen);
    const targets = [...(asText ? [] : [screen]), ...(file ? [file] : [])];
    return new Log(options, { writeJson: await jsonWriter(targets), file, asText });
  }

  /** Writes the line of `event`, if it has one that is serious enough. A property, so it can be handed on. */
  readonly write = (event: E): void => {
    const line = this.#options.describe(event);
    if (!line || !isWritten(line.severity, this.#level)) return;
    const clean = { severity: line.severity, text: withoutSecrets(line.text) };
    if (this.#asText) this.#options.screen.write(textLine(event.atMs, clean, this.#options.screen));
    this.#writeJson(event, clean);
  };

  /** Changes the least severity that is written. */
  setLevel(level: LogLevel): void {
    this.#level = level;
  }

  /** Resolves when the file is written. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file?.[Symbol.asyncDispose]();
    const dropped = this.#file?.dropped ?? 0;
    if (dropped > 0) this.#options.screen.write(`${dropped} lines did not reach the log file.\n`);
  }
}

async function openFile(settings: Configuration['log'], path: string, screen: Screen): Promise<LogFile> {
  const { LogFile } = await import('./log-file.ts');
  const { maxSizeBytes, keep } = settings;
  return LogFile.open({ path, maxSizeBytes, keep, onFailure: ({ message }) => screen.write(`${message}\n`) });
}

/** Writes to every target; without targets, does nothing and loads nothing. */
async function jsonWriter(targets: readonly { write(line: string): unknown }[]): Promise<WriteJson> {
  if (targets.length === 0) return () => undefined;
  const { pino } = await import('pino');
  const logger = pino<Severity, true>(
    {
      level: 'debug',
      customLevels: Object.fromEntries(SEVERITIES.map((severity, index) => [severity, 20 + 10 * index])) as Record<
        Severity,
        number
      >,
      useOnlyCustomLevels: true,
      base: null,
      timestamp: false,
      messageKey: 'message',
      formatters: { level: (label) => ({ level: label }) },
    },
    {
      write: (line: string) => {
        const shown = printable(line);
        for (const target of targets) target.write(shown);
      },
    },
  );
  return ({ atMs, ...fields }, { severity, text }) => {
    logger[severity]({ time: new Date(atMs).toISOString(), ...withoutOurNames(hideSecrets(fields)) }, text);
  };
}

/** What a line itself is made of. */
const OUR_NAMES: readonly string[] = ['level', 'time', 'message'];

/** An event's own `level` as `eventLevel`, and so on: pino would write the name twice, and who reads the line would get either. */
function withoutOurNames(fields: Record<string, unknown>): Record<string, unknown> {
  const named = (name: string) => (OUR_NAMES.includes(name) ? `event${name[0]!.toUpperCase()}${name.slice(1)}` : name);
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [named(name), value]));
}

/** `14:05:09 warning pressure high: …`, coloured on a terminal. A text of several lines is indented: none can pose as an event. */
function textLine(atMs: number, { severity, text }: LogLine, screen: Screen): string {
  const time = new Date(atMs).toTimeString().slice(0, 8);
  const shown = printable(text).replaceAll('\n', '\n  ');
  const line = `${time} ${severity.padEnd(7)} ${shown}`;
  return `${screen.isTTY && !process.env['NO_COLOR'] ? styleText(STYLES[severity], line, { validateStream: false }) : line}\n`;
}
