/** `tenure ingest`: files and folders, or standard input, to long-term memory. */
import { DOCUMENT_KINDS, type DocumentKind, type IngestDocument } from '../agent-memory/ingest/document.ts';
import type { IngestReport } from '../agent-memory/ingest/report.ts';
import { walk } from '../agent-memory/ingest/walk.ts';
import { formatBytes } from '../base/bytes.ts';
import { type CommandContext, type CommandNode, type GlobalFlags, nodeOptions } from './command.ts';
import { EXIT, UsageError } from './exit.ts';
import { withKnownBadLines } from './known-bad-lines.ts';
import { progressLine } from './progress-line.ts';
import { type ScopeFlags, scopeOf } from './scope-flags.ts';

export interface IngestFlags extends GlobalFlags, ScopeFlags {
  readonly kind?: DocumentKind;
  readonly name?: string;
  readonly strict?: boolean;
}

export async function ingest(context: CommandContext, paths: readonly string[], flags: IngestFlags): Promise<number> {
  const { terminal, signal } = context;
  const scope = scopeOf(flags);
  await using node = await context.openNode(nodeOptions(flags));
  await using documents = await documentsOf(context, { node, paths, flags });
  if (documents.list.length === 0) {
    throw new UsageError(`There is nothing to read at ${paths.join(', ')}: no Markdown, text, HTML or .jsonl files.`);
  }
  const ingested = await node.ingest(documents.list, {
    scope,
    signal,
    strict: flags.strict,
    onProgress: (progress) => terminal.move(progressLine(progress, documents.list.length)),
  });
  const report = await withKnownBadLines(ingested, { documents: documents.list, signal });
  for (const { name, code, message } of report.failed) {
    if (!terminal.json) terminal.note(`failed ${code}: ${message.includes(name) ? message : `${name}: ${message}`}`);
  }
  for (const { name, line, message } of terminal.json ? [] : report.warnings) {
    terminal.note(`left out ${name}${line === undefined ? '' : `, line ${line}`}: ${message}`);
  }
  if (terminal.json) terminal.printJson(report);
  else terminal.print(summaryOf(report, lastChangeOf(documents.list, report)));
  return report.failed.length > 0 ? EXIT.failed : EXIT.done;
}

/** What became of the documents, in one line. `sinceMs`: when the last of those unchanged was changed, where that is known. */
export function summaryOf(report: IngestReport, sinceMs?: number): string {
  const { documents, unchanged, failed, passages, bytes, tookMs } = report;
  const since = sinceMs === undefined ? '' : ` since ${new Date(sinceMs).toISOString().slice(0, 10)}`;
  const counts = [
    `${documents - unchanged - failed.length} learned (${counted(passages, 'passage')})`,
    ...(unchanged > 0 ? [`${unchanged} unchanged${since}`] : []),
    ...(failed.length > 0 ? [`${failed.length} failed`] : []),
  ];
  return `${counted(documents, 'document')}: ${counts.join(', ')}; ${formatBytes(bytes)} in ${(tookMs / 1000).toFixed(1)} s`;
}

/** When the newest of the files was changed, if all that could be read are unchanged: then it is true of each. */
function lastChangeOf(documents: readonly IngestDocument[], { unchanged, failed }: IngestReport): number | undefined {
  if (unchanged === 0 || unchanged + failed.length < documents.length) return undefined;
  const changedMs = Math.max(...documents.map(({ modifiedAtMs }) => modifiedAtMs ?? Number.NaN));
  return Number.isNaN(changedMs) ? undefined : changedMs;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

async function documentsOf(
  context: CommandContext,
  { node, paths, flags }: { node: CommandNode; paths: readonly string[]; flags: IngestFlags },
): Promise<AsyncDisposable & { list: readonly IngestDocument[] }> {
  const { kind, name } = flags;
  if (!paths.includes('-')) {
    if (name !== undefined) throw new UsageError('--name is for standard input (-); a file is known by its path.');
    const list: IngestDocument[] = [];
    for await (const document of walk(paths, { kind, signal: context.signal })) list.push(document);
    return { list, [Symbol.asyncDispose]: async () => {} };
  }
  if (paths.length > 1) throw new UsageError('Standard input (-) cannot be read together with files.');
  if (kind === undefined) throw new UsageError(`Say what standard input is: --kind ${DOCUMENT_KINDS.join('|')}.`);
  const { Upload } = await import('../server/upload.ts');
  const upload = await Upload.receive(context.stdin, node.paths.directory);
  const document = { name: name ?? 'standard input', kind, sizeBytes: upload.sizeBytes, open: () => upload.read() };
  return { list: [document], [Symbol.asyncDispose]: () => upload[Symbol.asyncDispose]() };
}
