/** `tenure ask`: an answer with its sources. */
import type { AnswerSource } from '../agents/help/help-agent.ts';
import { printable } from '../platform/printable.ts';
import { type CommandContext, type GlobalFlags, nodeOptions } from './command.ts';
import { EXIT } from './exit.ts';
import { type ScopeFlags, scopeOf } from './scope-flags.ts';
import type { Terminal } from './terminal.ts';
import { textOf } from './text-argument.ts';
import { whyLine } from './why-line.ts';

export interface AskFlags extends GlobalFlags, ScopeFlags {
  readonly limit?: number;
}

export async function ask(context: CommandContext, words: readonly string[], flags: AskFlags): Promise<number> {
  const { terminal, signal } = context;
  const question = await textOf(words, context);
  const scope = scopeOf(flags);
  await using node = await context.openNode(nodeOptions(flags));
  const answer = await node.help.ask(question, { scope, limit: flags.limit, signal });
  if (terminal.json) {
    terminal.printJson(answer);
    return EXIT.done;
  }
  if (answer.sources.length === 0) {
    terminal.print('Nothing known here has words of the question. To take in documents: tenure ingest <folder>');
    return EXIT.done;
  }
  if (!answer.confident) terminal.print(terminal.style('yellow', 'Not sure; this is the nearest that was found.'));
  terminal.print(printable(answer.answer));
  terminal.print();
  terminal.print('Sources');
  for (const [index, source] of answer.sources.entries()) printSource(terminal, source, index + 1);
  return EXIT.done;
}

function printSource(terminal: Terminal, source: AnswerSource, number: number): void {
  const { title, heading, path } = source;
  const place = heading?.startsWith(title) ? heading : [title, heading].filter((part) => part !== null).join(' · ');
  const line =
    path === null || path === title
      ? [printable(heading ?? title)]
      : [terminal.style('cyan', printable(path)), printable(place)];
  terminal.print(`  ${number}. ${line.join('  ')}`);
  terminal.print(terminal.style('dim', `     ${printable(whyLine(source))}`));
}
