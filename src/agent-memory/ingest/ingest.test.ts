import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Scope } from '../../storage/scope.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { TemporaryStore } from '../../testing/temporary-store.ts';
import type { RememberItem } from '../memory-input.ts';
import type { IngestDocument } from './document.ts';
import { type IngestMemory, type IngestOptions, ingest } from './ingest.ts';
import { stream } from './reading.fixture.ts';

const SCOPE: Scope = { tenant: 'acme', agent: 'help' };

/** Long-term memory as an array, which dies after so many transactions when told to. */
class ListedMemory implements IngestMemory {
  items: RememberItem[] = [];
  transactions = 0;
  diesAfter = Number.POSITIVE_INFINITY;

  async rememberAll(items: readonly RememberItem[]): Promise<void> {
    this.#live();
    this.items.push(...items);
  }

  async sourceVersion(source: string): Promise<string | null> {
    return (this.items.findLast((item) => item.source === source)?.metadata?.['version'] as string) ?? null;
  }

  async forgetSource(source: string, _: Scope, { keepVersion }: { keepVersion?: string } = {}): Promise<number> {
    const before = this.items.length;
    const goes = (item: RememberItem) =>
      item.source === source && (keepVersion === undefined || item.metadata?.['version'] !== keepVersion);
    if (this.items.some(goes)) this.#live();
    this.items = this.items.filter((item) => !goes(item));
    return before - this.items.length;
  }

  texts(source: string): string[] {
    return this.items.filter((item) => item.source === source).map((item) => item.text);
  }

  #live(): void {
    if (this.transactions++ >= this.diesAfter) throw new Error('killed');
  }
}

function document(name: string, content: string | Uint8Array, more: Partial<IngestDocument> = {}): IngestDocument {
  const bytes = Buffer.from(content);
  return { name, sizeBytes: bytes.length, open: () => stream([bytes]), ...more };
}

/** `count` paragraphs that are a passage each. */
function pages(count: number, stem: string): string {
  const page = (number: number) => Array.from({ length: 150 }, (_, word) => `${stem}${number}x${word}`).join(' ');
  return Array.from({ length: count }, (_, number) => page(number)).join('\n\n');
}

const take = (memory: IngestMemory, documents: Iterable<IngestDocument>, more: Partial<IngestOptions> = {}) =>
  ingest(memory, documents, { scope: SCOPE, clock: new ManualClock(), ...more });

describe('ingest', () => {
  it('remembers passages with where they stand', async () => {
    const memory = new ListedMemory();
    const content = '---\ntags: [guide]\n---\n# Storage\n\nSet the busy timeout.';
    const report = await take(memory, [document('/guide/store.md', content, { modifiedAtMs: 5, tags: ['own'] })]);
    expect(report).toEqual({
      documents: 1,
      unchanged: 0,
      passages: 1,
      failed: [],
      badLines: 0,
      replacedCharacters: 0,
      warnings: [],
      bytes: Buffer.byteLength(content),
      tookMs: 0,
    });
    expect(memory.items).toEqual([
      {
        text: 'Storage\n\nSet the busy timeout.',
        scope: { ...SCOPE, session: '/guide/store.md' },
        source: '/guide/store.md',
        speaker: undefined,
        atMs: undefined,
        tags: ['own', 'guide'],
        metadata: {
          title: 'Storage',
          path: '/guide/store.md',
          heading: 'Storage',
          kind: 'markdown',
          position: 0,
          version: `2:markdown:${createHash('sha256').update(content).digest('hex')}`,
          modifiedAtMs: 5,
        },
      },
    ]);
  });

  it('lets others have a turn for every 64 KB, however large the pieces it is given', async () => {
    let turns = 0;
    let under = true;
    const countTurns = () => void setImmediate(() => under && ++turns && countTurns());
    countTurns();
    for (const bytes of [2 ** 20, 5 * 2 ** 20]) {
      turns = 0;
      const report = await take(new ListedMemory(), [document('a.html', '<'.repeat(bytes))]);
      expect(report).toMatchObject({ failed: [], bytes });
      expect(turns).toBeGreaterThanOrEqual(2 * (bytes / 65_536) - 1);
    }
    under = false;
  });

  it.each([
    ['open', { open: () => ['abc'] }],
    [
      'open',
      {
        open: async function* () {
          yield 5;
        },
      },
    ],
    ['open', { open: undefined }],
    ['kind', { kind: 'pdf' }],
    ['kind', { kind: 'constructor' }],
  ])('refuses what is no document, by its %s: %o', async (argument, more) => {
    const memory = new ListedMemory();
    const wrong = document('a.txt', 'text', more as never);
    await expect(take(memory, [wrong])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', details: { argument } });
    expect(memory.items).toEqual([]);
  });

  it.each([[undefined], [null], ['a.md'], [5], [{}], [[null]], [[7]]])(
    'refuses %o in place of documents',
    async (documents) => {
      await expect(take(new ListedMemory(), documents as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    },
  );

  it('gives each message its session and speaker, and the scope its say', async () => {
    const memory = new ListedMemory();
    const lines =
      '{"speaker":"Ann","text":"Hi","session":"s1","timestamp":1700000000}\n{"role":"user","content":"Yes"}';
    await take(memory, [document('chat.jsonl', lines)]);
    await take(memory, [document('notes.txt', 'A note.')], { scope: { ...SCOPE, session: 'mine' } });
    expect(memory.items.map(({ scope, speaker, atMs }) => [scope.session, speaker, atMs])).toEqual([
      ['s1', 'Ann', 1700000000000],
      ['chat.jsonl', 'user', undefined],
      ['mine', undefined, undefined],
    ]);
  });

  it('shortens a session name that no scope could hold', async () => {
    const memory = new ListedMemory();
    const name = `/${'deep/'.repeat(150)}a.txt`;
    await take(memory, [document(name, 'Text.')]);
    expect(memory.items[0]!.scope.session).toBe(createHash('sha256').update(name).digest('hex'));
  });

  it('makes what a message may hold and a memory may not fit', async () => {
    await using temporary = await TemporaryStore.create();
    const memory = await temporary.openMemory();
    const line = { speaker: 'x'.repeat(2000), text: 'strange\0 \ud800 text', session: 'a\0b\ud800', timestamp: -1 };
    const report = await take(memory, [document('chat.jsonl', JSON.stringify(line))]);
    expect(report).toMatchObject({ passages: 1, failed: [] });
    const [found] = await memory.recall('strange', { scope: SCOPE });
    expect(found!.memory).toMatchObject({
      text: 'strange  \ufffd text',
      scope: { session: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
  });

  it('remembers once what is taken in twice at the same time', async () => {
    const memory = new ListedMemory();
    const twice = () =>
      take(memory, [document('a.txt', pages(5, 'p')), document('b.txt', 'Other.')], { batchPassages: 2 });
    const reports = await Promise.all([twice(), twice()]);
    expect(reports.map(({ unchanged }) => unchanged)).toEqual([0, 2]);
    expect(memory.items).toHaveLength(6);
  });

  it.each([0, -1, 1.5, Number.NaN, 5000])('refuses batches of %s passages', async (batchPassages) => {
    await expect(take(new ListedMemory(), [], { batchPassages })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('skips what has not changed and replaces what has', async () => {
    const memory = new ListedMemory();
    await take(memory, [document('a.txt', pages(5, 'old')), document('b.txt', 'Other.')], { batchPassages: 2 });
    const again = await take(memory, [document('a.txt', pages(5, 'old')), document('b.txt', 'Other.')]);
    expect(again).toMatchObject({ documents: 2, unchanged: 2, passages: 0 });
    const changed = await take(memory, [document('a.txt', pages(4, 'new'))], { batchPassages: 3 });
    expect(changed).toMatchObject({ documents: 1, unchanged: 0, passages: 4 });
    expect(memory.texts('a.txt')).toEqual(pages(4, 'new').split('\n\n'));
    expect(memory.texts('b.txt')).toEqual(['Other.']);
  });

  it('forgets the passages of a document that has become empty', async () => {
    const memory = new ListedMemory();
    await take(memory, [document('a.txt', 'Text.')]);
    expect(await take(memory, [document('a.txt', '')])).toMatchObject({ passages: 0, failed: [] });
    expect(memory.items).toEqual([]);
  });

  it('never leaves a document missing or doubled, wherever the process dies', async () => {
    const old = pages(5, 'old').split('\n\n');
    const wanted = pages(7, 'new').split('\n\n');
    const replaceWith = (memory: ListedMemory) =>
      take(memory, [document('a.txt', wanted.join('\n\n'))], { batchPassages: 2 });
    for (let first = 0; first < 12; first++) {
      for (let second = 0; second < 6; second++) {
        const memory = new ListedMemory();
        await take(memory, [document('a.txt', old.join('\n\n'))]);
        for (const lives of [first, second]) {
          Object.assign(memory, { transactions: 0, diesAfter: lives });
          const complete = await replaceWith(memory).then(
            () => true,
            () => false,
          );
          const has = (texts: readonly string[]) => texts.every((text) => memory.texts('a.txt').includes(text));
          expect(has(old) || has(wanted)).toBe(true);
          if (complete) expect(memory.texts('a.txt')).toEqual(wanted);
        }
        memory.diesAfter = Number.POSITIVE_INFINITY;
        await replaceWith(memory);
        expect(memory.texts('a.txt')).toEqual(wanted);
      }
    }
  });

  it('goes on where it died instead of beginning again, and begins again when the document has changed', async () => {
    const memory = new ListedMemory();
    memory.diesAfter = 3;
    await expect(take(memory, [document('a.txt', pages(9, 'p'))], { batchPassages: 2 })).rejects.toThrow('killed');
    memory.diesAfter = Number.POSITIVE_INFINITY;
    expect(await take(memory, [document('a.txt', pages(9, 'p'))], { batchPassages: 2 })).toMatchObject({ passages: 3 });
    expect(memory.texts('a.txt')).toEqual(pages(9, 'p').split('\n\n'));

    Object.assign(memory, { transactions: 0, diesAfter: 2 });
    await expect(take(memory, [document('a.txt', pages(9, 'q'))], { batchPassages: 2 })).rejects.toThrow('killed');
    memory.diesAfter = Number.POSITIVE_INFINITY;
    expect(await take(memory, [document('a.txt', pages(2, 'r'))])).toMatchObject({ passages: 2 });
    expect(memory.texts('a.txt')).toEqual(pages(2, 'r').split('\n\n'));
  });

  it('lets a document fail alone, and keeps what was known of it', async () => {
    const memory = new ListedMemory();
    await take(memory, [document('grows.txt', 'Known before.')]);
    let reads = 0;
    const long = 'growing '.repeat(600_000);
    const grows = document('grows.txt', '', {
      open: () => stream([Buffer.from(`${reads++}${long}`)]),
    });
    const unreadable = document('gone.md', '', {
      open: () => {
        throw new Error('ENOENT: no such file');
      },
    });
    const report = await take(memory, [
      document('a.txt', Buffer.from([0, 1, 2])),
      document('photo.png', 'x'),
      document('cyrillic.html', Buffer.concat([Buffer.from('<p>head</p>'.repeat(800)), Buffer.alloc(9000, 0xcf)])),
      document('data.json', '[]'),
      document('bad.jsonl', 'not json\n'),
      document('', 'x'),
      unreadable,
      grows,
      document('good.txt', 'Good.'),
    ]);
    expect(report.failed.map(({ name, code }) => [name, code])).toEqual([
      ['a.txt', 'INGEST_BINARY'],
      ['photo.png', 'INGEST_UNSUPPORTED'],
      ['cyrillic.html', 'INGEST_BINARY'],
      ['data.json', 'INGEST_UNSUPPORTED'],
      ['bad.jsonl', 'INGEST_MALFORMED'],
      ['', 'INGEST_UNREADABLE'],
      ['gone.md', 'INGEST_UNREADABLE'],
      ['grows.txt', 'INGEST_CHANGED'],
    ]);
    expect(memory.items.map(({ text }) => text)).toEqual(['Known before.', 'Good.']);
    expect(report).toMatchObject({ documents: 9, unchanged: 0 });
  });

  it('reports bad lines and replaced characters, or fails on them when asked to', async () => {
    const memory = new ListedMemory();
    const chat = document('chat.jsonl', '{"role":"user","content":"ok"}\n{oops\n');
    const latin = document(
      'latin.txt',
      Buffer.concat([Buffer.from('caf'), Buffer.from([0xe9]), Buffer.from(' au lait, please')]),
    );
    const report = await take(memory, [chat, latin]);
    expect(report).toMatchObject({ passages: 2, failed: [], badLines: 1, replacedCharacters: 1 });
    expect(report.warnings.map(({ name, code, line }) => [name, code, line])).toEqual([
      ['chat.jsonl', 'INGEST_MALFORMED', 2],
      ['latin.txt', 'INGEST_REPLACED', undefined],
    ]);
    const strict = await take(new ListedMemory(), [chat], { strict: true });
    expect(strict.failed).toMatchObject([
      { name: 'chat.jsonl', code: 'INGEST_MALFORMED', message: expect.stringContaining('line 2') },
    ]);
  });

  it('keeps no more than a hundred warnings', async () => {
    const lines = `{"role":"user","content":"ok"}\n${'{oops\n'.repeat(1000)}`;
    const report = await take(new ListedMemory(), [document('chat.jsonl', lines)]);
    expect(report.badLines).toBe(1000);
    expect(report.warnings).toHaveLength(100);
  });

  it('passes the errors of the memory on: they would meet every document', async () => {
    const memory = new ListedMemory();
    memory.diesAfter = 0;
    await expect(take(memory, [document('a.txt', 'a'), document('b.txt', 'b')])).rejects.toThrow('killed');
  });

  it('stops when it is told to, and goes on another time', async () => {
    const memory = new ListedMemory();
    const stop = new AbortController();
    const running = take(memory, [document('a.txt', pages(9, 'p'))], { signal: stop.signal, batchPassages: 2 });
    const first = memory.rememberAll.bind(memory);
    memory.rememberAll = async (items) => {
      await first(items);
      stop.abort(new Error('enough'));
    };
    await expect(running).rejects.toThrow('enough');
    expect(memory.items.length).toBe(3);
    memory.rememberAll = first;
    await take(memory, [document('a.txt', pages(9, 'p'))], { batchPassages: 2 });
    expect(memory.texts('a.txt')).toEqual(pages(9, 'p').split('\n\n'));
  });

  it('tells how far it has come', async () => {
    const clock = new ManualClock();
    const told: unknown[] = [];
    const documents = [document('a.txt', 'x'.repeat(100)), document('b.txt', 'y'.repeat(300))];
    const memory = new ListedMemory();
    memory.rememberAll = async () => clock.advance(1000);
    await ingest(memory, documents, { scope: SCOPE, clock, onProgress: (progress) => told.push(progress) });
    expect(told).toEqual([
      { documents: 1, passages: 1, bytes: 100, totalBytes: 400, bytesPerSecond: 100, leftMs: 3 },
      { documents: 2, passages: 2, bytes: 400, totalBytes: 400, bytesPerSecond: 200, leftMs: 0 },
    ]);
    told.length = 0;
    await ingest(memory, stream(documents), { scope: SCOPE, clock, onProgress: (progress) => told.push(progress) });
    expect(told.at(-1)).toMatchObject({ totalBytes: null, leftMs: null });
  });

  it('holds no more of an endless line than a batch', async () => {
    const chunk = Buffer.from('No line ends here. '.repeat(4096));
    let readBytes = 0;
    async function* endless() {
      readBytes = 0;
      for (let count = 0; count < 100; count++) {
        readBytes += chunk.length;
        yield chunk;
      }
    }
    const memory = new ListedMemory();
    let passages = 0;
    let keptBytes = 0;
    let mostHeldBytes = 0;
    memory.rememberAll = async (items) => {
      mostHeldBytes = Math.max(mostHeldBytes, readBytes - keptBytes);
      passages += items.length;
      keptBytes += items.reduce((sum, { text }) => sum + text.length, 0);
    };
    const report = await take(memory, [document('endless.txt', '', { open: endless })]);
    expect(report.bytes).toBe(chunk.length * 100);
    expect(passages).toBeGreaterThan(5000);
    expect(mostHeldBytes).toBeLessThan(512 * 1024);
  });

  it('makes documents that long-term memory finds, skips and replaces', async () => {
    await using temporary = await TemporaryStore.create();
    const memory = await temporary.openMemory();
    const guide = document(
      'guide.md',
      '# Store\n\n## Busy timeout\n\nSet `timeout` to wait for a lock.\n\n## Backup\n\nCopy the file.',
    );
    await take(memory, [guide, document('big.txt', pages(150, 'filler'))]);
    const [best] = await memory.recall('how do I wait for a lock?', { scope: SCOPE });
    expect(best!.memory).toMatchObject({
      source: 'guide.md',
      metadata: { title: 'Store', heading: 'Store › Busy timeout' },
    });
    const count = memory.statistics().memories;
    expect(await take(memory, [guide])).toMatchObject({ unchanged: 1 });
    expect(memory.statistics().memories).toBe(count);
    await take(memory, [document('guide.md', '# Store\n\nLocks are gone.'), document('big.txt', pages(3, 'filler'))]);
    expect(memory.statistics().memories).toBe(4);
  });
});
