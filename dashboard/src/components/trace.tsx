/** The chart with its time windows, its key, and the same values as a table. */
import { useSignal } from '@preact/signals';
import { formatBytes, formatDay, formatMoment } from '../format.ts';
import { choose, chosen, failure, load, loading, shown, WINDOWS } from '../state/chart.ts';
import { type Sample, scaleOf, thin } from '../trace.ts';
import { Chart } from './chart.tsx';
import { Failure } from './failure.tsx';

const TABLE_ROWS = 12;

export function Trace() {
  const pointed = useSignal<number | null>(null);
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
      <Key
        sample={sampleNear(samples, pointed.value)}
        dated={pointed.value !== null}
        showsLimit={scaleOf(samples).showsLimit}
      />
      <div class="plot" aria-busy={loading.value}>
        <Chart pointed={pointed} label={describe(samples, window.words)} />
        {samples.length < 2 && <p class="plot-empty">{emptyWords()}</p>}
      </div>
      {failure.value && (
        <Failure what="Stored readings could not be loaded." error={failure.value} retry={() => void load()} />
      )}
      <Values samples={samples} />
    </section>
  );
}

function emptyWords(): string {
  if (loading.value) return 'Loading stored readings…';
  if (failure.value) return 'Nothing to draw.';
  return chosen.value === WINDOWS[0]
    ? 'The line begins with the first readings.'
    : 'No stored readings in this window yet. One is kept every 30 seconds.';
}

function Key(props: { sample: Sample | undefined; dated: boolean; showsLimit: boolean }) {
  const { sample, showsLimit } = props;
  return (
    <ul class="key">
      <KeyEntry line="anon" name="Anonymous" value={sample && formatBytes(sample.anonBytes, 1)} />
      <KeyEntry line="heap" name="Live heap" value={sample && heapOf(sample, 1)} />
      <KeyEntry
        line="limit"
        name="Limit"
        value={sample && `${formatBytes(sample.limitBytes)}${showsLimit ? '' : ' (above the chart)'}`}
      />
      <KeyEntry line="score" name="Pressure" value={sample && String(Math.round(sample.score))} />
      <li class="key-time">{props.dated && sample ? formatDay(sample.atMs) : ''}</li>
    </ul>
  );
}

function KeyEntry(props: { line: string; name: string; value: string | undefined }) {
  return (
    <li data-line={props.line}>
      {props.name} <b>{props.value ?? '–'}</b>
    </li>
  );
}

/** The chart for those who do not see it; also for copying figures out of it. */
function Values({ samples }: { samples: readonly Sample[] }) {
  const open = useSignal(false);
  return (
    <details class="values" onToggle={(event) => (open.value = event.currentTarget.open)}>
      <summary>Values as a table</summary>
      {open.value && (
        <div class="scroll">
          <table>
            <thead>
              <tr>
                {['Time', 'Anonymous', 'Live heap', 'Limit', 'Pressure'].map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {thin(samples, TABLE_ROWS).map((sample) => (
                <tr key={sample.atMs}>
                  <th scope="row">{formatMoment(sample.atMs, samples.at(-1)!.atMs)}</th>
                  <td>{formatBytes(sample.anonBytes, 1)}</td>
                  <td>{heapOf(sample, 1)}</td>
                  <td>{formatBytes(sample.limitBytes)}</td>
                  <td>{Math.round(sample.score)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}

function heapOf({ liveHeapBytes }: Sample, digits: number): string {
  return liveHeapBytes === null ? 'not known' : formatBytes(liveHeapBytes, digits);
}

function sampleNear(samples: readonly Sample[], atMs: number | null): Sample | undefined {
  if (atMs === null) return samples.at(-1);
  let near = samples[0];
  for (const sample of samples) if (Math.abs(sample.atMs - atMs) < Math.abs(near!.atMs - atMs)) near = sample;
  return near;
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
