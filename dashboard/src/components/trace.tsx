/** The chart with its time windows, its key, and the same values as a table. */
import { useSignal } from '@preact/signals';
import { formatBytes } from '../format.ts';
import { choose, chosen, failure, isLive, load, loading, shown, WINDOWS } from '../state/chart.ts';
import type { Sample } from '../trace.ts';
import { Chart } from './chart.tsx';
import { Failure } from './failure.tsx';
import { Key } from './key.tsx';
import { Values } from './values.tsx';

export function Trace() {
  const pointedAtMs = useSignal<number | null>(null);
  const { window, samples } = shown.value;
  return (
    <section class="trace" aria-labelledby="trace">
      <header>
        <h2 id="trace">Memory and pressure</h2>
        <fieldset class="windows">
          <legend class="unseen">Time window</legend>
          {WINDOWS.map((choice) => (
            <label key={choice.id}>
              <input type="radio" name="window" checked={chosen.value === choice} onChange={() => choose(choice)} />
              <span>{choice.label}</span>
            </label>
          ))}
        </fieldset>
      </header>
      <Key samples={samples} atMs={pointedAtMs.value} />
      <div class="plot" aria-busy={loading.value}>
        <Chart pointedAtMs={pointedAtMs} label={describe(samples, window.words)} />
        {samples.length < 2 && <p class="plot-empty">{emptyWords()}</p>}
      </div>
      {failure.value && (
        <Failure what="Stored readings could not be loaded." error={failure.value} retry={() => void load()} />
      )}
      <Values samples={samples} spanMs={window.spanMs} />
    </section>
  );
}

function emptyWords(): string {
  if (loading.value) return 'Loading stored readings…';
  if (failure.value) return 'Nothing to draw.';
  if (isLive.value) return 'The line begins with the first readings.';
  return 'No stored readings in this window yet. One is kept every 30 seconds.';
}

function describe(samples: readonly Sample[], windowWords: string): string {
  const last = samples.at(-1);
  if (!last) return `Chart of memory and pressure, ${windowWords}: no readings.`;
  const peak = samples.reduce((high, sample) => Math.max(high, sample.peakAnonBytes), 0);
  const score = samples.reduce((high, sample) => Math.max(high, sample.score), 0);
  return (
    `Chart of memory and pressure, ${windowWords}: anonymous memory from ${formatBytes(samples[0]!.anonBytes)} to ` +
    `${formatBytes(last.anonBytes)}, at most ${formatBytes(peak)}; limit ${formatBytes(last.limitBytes)}; ` +
    `pressure ${Math.round(last.score)}, at most ${Math.round(score)}.`
  );
}
