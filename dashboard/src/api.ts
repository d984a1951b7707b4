/**
 * The requests of the page, and the one shape every failure takes.
 *
 * Paths are relative, so the page also works behind a prefix. A failure keeps the server's stable code, which is what a person
 * can search for; a server that does not answer gets a code of our own.
 */
import type { Answer, History, NodeEvent, NodeStatus, Problem } from './wire.ts';

const PATIENCE_MS = 20_000;

export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** The state of the node now. */
export function fetchStatus(): Promise<NodeStatus> {
  return request('monitoring/memory');
}

/** Stored readings of a span, down-sampled by the server to about `points`. */
export function fetchHistory(range: { fromMs: number; toMs: number; points: number }): Promise<History> {
  const { fromMs, toMs, points } = range;
  return request(`monitoring/history?fromMs=${Math.round(fromMs)}&toMs=${Math.round(toMs)}&points=${points}`);
}

/** Newest first. */
export async function fetchEvents(limit: number): Promise<readonly NodeEvent[]> {
  return (await request<{ events: readonly NodeEvent[] }>(`monitoring/events?limit=${limit}`)).events;
}

/** Asks the help agent. */
export function ask(question: string, signal: AbortSignal): Promise<Answer> {
  const body = JSON.stringify({ question });
  return request('ask', { method: 'POST', headers: { 'content-type': 'application/json' }, body, signal });
}

async function request<Body>(path: string, init: RequestInit & { signal?: AbortSignal } = {}): Promise<Body> {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  const signal = init.signal ? AbortSignal.any([init.signal, patience]) : patience;
  try {
    const response = await fetch(path, { ...init, signal, headers: { accept: 'application/json', ...init.headers } });
    if (!response.ok) throw await refusal(response);
    return await response.json();
  } catch (error) {
    if (error instanceof RequestError || init.signal?.aborted) throw error;
    if (patience.aborted) throw new RequestError('TIMED_OUT', `No answer within ${PATIENCE_MS / 1000} seconds.`);
    if (error instanceof SyntaxError)
      throw new RequestError('NOT_JSON', 'The answer is not JSON. Is this a Tenure server?');
    throw new RequestError('UNREACHABLE', 'The server does not answer.');
  }
}

async function refusal(response: Response): Promise<RequestError> {
  const problem: Problem = await response.json().catch(() => ({}));
  return new RequestError(
    problem.code ?? `HTTP_${response.status}`,
    problem.detail ?? problem.title ?? `The server answered ${response.status} ${response.statusText}.`.trim(),
  );
}
