/** `tenure recall`: the memories that answer best, each with its score and why. */
import { printable } from '../platform/printable.ts';
import { type CommandContext, type GlobalFlags, nodeOptions } from './command.ts';
import { EXIT } from './exit.ts';
import { type ScopeFlags, scopeOf } from './scope-flags.ts';
import { shortened } from './shortened.ts';
import { textOf } from './text-argument.ts';
import { whyLine } from './why-line.ts';

export interface RecallFlags extends GlobalFlags, ScopeFlags {
  readonly limit?: number;
  readonly maxTokens?: number;
  readonly tag?: readonly string[];
  readonly minImportance?: number;
  /** Print whole texts. */
  readonly full?: boolean;
}

export async function recall(context: CommandContext, words: readonly string[], flags: RecallFlags): Promise<number> {
  const { terminal, signal } = context;
  const { limit, maxTokens, tag: tags, minImportance, full = false } = flags;
  const query = await textOf(words, context);
  const scope = scopeOf(flags);
  await using node = await context.openNode(nodeOptions(flags));
  const results = await node.memory.recall(query, { scope, limit, maxTokens, tags, minImportance, signal });
  if (terminal.json) {
    terminal.printJson({ results });
    return EXIT.done;
  }
  if (results.length === 0) terminal.print('Nothing was found in this scope.');
  for (const [index, result] of results.entries()) {
    const { text, speaker, source, atMs } = result.memory;
    if (index > 0) terminal.print();
    terminal.print(printable(full ? text : shortened(text)));
    const about = [speaker, source, new Date(atMs).toISOString().slice(0, 10)].filter((part) => part !== null);
    terminal.print(terminal.style('dim', `  ${printable(about.join('  '))}`));
    terminal.print(terminal.style('dim', `  ${printable(whyLine(result))}`));
  }
  return EXIT.done;
}
