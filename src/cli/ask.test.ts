import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OWN_DOCUMENTS_SCOPE } from '../agents/help/help-agent.ts';
import { StoreLockedError } from '../storage/storage-errors.ts';
import { CommandLine } from './cli.fixture.ts';
import type { Outside } from './run.ts';

let user: CommandLine;

beforeEach(async () => {
  user = await CommandLine.create();
});

afterEach(async () => {
  expect(user.openNodes).toBe(0);
  await user[Symbol.asyncDispose]();
});

async function ask(question: string, ...flags: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await user.run(['ask', question, ...flags]);
  expect([exitCode, stderr]).toEqual([0, '']);
  return stdout;
}

const OWN = 'From Tenure’s own documentation';

describe('what the asker was told comes before what Tenure knows of itself', () => {
  it('answers from the memory of getting started', async () => {
    await ask('how do I limit memory?');
    await user.run(['remember', 'The deployment window is Tuesday at 14:00.']);
    const answer = await ask('when is the deployment window?');
    expect(answer).toMatch(/^The deployment window is Tuesday at 14:00\.\n\nSources\n {2}1\. The deployment window/);
    expect(answer).not.toContain('2.');
  });

  it('answers from a handbook', async () => {
    const path = await user.file(
      'handbook.md',
      '# Handbook\n\n## Refunds\n\nRefunds are paid within 14 days.\n\n## Support\n\nCall us.',
    );
    await user.run(['ingest', path]);
    const answer = await ask('how long does a refund take?');
    expect(answer).toContain(
      `Refunds\n\nRefunds are paid within 14 days.\n\nSources\n  1. ${path}  Handbook › Refunds\n`,
    );
    expect(answer).not.toContain(OWN);
  });

  it('answers from a conversation, for the user whose it is', async () => {
    const lines = [
      { role: 'user', content: 'What shall we do about refunds?' },
      { role: 'assistant', content: 'Most shops give two weeks.' },
      { role: 'user', content: 'Then we decided: refunds within 14 days, no questions.' },
      { role: 'user', content: 'Next: the new office.' },
    ];
    const path = await user.file('chats.jsonl', lines.map((line) => JSON.stringify(line)).join('\n'));
    await user.run(['ingest', path, '--user', 'ann']);
    const answer = await ask('what did we decide about refunds?', '--user', 'ann');
    expect(answer).toMatch(/^Then we decided: refunds within 14 days/);
    expect(await ask('what did we decide about refunds?', '--user', 'ben')).not.toContain('14 days');
  });

  it('says when the answer is from its own documentation, and only then', async () => {
    await user.run(['remember', 'The store opens at nine, the port at ten.']);
    expect(await ask('how do I back up the store?')).toMatch(new RegExp(`^${OWN}:\n.*tenure\\.db`, 's'));
    expect(await ask('when does the store open?')).toMatch(/^The store opens at nine/);
    expect(JSON.parse(await ask('how do I back up the store?', '--json'))).toMatchObject({
      confident: true,
      fromOwnDocumentation: true,
    });
    expect(JSON.parse(await ask('when does the store open?', '--json'))).not.toHaveProperty('fromOwnDocumentation');
  });
});

describe('ask', () => {
  it('knows Tenure before any serve, and learns it once', async () => {
    const ingested: unknown[] = [];
    const openNode: Outside['openNode'] = async (options) => {
      const node = await user.openNode(options);
      const ingest = node.ingest.bind(node);
      node.ingest = (...given) => {
        ingested.push(given[1].scope);
        return ingest(...given);
      };
      return node;
    };
    for (const _ of ['first', 'second']) {
      const { stdout } = await user.run(['ask', 'which Node version do I need?'], { openNode });
      expect(stdout).toContain('20.19');
    }
    expect(ingested).toEqual([OWN_DOCUMENTS_SCOPE]);
    expect((await user.run(['recall', 'node version'])).stdout).toBe('Nothing was found in this scope.\n');
  });

  it('shows the reasons when asked why, and nothing but the sources otherwise', async () => {
    await user.run(['remember', 'The deployment window is Tuesday at 14:00.', '--speaker', 'Ann']);
    expect(await ask('when is the deployment window?')).toMatch(
      /Sources\n {2}1\. Ann: The deployment window is Tuesday at 14:00\.\n$/,
    );
    expect(await ask('when is the deployment window?', '--why')).toMatch(/\n {5}\d\.\d\d {2}words: has the words /);
  });

  it('names the file of a document without title', async () => {
    const path = await user.file('notes.md', '## Parcels\n\nA parcel costs five euros.\n');
    const bare = await user.file('bare.txt', 'A letter costs one euro.\n');
    await user.run(['ingest', path, bare]);
    expect(await ask('what does a parcel cost?')).toContain(`1. ${path}  Parcels\n`);
    expect(await ask('what does a letter cost?')).toContain(`1. ${bare}\n`);
  });

  it('says a table in words', async () => {
    const path = await user.file(
      'prices.md',
      '# Prices\n\n| what | euros | days |\n| --- | --- | --- |\n| parcel | 5 | 2 |\n| letter | 1 | 3 |\n',
    );
    await user.run(['ingest', path]);
    expect(await ask('how many days does a parcel take?')).toContain(
      '- parcel: euros 5; days 2\n- letter: euros 1; days 3',
    );
    const { sources } = JSON.parse(await ask('how many days does a parcel take?', '--json'));
    expect(sources[0].excerpt).toBe('parcel: euros 5; days 2');
  });

  it('answers from what it has when its own documentation cannot be learned', async () => {
    await user.run(['remember', 'The deployment window is Tuesday at 14:00.']);
    const openNode: Outside['openNode'] = async (options) => {
      const node = await user.openNode(options);
      node.ingest = () => Promise.reject(new StoreLockedError({ path: 'tenure.db', waitedMs: 5000 }));
      return node;
    };
    const { exitCode, stdout, stderr } = await user.run(['ask', 'deployment window'], { openNode });
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('could not be learned (STORE_LOCKED)')]);
    expect(stdout).toContain('Tuesday at 14:00');
  });
});
