/**
 * One call of the command line, from arguments to exit code.
 *
 * Everything the outside provides comes in: streams, environment, clock, signal and what opens a node; so a test runs a command
 * without a process, and `main` is the only file that knows the process.
 */
import { CommanderError } from 'commander';
import { EXIT, reportFailure, UsageError } from './exit.ts';
import { createProgram, type RunCommand } from './program.ts';
import type { ServeContext } from './serve.ts';
import { type OutputStream, Terminal } from './terminal.ts';

export interface Outside extends Omit<ServeContext, 'terminal' | 'logScreen'> {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
}

/** Runs the command that `args` name and returns its exit code. Throws only for defects. */
export async function run(args: readonly string[], outside: Outside): Promise<number> {
  const { stdout, stderr, environment } = outside;
  // Known before the arguments are understood, because not understanding them must be told in the same form.
  const options = args.slice(0, args.includes('--') ? args.indexOf('--') : args.length);
  const terminal = new Terminal({
    stdout,
    stderr,
    environment,
    json: options.includes('--json'),
    color: !options.includes('--no-color'),
  });
  const context = { ...outside, terminal, logScreen: stderr };
  let exitCode: number = EXIT.done;
  const runCommand: RunCommand = async (name, words, flags) => {
    exitCode = await COMMANDS[name](context, words, flags);
  };
  const program = createProgram(runCommand);
  let asked = program;
  for (const command of [program, ...program.commands]) {
    const broken = (error: CommanderError) => {
      asked = command;
      throw error;
    };
    command.exitOverride(broken).configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      outputError: () => {},
      getOutHasColors: () => terminal.hasColors('stdout'),
      getErrHasColors: () => terminal.hasColors('stderr'),
    });
  }
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    // What breaks off because we were told to stop fails in many ways and for one reason.
    if (outside.signal.aborted) return reportFailure(outside.signal.reason, terminal);
    if (!(error instanceof CommanderError)) return reportFailure(error, terminal);
    if (error.exitCode === 0) return EXIT.done;
    // Called without a command, it has shown its help.
    if (error.code === 'commander.help') return EXIT.usage;
    const help = asked === program ? 'tenure --help' : `tenure ${asked.name()} --help`;
    return reportFailure(new UsageError(`${error.message.replace(/^error: /, '')} (see ${help})`), terminal);
  }
}

type Run = (context: ServeContext, words: readonly string[], flags: never) => Promise<number>;

const COMMANDS: Readonly<Record<Parameters<RunCommand>[0], Run>> = {
  serve: async (context, _, flags) => (await import('./serve.ts')).serve(context, flags),
  doctor: async (context, _, flags) => (await import('./doctor.ts')).doctor(context, flags),
  ingest: async (context, words, flags) => (await import('./ingest.ts')).ingest(context, words, flags),
  ask: async (context, words, flags) => (await import('./ask.ts')).ask(context, words, flags),
  remember: async (context, words, flags) => (await import('./remember.ts')).remember(context, words, flags),
  recall: async (context, words, flags) => (await import('./recall.ts')).recall(context, words, flags),
};
