/** `tenure remember`: keeps one memory, durable when the command ends. */
import { type CommandContext, type GlobalFlags, nodeOptions } from './command.ts';
import { EXIT } from './exit.ts';
import { type ScopeFlags, scopeOf } from './scope-flags.ts';
import { textOf } from './text-argument.ts';

export interface RememberFlags extends GlobalFlags, ScopeFlags {
  readonly tag?: readonly string[];
  readonly importance?: number;
  readonly source?: string;
  readonly speaker?: string;
  readonly pinned?: boolean;
}

export async function remember(
  context: CommandContext,
  words: readonly string[],
  flags: RememberFlags,
): Promise<number> {
  const { terminal, signal } = context;
  const { tag: tags, importance, source, speaker, pinned } = flags;
  const text = await textOf(words, context);
  const scope = scopeOf(flags);
  await using node = await context.openNode(nodeOptions(flags));
  const memory = await node.memory.remember(text, { scope, tags, importance, source, speaker, pinned, signal });
  if (terminal.json) terminal.printJson({ memory });
  else terminal.print(`Remembered ${memory.id}`);
  return EXIT.done;
}
