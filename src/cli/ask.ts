/**
 * `tenure ask`: an answer with its sources.
 *
 * In a store that no `tenure serve` has opened yet it first learns Tenure's own documentation, as `serve` does: who has just installed it asks
 * about it before anything else.
 */
import { type AnswerSource, OWN_DOCUMENTS_SCOPE } from '../agents/help/help-agent.ts';
import { messageOf, TenureError } from '../base/errors.ts';
import { printable } from '../platform/printable.ts';
import { type CommandContext, type CommandNode, type GlobalFlags, nodeOptions } from './command.ts';
import { EXIT } from './exit.ts';
import { knowsOwnDocuments, ownDocuments } from './own-documents.ts';
import { type ScopeFlags, scopeOf } from './scope-flags.ts';
import type { Terminal } from './terminal.ts';
import { textOf } from './text-argument.ts';
import { whyLine } from './why-line.ts';

export interface AskFlags extends GlobalFlags, ScopeFlags {
  readonly limit?: number;
  readonly why?: boolean;
}

export async function ask(context: CommandContext, words: readonly string[], flags: AskFlags): Promise<number> {
  const { terminal, signal } = context;
  const question = await textOf(words, context);
  const scope = scopeOf(flags);
  await using node = await context.openNode(nodeOptions(flags));
  await learnOwnDocuments(context, node);
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
  if (answer.fromOwnDocumentation) terminal.print(terminal.style('dim', 'From Tenure’s own documentation:'));
  terminal.print(printable(answer.answer));
  terminal.print();
  terminal.print('Sources');
  for (const [index, source] of answer.sources.entries()) {
    terminal.print(`  ${index + 1}. ${placeOf(terminal, source)}`);
    if (flags.why) terminal.print(terminal.style('dim', `     ${printable(whyLine(source))}`));
  }
  return EXIT.done;
}

/** What could not be learned is no reason not to answer from the rest. */
async function learnOwnDocuments({ terminal, signal }: CommandContext, node: CommandNode): Promise<void> {
  try {
    if (await knowsOwnDocuments(node.memory)) return;
    await node.ingest(ownDocuments(), { scope: OWN_DOCUMENTS_SCOPE, signal });
  } catch (error) {
    if (signal.aborted || !(error instanceof TenureError)) throw error;
    terminal.note(`Tenure’s own documentation could not be learned (${error.code}): ${messageOf(error)}`);
  }
}

/** The path, and the headings it stands under; of a memory told directly its beginning. */
function placeOf(terminal: Terminal, { title, heading, path, excerpt }: AnswerSource): string {
  if (path === null) return printable(title === 'memory' ? excerpt : `${title}: ${excerpt}`);
  const place = heading ?? (title === path ? '' : title);
  return `${terminal.style('cyan', printable(path))}${place ? `  ${printable(place)}` : ''}`;
}
