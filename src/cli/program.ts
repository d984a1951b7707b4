/**
 * The commands, their options and their help.
 *
 * A command's own module is loaded when it runs, not before: `--help` and `--version` load nothing of a node.
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import { DOCUMENT_KINDS } from '../agent-memory/ingest/document.ts';
import { VERSION } from '../platform/version.ts';

/** What the program hands to whoever runs it: the command's name, its arguments and its options, global ones included. */
export type RunCommand = (name: CommandName, words: readonly string[], flags: never) => Promise<void>;

export type CommandName = 'serve' | 'doctor' | 'ingest' | 'ask' | 'remember' | 'recall';

const EXIT_CODES = `
Exit codes: 0 done, 1 it did not work, 2 it was asked wrongly, 3 doctor found an error,
130 and 143 interrupted. An error is one line on standard error: error CODE: message.`;

export function createProgram(run: RunCommand): Command {
  const program = new Command('tenure')
    .description('Memory management for AI agents: one byte budget for a process, one durable memory for its agents.')
    .version(VERSION)
    .option('--directory <path>', 'folder of the store (default: TENURE_DIRECTORY, else ./.tenure)')
    .option('--config <file>', 'configuration file (default: ./tenure.yml where there is one)')
    .option('--json', 'print JSON')
    .option('--no-color', 'no colour; NO_COLOR does the same')
    .addHelpText('after', EXIT_CODES)
    .configureHelp({ showGlobalOptions: true, styleTitle: (title) => `\u001b[1m${title}\u001b[22m` });

  const command = (
    name: CommandName,
    about: { argument?: [string, string]; description: string; examples: string },
  ) => {
    const made = program.command(name).description(about.description);
    if (about.argument) made.argument(...about.argument);
    made.addHelpText('after', `\nExamples:\n${about.examples.trim().replace(/^ */gm, '  ')}`);
    made.action((...given: unknown[]) => {
      const words = about.argument ? (given[0] as string[]) : [];
      return run(name, words, made.optsWithGlobals() as never);
    });
    return made;
  };

  command('serve', {
    description: 'Run a node with its dashboard and HTTP interface.',
    examples: `
      tenure serve
      tenure serve --port 8080 --directory ./agent-store`,
  })
    .option('--host <address>', 'loopback address to listen on (default: 127.0.0.1)')
    .option(
      '--port <number>',
      'port to listen on; 0 takes a free one (default: TENURE_PORT, else 7341)',
      wholeNumber(0, 65_535),
    );

  command('doctor', {
    description: 'Look at machine, container, configuration and store; each finding with its fix.',
    examples: `
      tenure doctor
      tenure doctor --json --directory ./agent-store`,
  });

  withScope(
    command('ingest', {
      argument: ['<paths...>', 'files and folders; "-" for standard input'],
      description: 'Take in Markdown, text, HTML and conversations (.jsonl). What has not changed is passed over.',
      examples: `
        tenure ingest docs README.md
        tenure ingest chats.jsonl --user ann
        curl -s https://example.com | tenure ingest - --kind html --name example.com`,
    }),
  )
    .addOption(new Option('--kind <kind>', 'what a file is whose name does not tell').choices(DOCUMENT_KINDS))
    .option('--name <name>', 'the name of what comes from standard input')
    .option('--strict', 'a line that cannot be read fails its conversation');

  withScope(
    command('ask', {
      argument: ['<question...>', 'the question; "-" for standard input'],
      description: 'Answer a question from what was taken in, with sources.',
      examples: `
        tenure ask "how do I set a busy timeout?"
        tenure ask "what did we decide about refunds?" --tenant acme --json`,
    }),
  )
    .option('--limit <number>', 'most sources (default: 5)', wholeNumber(1, 100))
    .option('--why', 'with each source its score and the reasons');

  withScope(
    command('remember', {
      argument: ['<text...>', 'the text; "-" for standard input'],
      description: 'Keep one memory; it is on the disk when the command ends.',
      examples: `
        tenure remember "The deployment window is Tuesday at 14:00."
        tenure remember "Ann prefers short answers." --user ann --tag preference --importance 0.9`,
    }),
  )
    .option('--tag <tag>', 'a label; may be given several times', collected)
    .option('--importance <number>', 'from 0 to 1; above 0.8 it is kept when others go (default: 0.5)', share)
    .option('--source <name>', 'where it came from')
    .option('--speaker <name>', 'who said it')
    .option('--pinned', 'never let it go');

  withScope(
    command('recall', {
      argument: ['<query...>', 'what to look for; "-" for standard input'],
      description: 'Find memories, best first, each with its score and why.',
      examples: `
        tenure recall "when do we deploy?"
        tenure recall answers --user ann --tag preference --limit 1`,
    }),
  )
    .option('--limit <number>', 'most memories (default: 5)', wholeNumber(1, 1000))
    .option('--max-tokens <number>', 'fill this many tokens, best first', wholeNumber(1, 10_000_000))
    .option('--tag <tag>', 'only with this label; may be given several times', collected)
    .option('--min-importance <number>', 'only of this importance or above, from 0 to 1', share)
    .option('--full', 'print whole texts instead of their first lines');

  return program;
}

function withScope(command: Command): Command {
  return command
    .option('--tenant <id>', 'whose memory (default: "default")')
    .option('--agent <id>', 'of which agent; "" for none (default: "help")')
    .option('--user <id>', 'of which user')
    .option('--session <id>', 'in which session');
}

function wholeNumber(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= low && value <= high) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${low} to ${high}.`);
  };
}

function share(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('It must be a number from 0 to 1.');
}

function collected(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}
