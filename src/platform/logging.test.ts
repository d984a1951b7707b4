import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MIB } from '../base/bytes.ts';
import type { TenureEventBase } from '../base/events.ts';
import type { Configuration } from './configuration/keys.ts';
import type { LogLine } from './log-line.ts';
import { Log } from './logging.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-log-'));
});

afterEach(() => rm(folder, { recursive: true }));

interface TestEvent extends TenureEventBase {
  readonly line: LogLine | null;
  readonly [field: string]: unknown;
}

const at = Date.UTC(2026, 0, 1, 14, 5, 9);
const event = (severity: LogLine['severity'], text: string, fields = {}): TestEvent => ({
  ...{ type: 'test.happened', atMs: at, line: { severity, text } },
  ...fields,
});

async function open(settings: Partial<Configuration['log']>, isTTY = false) {
  const written: string[] = [];
  const log = await Log.open<TestEvent>({
    settings: { level: 'info', format: 'auto', file: null, maxSizeBytes: MIB, keep: 3, ...settings },
    describe: ({ line }) => line,
    screen: { isTTY, write: (text) => written.push(text) },
  });
  return { log, written };
}

describe('the screen', () => {
  it('gets text at a terminal, coloured by severity', async () => {
    const { log, written } = await open({}, true);
    await using _ = log;
    log.write(event('warning', 'pressure high: anon 412 of 512 MB'));
    expect(written).toHaveLength(1);
    const [colour, text, plain] = written[0]!.split(/(?=\d\d:\d5:09)|(?<=MB)/);
    expect([colour, text!.slice(5), plain]).toEqual([
      '\u001b[33m',
      ':09 warning pressure high: anon 412 of 512 MB',
      '\u001b[39m\n',
    ]);
  });

  it('gets JSON when piped', async () => {
    const { log, written } = await open({});
    await using _ = log;
    log.write(event('warning', 'pressure high', { score: 84, holders: ['vectors 180 MB'] }));
    expect(written.map((line) => JSON.parse(line))).toEqual([
      {
        ...{ level: 'warning', time: '2026-01-01T14:05:09.000Z', type: 'test.happened', message: 'pressure high' },
        ...{ score: 84, holders: ['vectors 180 MB'], line: { severity: 'warning', text: 'pressure high' } },
      },
    ]);
    expect(written[0]!.endsWith('}\n')).toBe(true);
  });

  it('gets no name twice in a line, whatever an event calls its fields', async () => {
    const { log, written } = await open({});
    await using _ = log;
    log.write(event('error', 'it failed', { level: 'high', message: 'why', time: 5 }));
    const names = [...written[0]!.matchAll(/"(\w+)":/g)].map(([, name]) => name);
    expect(names.filter((name) => ['level', 'time', 'message'].includes(name!))).toEqual(['level', 'time', 'message']);
    expect(JSON.parse(written[0]!)).toMatchObject({
      ...{ level: 'error', time: '2026-01-01T14:05:09.000Z', message: 'it failed' },
      ...{ eventLevel: 'high', eventMessage: 'why', eventTime: 5 },
    });
  });

  it.each([
    ['text', false, 'info    hello\n'],
    ['json', true, '"message":"hello"}\n'],
  ] as const)('gets %s when told so', async (format, isTTY, end) => {
    const { log, written } = await open({ format }, isTTY);
    await using _ = log;
    log.write(event('info', 'hello'));
    expect(written[0]!.endsWith(end)).toBe(true);
  });

  it('cannot be fooled by what a text holds', async () => {
    const { log, written } = await open({ format: 'text' });
    await using _ = log;
    log.write(event('info', 'a name\n12:00:00 error   all is lost\u001b[2J\u0007'));
    expect(written[0]!.split('\n').slice(1)).toEqual(['  12:00:00 error   all is lost\\u001b[2J\\u0007', '']);
  });
});

describe('what is written', () => {
  it('is as serious as asked for, also when that changes', async () => {
    const { log, written } = await open({ level: 'warning' });
    await using _ = log;
    const all = () => {
      for (const severity of ['debug', 'info', 'warning', 'error'] as const) log.write(event(severity, 'x'));
      return written.splice(0).map((line) => JSON.parse(line).level);
    };
    expect(all()).toEqual(['warning', 'error']);
    log.setLevel('debug');
    expect(all()).toEqual(['debug', 'info', 'warning', 'error']);
    log.setLevel('silent');
    expect(all()).toEqual([]);
  });

  it('is nothing for an event without a line', async () => {
    const { log, written } = await open({ level: 'debug' });
    await using _ = log;
    log.write({ type: 'test.happened', atMs: at, line: null });
    expect(written).toEqual([]);
  });

  it('never holds a secret', async () => {
    for (const format of ['text', 'json'] as const) {
      const { log, written } = await open({ format });
      await using _ = log;
      log.write(
        event(
          'error',
          'cannot reach postgres://ann:hunter2@db:5432/x, api_key=hunter2, {"token": "hunter2"} Authorization: Bearer hunter2',
          {
            ...{
              apiKey: 'hunter2',
              password: 'hunter2',
              url: 'https://u:hunter2@host/',
              list: ['secret=hunter2'],
              maxTokens: 5,
            },
            line: { severity: 'error', text: 'password: hunter2' },
          },
        ),
      );
      expect(written.join('')).not.toContain('hunter2');
      expect(written.join('')).toContain('[hidden]');
    }
  });
});

describe('the file', () => {
  it('gets JSON whatever the screen gets, everything of it by the time the log is closed', async () => {
    const file = join(folder, 'deep', 'tenure.log');
    await mkdir(join(folder, 'deep'));
    const { log, written } = await open({ file }, true);
    for (let number = 0; number < 1000; number++) log.write(event('info', `line ${number}`));
    await log[Symbol.asyncDispose]();
    await log[Symbol.asyncDispose]();
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).message)).toEqual(
      Array.from({ length: 1000 }, (_, number) => `line ${number}`),
    );
    expect(written).toHaveLength(1000);
  });

  it('is rotated by size; the old ones are compressed, numbered, and few', async () => {
    const file = join(folder, 'tenure.log');
    for (let round = 0; round < 6; round++) {
      const { log } = await open({ file, maxSizeBytes: 2000, keep: 2 }, true);
      for (let number = 0; number < 10; number++) log.write(event('info', `round ${round} ${'x'.repeat(200)}`));
      await log[Symbol.asyncDispose]();
    }
    const names = (await readdir(folder)).sort();
    expect(names).toEqual(['tenure.log', 'tenure.log.1.gz', 'tenure.log.2.gz']);
    const newest = gunzipSync(await readFile(join(folder, 'tenure.log.1.gz'))).toString();
    expect(JSON.parse(newest.split('\n')[0]!).message).toMatch(/^round \d x+$/);
  });

  it('that cannot be written is refused at the start', async () => {
    await expect(open({ file: join(folder, 'tenure.log', '\0') })).rejects.toMatchObject({ code: 'LOG_UNWRITABLE' });
    await expect(open({ file: folder })).rejects.toMatchObject({ code: 'LOG_UNWRITABLE' });
  });
});
