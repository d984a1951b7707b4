/** Which line is which, with its value now or under the pointer. */
import { formatBytes, formatDay } from '../format.ts';
import { scoreName } from '../state/chart.ts';
import { type Sample, scaleOf } from '../trace.ts';

export function Key({ samples, atMs }: { samples: readonly Sample[]; atMs: number | null }) {
  const sample = sampleNear(samples, atMs);
  const outOfSight = scaleOf(samples).showsLimit ? '' : ' (above the chart)';
  return (
    <ul class="key">
      <Entry line="anon" name="Anonymous" value={sample && formatBytes(sample.anonBytes, 1)} />
      <Entry line="heap" name="Live heap" value={sample && formatBytes(sample.liveHeapBytes, 1)} />
      <Entry line="limit" name="Limit" value={sample && `${formatBytes(sample.limitBytes)}${outOfSight}`} />
      <Entry line="score" name={scoreName.value} value={sample && String(Math.round(sample.score))} />
      <li class="key-time">{atMs !== null && sample ? formatDay(sample.atMs) : ''}</li>
    </ul>
  );
}

function Entry(props: { line: string; name: string; value: string | undefined }) {
  return (
    <li data-line={props.line}>
      {props.name} <b>{props.value ?? '–'}</b>
    </li>
  );
}

/** The newest where no time is given. */
function sampleNear(samples: readonly Sample[], atMs: number | null): Sample | undefined {
  if (atMs === null) return samples.at(-1);
  const distance = (sample: Sample) => Math.abs(sample.atMs - atMs);
  return samples.reduce<Sample | undefined>(
    (near, sample) => (near && distance(near) <= distance(sample) ? near : sample),
    undefined,
  );
}
