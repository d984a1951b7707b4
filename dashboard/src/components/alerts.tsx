/** What needs a person now; nothing at all when nothing does. */
import { withoutDate } from '../event-sentence.ts';
import { formatDay, formatDuration } from '../format.ts';
import { status } from '../state/node.ts';
import { now } from '../state/now.ts';

export function Alerts() {
  const alerts = status.value?.alerts ?? [];
  if (alerts.length === 0) return null;
  return (
    <section class="alerts" aria-labelledby="alerts">
      <h2 id="alerts">{alerts.length === 1 ? 'One alert' : `${alerts.length} alerts`}</h2>
      <ul>
        {alerts.map(({ kind, severity, message, sinceMs }) => (
          <li key={kind} data-severity={severity}>
            <b>{severity}</b>
            <span>{withoutDate(message)}</span>
            <time dateTime={new Date(sinceMs).toISOString()} title={formatDay(sinceMs)}>
              for {formatDuration(Math.max(1000, Math.floor((now.value - sinceMs) / 1000) * 1000))}
            </time>
          </li>
        ))}
      </ul>
    </section>
  );
}
