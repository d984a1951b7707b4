import { describe, expect, it } from 'vitest';
import { MIB } from '../base/bytes.ts';
import { describeEvent } from './event-lines.ts';

describe('what admission tells', () => {
  const refusing = { type: 'admission.refusing', atMs: 0, kind: 'POST /recall', requestBytes: 65_536 } as const;
  const held = { openTickets: 12, openBytes: 30 * MIB, retryAfterMs: 1_000 };
  const lost = { type: 'admission.ticket_lost', atMs: 0, kind: 'ask', tenant: null, bytes: 2_048 } as const;
  const circuit = { type: 'admission.circuit_changed', atMs: 0, circuit: 'admitted requests' } as const;
  it.each([
    [
      { ...refusing, ...held, reason: 'budget', holders: ['vectors 180 MB'] } as const,
      'warning: refusing work, no room in the budget: 64 KB for POST /recall; 30 MB held by 12 tickets; largest: vectors 180 MB',
    ],
    [
      { ...refusing, ...held, openTickets: 1, reason: 'pressure', holders: [] } as const,
      'warning: refusing work, memory pressure: 64 KB for POST /recall; 30 MB held by 1 ticket; largest: none',
    ],
    [
      { type: 'admission.resumed', atMs: 0, reason: 'quota', refused: 30, lastedMs: 2_940 } as const,
      'info: nothing refused for 10 s (a quota is used up); 30 were, within 2.9 s',
    ],
    [
      { type: 'admission.tickets_held', atMs: 0, tickets: 2, bytes: 5 * MIB, kind: 'ask', heldMs: 301_000 } as const,
      'warning: 5 MB held by 2 tickets for 5 min, such as ask',
    ],
    [
      { ...lost, cause: 'collected', heldMs: 3_000 } as const,
      'error: a ticket of ask was never released (nobody can release it any more); 2 KB taken back after 3 s',
    ],
    [
      { ...lost, cause: 'expired', heldMs: 3_600_000 } as const,
      'error: a ticket of ask was never released (open for too long); 2 KB taken back after 60 min',
    ],
    [
      { ...circuit, from: 'closed', to: 'open', reason: '5 failures in a row', pauseMs: 1_000 } as const,
      'warning: circuit of admitted requests open for 1 s: 5 failures in a row',
    ],
    [
      { ...circuit, from: 'open', to: 'half_open', reason: 'the pause is over', pauseMs: 0 } as const,
      'info: circuit of admitted requests half open: the pause is over',
    ],
    [
      { type: 'admission.estimate_failed', atMs: 0, kind: 'ask', message: 'NaN is no size' } as const,
      'warning: estimate for ask failed, the learned one is used: NaN is no size',
    ],
  ])('%j', (event, expected) => {
    const { severity, text } = describeEvent(event);
    expect(`${severity}: ${text}`).toBe(expected);
  });
});

describe('what pools and sessions tell', () => {
  it.each([
    [
      {
        type: 'pool.exhausted',
        pool: 'llm',
        reason: 'queue_full',
        refusals: 1,
        max: 10,
        size: 10,
        borrowed: 10,
        waiting: 5,
      },
      'warning: pool llm is exhausted: 1 request refused (queue full); 10 of 10 lent, 5 waiting',
    ],
    [
      {
        type: 'pool.lease_held_too_long',
        pool: 'llm',
        heldMs: 90_000,
        site: 'Error: x\n    at ask (a.ts:1:2)\n    at b',
      },
      'warning: pool llm: a lease is out for 90 s, taken at ask (a.ts:1:2)',
    ],
    [{ type: 'pool.leases_left', pool: 'llm', leases: 2, sites: [] }, 'error: pool llm closed with 2 leases still out'],
    [
      { type: 'sessions.spilled', pool: 'sessions', cause: 'pressure', sessions: 1, bytes: MIB },
      'debug: sessions: 1 session (1 MB) left memory for the disk: pressure',
    ],
    [
      {
        type: 'sessions.write_failed',
        pool: 'sessions',
        what: 'expiry',
        sessions: 3,
        code: 'STORE_FULL',
        message: 'full',
      },
      'error: sessions: writing expiry of 3 sessions failed (STORE_FULL), kept and tried again: full',
    ],
  ])('%j', (event, expected) => {
    const { severity, text } = describeEvent({ atMs: 0, ...event });
    expect(`${severity}: ${text}`).toBe(expected);
  });
});
