/** The score of a result and the reasons for it, on one line. */
import type { Reason } from '../agent-memory/recall/reasons.ts';

export function whyLine({ score, why }: { score: number; why: readonly Reason[] }): string {
  return `${score.toFixed(2)}  ${why.map(({ signal, detail }) => `${signal}: ${detail}`).join('; ')}`;
}
