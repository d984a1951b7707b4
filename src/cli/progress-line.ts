/** How far an ingest has come, as a line for the terminal. */
import type { IngestProgress } from '../agent-memory/ingest/progress.ts';
import { formatBytes } from '../base/bytes.ts';

const BAR_CELLS = 20;

export function progressLine(progress: IngestProgress, allDocuments: number): string {
  const { documents, passages, bytes, totalBytes, bytesPerSecond, leftMs } = progress;
  const share = totalBytes ? Math.min(1, bytes / totalBytes) : documents / allDocuments;
  const full = Math.round(share * BAR_CELLS);
  const parts = [
    `${'█'.repeat(full)}${'░'.repeat(BAR_CELLS - full)} ${Math.floor(share * 100)} %`,
    `${documents}/${allDocuments} documents`,
    `${passages} passages`,
    `${formatBytes(bytesPerSecond)}/s`,
    ...(leftMs !== null && leftMs >= 1000 ? [`${Math.ceil(leftMs / 1000)} s left`] : []),
  ];
  return parts.join('  ');
}
