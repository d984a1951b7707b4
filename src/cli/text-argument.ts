/** The text a command is about: the words of its arguments, or standard input for a single `-`. */

import type { CommandContext } from './command.ts';
import { UsageError } from './exit.ts';

/** More cannot be remembered or asked; see `TEXT_LIMIT` of the memory itself for the exact bound. */
const INPUT_LIMIT_BYTES = 2 ** 20;

export async function textOf(
  words: readonly string[],
  context: Pick<CommandContext, 'stdin' | 'signal'>,
): Promise<string> {
  const text = words.length === 1 && words[0] === '-' ? await readInput(context) : words.join(' ');
  if (text.trim() === '')
    throw new UsageError('There is no text. Give it as an argument, or "-" to read it from standard input.');
  return text.trim();
}

async function readInput({ stdin, signal }: Pick<CommandContext, 'stdin' | 'signal'>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of stdin) {
    signal.throwIfAborted();
    chunks.push(chunk);
    sizeBytes += chunk.byteLength;
    if (sizeBytes > INPUT_LIMIT_BYTES) {
      throw new UsageError('Standard input is longer than 1 MB; take it in as a document: tenure ingest -');
    }
  }
  signal.throwIfAborted();
  return Buffer.concat(chunks).toString();
}
