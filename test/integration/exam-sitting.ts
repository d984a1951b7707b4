/** The exam of `help-exam.ts`, sat by the help agent of a fresh node that has learned its own documentation. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OWN_DOCUMENTS_SCOPE } from '../../src/agents/help/help-agent.ts';
import { ownDocuments } from '../../src/cli/own-documents.ts';
import { Tenure } from '../../src/platform/tenure.ts';
import type { ExamQuestion } from './help-exam.ts';

export interface Marked extends ExamQuestion {
  readonly right: boolean;
  readonly confident: boolean;
  readonly source: string | null;
  readonly answer: string;
}

/** Runs `use` with what asks the node; every answer comes marked. */
export async function sitExam(
  use: (mark: (question: ExamQuestion) => Promise<Marked>) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'tenure-exam-'));
  try {
    await using node = await Tenure.open({ directory });
    await node.ingest(ownDocuments(), { scope: OWN_DOCUMENTS_SCOPE });
    await use(async (asked) => {
      const { answer, confident, sources } = await node.help.ask(asked.question);
      const source = sources[0]?.path ?? null;
      const said = answer.toLowerCase();
      const right =
        source !== null &&
        asked.documents.includes(source) &&
        asked.holds.every((fact) => said.includes(fact.toLowerCase()));
      return { ...asked, right, confident, source, answer };
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
