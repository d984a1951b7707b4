/**
 * The lines that an earlier ingest left out of conversations that have not changed since.
 *
 * A conversation that is passed over is not read, so nothing would be said of them, and a second ingest would look as if the
 * whole file had been taken in. It is read once more for its bad lines alone.
 */
import { readConversation } from '../agent-memory/ingest/conversation.ts';
import { decode } from '../agent-memory/ingest/decode.ts';
import { type IngestDocument, kindOfName } from '../agent-memory/ingest/document.ts';
import type { IngestReport, IngestWarning } from '../agent-memory/ingest/report.ts';

const WARNING_LIMIT = 100;

/** `report` with the bad lines of unchanged conversations among its warnings and counts. */
export async function withKnownBadLines(
  report: IngestReport,
  from: { documents: readonly IngestDocument[]; signal: AbortSignal },
): Promise<IngestReport> {
  if (report.unchanged === 0) return report;
  const told = new Set([...report.failed, ...report.warnings].map(({ name }) => name));
  const warnings: IngestWarning[] = [...report.warnings];
  let { badLines } = report;
  for (const document of from.documents) {
    const { name, kind = kindOfName(name) } = document;
    if (kind !== 'conversation' || told.has(name)) continue;
    for await (const problem of badLinesOf(document, from.signal)) {
      badLines++;
      if (warnings.length < WARNING_LIMIT) warnings.push(problem);
    }
  }
  return { ...report, badLines, warnings };
}

async function* badLinesOf(document: IngestDocument, signal: AbortSignal): AsyncGenerator<IngestWarning, void, void> {
  const { name } = document;
  let found: IngestWarning[] = [];
  const about = { name, onBadLine: (problem: Omit<IngestWarning, 'name'>) => void found.push({ name, ...problem }) };
  const text = decode(document.open(signal), { name, report: { replacedCharacters: 0 } });
  for await (const _passage of readConversation(text, about)) {
    yield* found;
    found = [];
  }
  yield* found;
}
