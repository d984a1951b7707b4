/**
 * The headline, small: under a hard limit and a demand of three times as much, the plain server is killed and loses what it had acknowledged;
 * the one on Tenure goes on and loses nothing.
 *
 * The whole contest is `npm run bench -- survival`; here one limit, in a hurry.
 */
import { describe, expect, it } from 'vitest';
import { dataFile } from '../../bench/reference-data.ts';
import { replay } from '../../bench/survival/replay.ts';
import { MIB } from '../../src/base/bytes.ts';

const LIMIT_BYTES = 160 * MIB;

describe('an agent server in a container that is a third of its demand', { timeout: 180_000 }, () => {
  const contest = (contestant: string) =>
    replay({
      contestant,
      limitBytes: LIMIT_BYTES,
      traceFile: dataFile('load/AzureLLMInferenceTrace_conv.csv.gz'),
      haste: 2,
    });

  it('is killed with its acknowledged turns and sessions, when they are kept in Maps', async () => {
    const { deaths, turns, sessions } = await contest('plain');
    expect(deaths.map(({ by }) => by)).toContain('the kernel');
    expect(turns.lost).toBeGreaterThan(0);
    expect(sessions.lost).toBeGreaterThan(0);
  });

  it('is not killed and loses nothing that it acknowledged, when they are under one budget', async () => {
    const { deaths, served, turns, sessions } = await contest('tenure');
    expect(deaths).toEqual([]);
    expect(served).toBeGreaterThan(0);
    expect(turns).toMatchObject({ lost: 0, unanswered: 0 });
    expect(sessions).toMatchObject({ lost: 0, unanswered: 0 });
  });
});
