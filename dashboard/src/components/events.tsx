/** What happened lately, newest first. */
import { useSignal } from '@preact/signals';
import { gathered, sentenceOf, toneOf } from '../event-sentence.ts';
import { formatAgo, formatDay, formatMoment } from '../format.ts';
import { events, eventsFailure } from '../state/node.ts';
import { now } from '../state/now.ts';
import { Failure } from './failure.tsx';

const AT_FIRST = 10;

export function Events() {
  const all = useSignal(false);
  const known = gathered(events.value);
  const listed = all.value ? known : known.slice(0, AT_FIRST);
  return (
    <section aria-labelledby="events">
      <h2 id="events">Recent events</h2>
      {eventsFailure.value && <Failure what="Earlier events could not be loaded." error={eventsFailure.value} />}
      {known.length === 0 && !eventsFailure.value && (
        <p class="empty">Nothing to tell yet. Changes of level, reclaims and alerts will stand here.</p>
      )}
      <ol class="events">
        {listed.map((event, index) => (
          <li key={known.length - index} data-tone={toneOf(event)}>
            <p>{sentenceOf(event)}</p>
            <time dateTime={new Date(event.atMs).toISOString()} title={formatDay(event.atMs)}>
              {formatAgo(now.value - event.atMs)} · {formatMoment(event.atMs, now.value)}
              {event.times > 1 && ` · ${event.times} times`}
            </time>
          </li>
        ))}
      </ol>
      {known.length > AT_FIRST && (
        <button type="button" class="quiet" aria-expanded={all.value} onClick={() => (all.value = !all.value)}>
          {all.value ? 'Show fewer' : `Show all ${known.length}`}
        </button>
      )}
    </section>
  );
}
