/** What needs a person now; nothing at all when nothing does. */
import { alertWords } from '../event-sentence.ts';
import { formatAgo, formatDay } from '../format.ts';
import { status } from '../state/node.ts';
import { now } from '../state/now.ts';

export function Alerts() {
  const alerts = status.value?.alerts ?? [];
  if (alerts.length === 0) return null;
  return (
    <section class="alerts" aria-labelledby="alerts">
      <h2 id="alerts">{alerts.length === 1 ? 'One alert' : `${alerts.length} alerts`}</h2>
      <ul>
        {alerts.map(({ id, severity, message, sinceMs }) => (
          <li key={id} data-severity={severity}>
            <b>{severity}</b>
            <span>{alertWords(message)}</span>
            <time dateTime={new Date(sinceMs).toISOString()} title={formatDay(sinceMs)}>
              since {formatAgo(now.value - sinceMs).replace(' ago', '')}
            </time>
          </li>
        ))}
      </ul>
    </section>
  );
}
