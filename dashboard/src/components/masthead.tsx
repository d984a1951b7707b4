/** Product name, connection, theme. */
import { retryNow } from '../connect.ts';
import { formatClock, formatDuration } from '../format.ts';
import { connection } from '../state/node.ts';
import { now } from '../state/now.ts';
import { setTheme, theme } from '../state/theme.ts';
import type { Theme } from '../theme.ts';

const NEXT: Readonly<Record<Theme, Theme>> = { system: 'light', light: 'dark', dark: 'system' };
const NAMES: Readonly<Record<Theme, string>> = { system: 'Auto', light: 'Light', dark: 'Dark' };

export function Masthead() {
  return (
    <header class="masthead">
      <h1>
        <Mark />
        Tenure
      </h1>
      <ConnectionState />
      <button
        type="button"
        class="quiet"
        aria-label={`Theme: ${NAMES[theme.value]}. Change to ${NAMES[NEXT[theme.value]]}.`}
        onClick={() => setTheme(NEXT[theme.value])}
      >
        <span class="theme-sign" data-theme-sign={theme.value} aria-hidden="true" />
        {NAMES[theme.value]}
      </button>
    </header>
  );
}

function Mark() {
  return (
    <svg viewBox="0 0 22 22" aria-hidden="true">
      <path d="M1 2.5h20" class="mark-limit" />
      <path d="M3.5 8v13M11 12v9M18.5 6.5V21" class="mark-held" />
    </svg>
  );
}

function ConnectionState() {
  const { value } = connection;
  if (value.state === 'live') return <p class="connection live">Live</p>;
  if (value.state === 'paused') return <p class="connection">Paused</p>;
  if (value.lostSinceMs === null) return <p class="connection">Connecting…</p>;
  const next =
    value.state === 'waiting' ? `Trying again in ${formatDuration(wait(value.retryAtMs))}.` : 'Trying again…';
  return (
    <p class="connection lost">
      <span>
        No answer since {formatClock(value.lostSinceMs)}. {next}
      </span>
      <button type="button" class="quiet" disabled={value.state !== 'waiting'} onClick={retryNow}>
        Try now
      </button>
    </p>
  );
}

function wait(retryAtMs: number): number {
  return Math.max(1, Math.ceil((retryAtMs - now.value) / 1000)) * 1000;
}
