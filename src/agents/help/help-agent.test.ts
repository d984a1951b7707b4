import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DocumentKind } from '../../agent-memory/ingest/document.ts';
import { ingest } from '../../agent-memory/ingest/ingest.ts';
import { stream } from '../../agent-memory/ingest/reading.fixture.ts';
import type { LongTermMemory } from '../../agent-memory/long-term.ts';
import type { Scope } from '../../storage/scope.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { TemporaryStore } from '../../testing/temporary-store.ts';
import { type Answer, HELP_SCOPE, HelpAgent } from './help-agent.ts';
import { BACKGROUND_DOCUMENTS_TAG, OWN_DOCUMENTS_SCOPE, OWN_DOCUMENTS_TAG } from './own-documentation.ts';

const clock = new ManualClock();
let store: TemporaryStore;
let memory: LongTermMemory;
let help: HelpAgent;

beforeEach(async () => {
  store = await TemporaryStore.create({ clock });
  memory = await store.openMemory();
  help = new HelpAgent({ memory, clock });
});

afterEach(() => store.close());

interface Learned {
  scope?: Scope;
  tags?: readonly string[];
  kind?: DocumentKind;
}

async function learn(name: string, text: string, { scope = HELP_SCOPE, tags, kind }: Learned = {}): Promise<void> {
  const document = { name, tags, kind, open: () => stream([Buffer.from(text)]) };
  expect(await ingest(memory, [document], { scope, clock })).toMatchObject({ failed: [] });
}

const OWN: Learned = { scope: OWN_DOCUMENTS_SCOPE, tags: [OWN_DOCUMENTS_TAG] };
const background = (...names: string[]): Learned => ({
  scope: OWN_DOCUMENTS_SCOPE,
  tags: [BACKGROUND_DOCUMENTS_TAG, ...names],
});

const pathsOf = ({ sources }: Answer) => sources.map(({ path }) => path);

describe('whose knowledge answers', () => {
  beforeEach(async () => {
    const pages = ['The port', 'Memory', 'The store', 'The log'].map(
      (about) =>
        `## ${about}\n\nTo deploy, set ${about.toLowerCase()} in the window of the configuration, and set it at the start.`,
    );
    await learn('tenure/docs/guide.md', `# Guide\n\n${pages.join('\n\n')}`, OWN);
  });

  it('is the asker’s, however the partitions score', async () => {
    await memory.remember('The deployment window is Tuesday at 14:00.', { scope: HELP_SCOPE });
    const answer = await help.ask('when is the deployment window?');
    expect(answer).toMatchObject({ answer: 'The deployment window is Tuesday at 14:00.', confident: true });
    expect(answer.sources).toHaveLength(1);
    expect(answer).not.toHaveProperty('fromOwnDocumentation');
  });

  it('is Tenure’s own where the asker’s does not cover the question, and says so', async () => {
    await memory.remember('The port opens at ten.', { scope: HELP_SCOPE });
    const answer = await help.ask('how is the log configured?');
    expect(answer).toMatchObject({ fromOwnDocumentation: true, sources: [{ path: 'tenure/docs/guide.md' }] });
    expect(answer.answer).toMatch(/^The log\n\n/);
  });

  it('is the asker’s where neither covers it', async () => {
    await memory.remember('Ann has a bicycle.', { scope: HELP_SCOPE });
    const answer = await help.ask('which warranty does a bicycle from the factory have?');
    expect(answer).toMatchObject({ answer: 'Ann has a bicycle.', confident: false });
  });

  it('is nobody’s else', async () => {
    await memory.remember('The codeword is zebra.', { scope: { tenant: 'acme' } });
    expect(await help.ask('what is the codeword zebra?')).toMatchObject({ answer: '', sources: [], confident: false });
    expect(await help.ask('what is it?')).toMatchObject({ answer: '', sources: [], confident: false });
  });
});

describe('what stands behind Tenure', () => {
  beforeEach(async () => {
    await learn('tenure/README.md', '# Tenure\n\n## Install\n\nRun npm install with the packed file of Tenure.', OWN);
    await learn(
      'pino/README.md',
      '# pino\n\n## Install\n\nRun npm install pino.\n\n## Bundling\n\nBundle it with a plugin.',
      background('pino'),
    );
    await learn(
      'tenure/docs/decisions/001.md',
      '# 1. Segments\n\nPostings are kept in segments that merge.',
      background(),
    );
  });

  it('does not answer for Tenure', async () => {
    expect(pathsOf(await help.ask('how do I install it?'))).toEqual(['tenure/README.md']);
  });

  it('answers when it is named', async () => {
    const answer = await help.ask('how do I install pino?');
    expect([...new Set(pathsOf(answer))]).toEqual(['pino/README.md']);
    expect(answer).toMatchObject({ answer: 'Install\n\nRun npm install pino.', confident: true });
  });

  it('answers what Tenure’s documentation hardly knows, and is not sure of it', async () => {
    const bundling = await help.ask('what about bundling?');
    expect(bundling).toMatchObject({ confident: false, sources: [{ path: 'pino/README.md' }] });
    expect(pathsOf(await help.ask('why are postings kept in segments?'))).toEqual(['tenure/docs/decisions/001.md']);
  });
});

describe('an answer', () => {
  it('comes from its first source', async () => {
    await learn(
      'guide.md',
      '# Guide\n\n## Ports\n\nPorts are numbers.\n\n## Change the port\n\nUse the flag, or the key.',
    );
    const { answer, sources } = await help.ask('how do I change the port?');
    expect(answer).toBe('Change the port\n\nUse the flag, or the key.');
    expect(sources[0]).toMatchObject({ heading: 'Guide › Change the port', excerpt: 'Use the flag, or the key.' });
  });

  it('counts as a use of what it names, and of nothing else it looked at', async () => {
    const kept = await memory.remember('The deployment window is Tuesday.', { scope: HELP_SCOPE });
    const looked = await memory.remember('Ann has a window. '.repeat(30), { scope: HELP_SCOPE });
    const { sources } = await help.ask('deployment window');
    expect(sources.map(({ memoryId }) => memoryId)).toEqual([kept.id]);
    await memory.close();
    const again = await store.openMemory();
    const uses = await Promise.all([kept, looked].map(async ({ id }) => (await again.get(id, HELP_SCOPE))?.uses));
    expect(uses).toEqual([1, 0]);
  });

  it('is not sure when it holds all but the one word that tells, however little the asker knows', async () => {
    const pages = ['Start the node server', 'Stop the node server', 'Move the node server'].map(
      (about) => `## ${about}\n\nThe node server is one process; start it by its command.`,
    );
    await learn('tenure/docs/guide.md', `# Guide\n\n${pages.join('\n\n')}`, OWN);
    expect((await help.ask('start the node server')).confident).toBe(true);
    expect((await help.ask('start the zebra node server')).confident).toBe(false);
  });

  it('finds in a conversation what was said in answer', async () => {
    const turns = [
      ['ann', 'How long do we give for refunds?'],
      ['ben', 'Let us say fourteen days.'],
      ['ann', 'Fine. Lunch?'],
      ['ben', 'Yes, in ten minutes.'],
    ];
    const lines = turns.map(([speaker, text]) => JSON.stringify({ speaker, text, session: 'one' }));
    await learn('chat.jsonl', lines.join('\n'));
    expect((await help.ask('how long for refunds?')).sources.map(({ excerpt }) => excerpt)).toContain(
      'Let us say fourteen days.',
    );
  });

  it('refuses an empty question', async () => {
    await expect(help.ask(' ')).rejects.toMatchObject({ code: 'QUERY_EMPTY' });
  });
});
