/** What the page knows of the node. Written by `connect.ts` only; components read. */
import { computed, signal } from '@preact/signals';
import type { RequestError } from '../api.ts';
import type { Connection } from '../stream.ts';
import type { Moment, NodeEvent, NodeStatus } from '../wire.ts';

export const connection = signal<Connection>({ state: 'connecting', lostSinceMs: null });

/** The last reading of the stream, its assessment and the books; null before the first. */
export const live = signal<Moment | null>(null);

/** The slower figures, asked for every few seconds. */
export const status = signal<NodeStatus | null>(null);
export const statusFailure = signal<RequestError | null>(null);

/** Newest first. */
export const events = signal<readonly NodeEvent[]>([]);
export const eventsFailure = signal<RequestError | null>(null);

export const level = computed(() => live.value?.pressure.level ?? null);
