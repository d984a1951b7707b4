/** The time window of the chart and the samples in it. */
import { computed, signal } from '@preact/signals';
import { fetchHistory, RequestError } from '../api.ts';
import { browserClock } from '../clock.ts';
import { type Sample, sampleOfPoint, weave } from '../trace.ts';
import { connection, live } from './node.ts';

export interface Window {
  readonly id: string;
  readonly label: string;
  readonly words: string;
  readonly spanMs: number;
}

const MINUTE_MS = 60_000;
const LIVE: Window = { id: '5m', label: '5 min', words: 'last 5 minutes', spanMs: 5 * MINUTE_MS };

/** The first is fed by the stream, the others by stored history. */
export const WINDOWS: readonly Window[] = [
  LIVE,
  { id: '1h', label: '1 h', words: 'last hour', spanMs: 60 * MINUTE_MS },
  { id: '24h', label: '24 h', words: 'last 24 hours', spanMs: 24 * 60 * MINUTE_MS },
  { id: '7d', label: '7 days', words: 'last 7 days', spanMs: 7 * 24 * 60 * MINUTE_MS },
];

/** Enough for every pixel of a wide chart to have one. */
const POINTS = 600;

export const chosen = signal<Window>(LIVE);
export const loading = signal(false);
export const failure = signal<RequestError | null>(null);

const recent = signal<readonly Sample[]>([]);
const stored = signal<{ window: Window; samples: readonly Sample[] } | null>(null);

/** While another window loads, the one before stays in sight. */
export const shown = computed(() => {
  const held = stored.value;
  return chosen.value === LIVE || held === null ? { window: LIVE, samples: recent.value } : held;
});

export const isLive = computed(() => shown.value.window === LIVE);

/** A stored sample stands for many readings, and its score is the highest of them. */
export const scoreName = computed(() => (isLive.value ? 'Pressure' : 'Peak pressure'));

/** Appends what the stream brought, forgets what has left the live window, and what lies ahead when a clock was set back. */
export function append(samples: readonly Sample[]): void {
  const [first] = samples;
  if (!first) return;
  const oldestMs = samples.at(-1)!.atMs - LIVE.spanMs;
  const kept = recent.value.filter(({ atMs }) => atMs >= oldestMs && atMs < first.atMs);
  recent.value = [...kept, ...samples];
}

export function choose(window: Window): void {
  chosen.value = window;
  void load();
}

let cancelRefresh = () => {};

/** Loads the chosen window from history, and again as its readings come. In the live window it only fills what was missed. */
export async function load(): Promise<void> {
  cancelRefresh();
  const window = chosen.value;
  const toMs = live.value?.reading.atMs ?? browserClock.nowMs();
  loading.value = stored.value?.window !== window && window !== LIVE;
  try {
    const { points, resolutionMs } = await fetchHistory({ fromMs: toMs - window.spanMs, toMs, points: POINTS });
    if (chosen.value !== window) return;
    const samples = points.map(sampleOfPoint);
    if (window === LIVE) recent.value = weave(recent.value, samples, resolutionMs);
    else stored.value = { window, samples };
    failure.value = null;
  } catch (error) {
    if (chosen.value !== window) return;
    if (!(error instanceof RequestError)) throw error;
    failure.value = error;
    // What is drawn must be what was chosen.
    if (window !== LIVE && stored.value?.window !== window) stored.value = { window, samples: [] };
  }
  loading.value = false;
  if (window !== LIVE && connection.value.state === 'live')
    cancelRefresh = browserClock.after(30_000, () => void load());
}

export function stopLoading(): void {
  cancelRefresh();
}
