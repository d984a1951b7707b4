import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MIB } from '../base/bytes.ts';
import { nextTurn } from '../base/clock.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { Tenure, type TenureOptions } from './tenure.ts';
import type { TenureEvent } from './tenure-event.ts';

let directory: string;
let clock: ManualClock;
let events: TenureEvent[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tenure-holders-'));
  clock = new ManualClock();
  events = [];
});

afterEach(async () => {
  expect(events.filter(({ type }) => type === 'budget.leaked')).toEqual([]);
  await rm(directory, { recursive: true, force: true });
});

function open(configuration: TenureOptions['configuration'] = {}): Promise<Tenure> {
  return Tenure.open({ directory, environment: {}, clock, configuration, onEvent: (event) => events.push(event) });
}

describe('caches of a node', () => {
  it('are made once, stand in its budget, and close with it', async () => {
    const tenure = await open();
    const answers = tenure.cache<string, string>('answers', { maxEntries: 10 });
    answers.set('key', 'value');
    expect(tenure.cache('answers', { maxEntries: 99 })).toBe(answers);
    expect(tenure.status()).toMatchObject({ caches: [{ name: 'answers', entries: 1, maxEntries: 10 }] });
    expect(tenure.budget.snapshot().consumers.find(({ name }) => name === 'answers')?.bytes).toBeGreaterThan(0);
    await tenure.close();
    expect(answers.isClosed).toBe(true);
    expect(() => tenure.cache('answers', { maxEntries: 10 })).toThrow('closed');
  });

  it('leave the list when their user closes them, and their name is free again', async () => {
    await using tenure = await open();
    const first = tenure.cache('answers', { maxEntries: 10 });
    first.close();
    expect(tenure.status().caches).toEqual([]);
    expect(tenure.cache('answers', { maxEntries: 20 }) === first).toBe(false);
  });
});

describe('embeddings of a node', () => {
  it('are computed once, kept in its store, and told as a cache', async () => {
    let embedded = 0;
    const embed = async (texts: readonly string[]) => {
      embedded += texts.length;
      return texts.map((text) => Float32Array.of(text.length, 1));
    };
    const tenure = await open();
    await tenure.embeddings({ model: 'm1' }).embed(['zebra', 'quagga'], embed);
    expect(tenure.status()).toMatchObject({ caches: [{ name: 'embedding-cache', entries: 2 }] });
    await tenure.close();

    await using again = await open();
    const vectors = await again.embeddings({ model: 'm1' }).embed(['quagga'], embed);
    expect([embedded, [...vectors[0]!]]).toEqual([2, [6, 1]]);
  });
});

describe('pools of a node', () => {
  const thing = { create: () => ({}), destroy: () => {} };

  it('are as large as configured where their name says what they lend, unless told otherwise', async () => {
    await using tenure = await open({ pools: { databaseMax: 3, llmMax: 4, httpMax: 5 } });
    tenure.pool('database', thing);
    tenure.pool('llm', { ...thing, max: 2 });
    tenure.pool('parsers', thing);
    expect(tenure.status().pools.map(({ name, max }) => [name, max])).toEqual([
      ['database', 3],
      ['llm', 2],
      ['parsers', 10],
    ]);
    expect(tenure.pool('database')).toBe(tenure.pools.get('database'));
    expect(() => tenure.pool('nobody')).toThrow(expect.objectContaining({ code: 'POOL_UNKNOWN' }));
  });

  it('are of the usual size when the ready-made ones are switched off', async () => {
    await using tenure = await open({ pools: { enabled: false, databaseMax: 3 } });
    expect(tenure.pool('database', thing).statistics().max).toBe(10);
  });
});

describe('sessions of a node', () => {
  it('are all written before the store closes, though another holder fails to close', async () => {
    const tenure = await open();
    const stuck = {
      name: 'stuck',
      isClosed: false,
      statistics: () => tenure.pool('parsers').statistics(),
      close: () => Promise.reject(new Error('stuck')),
    };
    tenure.pools.add(stuck);
    const sessions = tenure.sessions<{ turns: number }>();
    await sessions.create({ turns: 1 }, { id: 'ann' });
    let finish = (_: { turns: number }) => {};
    const updating = sessions.update('ann', () => new Promise((resolve) => (finish = resolve)));
    await nextTurn();
    const closing = expect(tenure.close()).rejects.toThrow('stuck');
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    finish({ turns: 2 });
    expect((await updating).version).toBe(2);
    await closing;
    await using again = await open();
    expect((await again.sessions<{ turns: number }>().get('ann'))?.value).toEqual({ turns: 2 });
  });

  it('are kept in its store, as many in memory as configured', async () => {
    const tenure = await open({ sessions: { max: 2, idleMs: 60_000 } });
    const sessions = tenure.sessions<{ turns: number }>();
    for (const id of ['ann', 'ben', 'eve']) await sessions.create({ turns: 1 }, { id });
    expect(tenure.status().sessions).toMatchObject([{ name: 'sessions', live: 2, max: 2, spilled: 1 }]);
    await clock.advance(120_000);
    expect(sessions.statistics().live).toBe(0);
    await tenure.close();

    await using again = await open();
    expect((await again.sessions<{ turns: number }>().get('ann'))?.value).toEqual({ turns: 1 });
    expect(await again.sessions('others').get('ann')).toBeNull();
  });
});

it('counts what an owner holds over all holders together', async () => {
  await using tenure = await open();
  tenure.quotas.setLimit('acme', MIB);
  const answers = tenure.cache<string, string>('answers', {
    maxBytes: 10 * MIB,
    sizeOf: () => 900_000,
    overheadBytes: 0,
  });
  expect(answers.set('a', 'x', { owner: 'acme' })).toBe(true);
  expect(tenure.admission.tryAdmit(MIB / 2, { tenant: 'acme' })).toMatchObject({ admitted: false, reason: 'quota' });
  const ticket = tenure.admission.tryAdmit(MIB / 2, { tenant: 'other' });
  expect(ticket).toMatchObject({ admitted: true });
  expect(tenure.status().quotas[0]).toMatchObject({ owner: 'acme', usedBytes: 900_000, limitBytes: MIB });
  if (ticket.admitted) ticket.release();
});
