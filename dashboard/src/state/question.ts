/** The question box: one question at a time, the newest wins. */
import { signal } from '@preact/signals';
import { ask, RequestError } from '../api.ts';
import type { Answer } from '../wire.ts';
import { announce } from './announce.ts';

export type Asked =
  | { readonly state: 'nothing' }
  | { readonly state: 'asking'; readonly question: string }
  | { readonly state: 'answered'; readonly question: string; readonly answer: Answer }
  | { readonly state: 'failed'; readonly question: string; readonly error: RequestError };

export const asked = signal<Asked>({ state: 'nothing' });

let current = new AbortController();

export async function put(question: string): Promise<void> {
  cancel();
  const { signal } = current;
  asked.value = { state: 'asking', question };
  try {
    const answer = await ask(question, signal);
    asked.value = { state: 'answered', question, answer };
    announce(answer.sources.length === 0 ? `Nothing found for ${question}` : `Answered: ${question}`);
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof RequestError)) throw error;
    asked.value = { state: 'failed', question, error };
    announce(`Not answered: ${error.message}`);
  }
}

export function cancel(): void {
  current.abort();
  current = new AbortController();
  asked.value = { state: 'nothing' };
}
