/** The chart as a table: for those who do not see it, and for copying figures out of it. */
import { useSignal } from '@preact/signals';
import { formatBytes, formatMoment } from '../format.ts';
import { scoreName } from '../state/chart.ts';
import { type Sample, thin } from '../trace.ts';

const ROWS = 12;

export function Values({ samples, spanMs }: { samples: readonly Sample[]; spanMs: number }) {
  const open = useSignal(false);
  return (
    <details class="values" onToggle={(event) => (open.value = event.currentTarget.open)}>
      <summary>Values as a table</summary>
      {open.value && (
        <table>
          <thead>
            <tr>
              {['Time', 'Anonymous', 'Live heap', 'Limit', scoreName.value].map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {thin(samples, spanMs / ROWS).map((sample) => (
              <tr key={sample.atMs}>
                <th scope="row">{formatMoment(sample.atMs, samples.at(-1)!.atMs)}</th>
                <td>{formatBytes(sample.anonBytes, 1)}</td>
                <td>{formatBytes(sample.liveHeapBytes, 1)}</td>
                <td>{formatBytes(sample.limitBytes)}</td>
                <td>{Math.round(sample.score)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </details>
  );
}
