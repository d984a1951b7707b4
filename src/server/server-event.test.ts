import { describe, expect, it } from 'vitest';
import { describeServerEvent, type ServerEvent } from './server-event.ts';

const failed = { type: 'server.request_failed', atMs: 0, method: 'POST', path: '/recall', status: 500 } as const;

describe('describeServerEvent', () => {
  it.each<[ServerEvent, string]>([
    [
      { type: 'server.listening', atMs: 0, address: '127.0.0.1', port: 7341 },
      'info: listening on http://127.0.0.1:7341',
    ],
    [{ type: 'server.listening', atMs: 0, address: '::1', port: 7341 }, 'info: listening on http://[::1]:7341'],
    [{ type: 'server.closed', atMs: 0, abandoned: 0 }, 'info: server closed'],
    [{ type: 'server.closed', atMs: 0, abandoned: 2 }, 'warning: server closed; 2 requests were cut off'],
    [
      { ...failed, code: 'STORE_FULL', message: 'No space left.', stack: null },
      'error: POST /recall failed (STORE_FULL): No space left.',
    ],
    [
      { ...failed, code: 'INTERNAL', message: 'x', stack: 'Error: x\n    at y' },
      'error: POST /recall failed (INTERNAL): Error: x\n    at y',
    ],
  ])('%j', (event, expected) => {
    const { severity, text } = describeServerEvent(event);
    expect(`${severity}: ${text}`).toBe(expected);
  });
});
