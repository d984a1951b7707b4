/** How the node stands: level, score and reason in words, and where the score lies between calm and the limit. */
import { connection, live, status } from '../state/node.ts';
import type { Level } from '../wire.ts';
import { headline } from '../words.ts';

/** Where each level is entered (BUD-6). */
const ENTERED: readonly [Level, number][] = [
  ['low', 0],
  ['moderate', 70],
  ['high', 80],
  ['critical', 90],
];

export function Standing() {
  const pressure = live.value?.pressure;
  const { value } = connection;
  const isLost = 'lostSinceMs' in value && value.lostSinceMs !== null;
  const level = isLost ? 'unknown' : (pressure?.level ?? 'unknown');
  return (
    <section class="standing" aria-labelledby="standing" data-level={level}>
      <div>
        <h2 id="standing">
          {isLost
            ? 'The server does not answer.'
            : pressure
              ? headline(pressure.level)
              : 'Waiting for the first reading…'}
        </h2>
        <p class="reason">
          {pressure ? `${isLost ? 'Last known: ' : ''}${pressure.reason}` : 'Figures appear as soon as there are any.'}
        </p>
        {pressure && (
          <p class="terms">
            Worst of {pressure.terms.map(({ name, score }) => `${name} ${Math.round(score)}`).join(' · ')}
          </p>
        )}
        {status.value?.observeOnly && (
          <p class="observe" title="Everything is measured and planned; nothing is done until observe_only is off.">
            Observe only
          </p>
        )}
      </div>
      <div class="gauge">
        <p class="score">
          <span class="unseen">Pressure score </span>
          <strong>{pressure ? Math.round(pressure.score) : '–'}</strong>
          <span> of 100</span>
          {pressure && <b>{pressure.level}</b>}
        </p>
        <div class="rule" aria-hidden="true">
          {ENTERED.map(([name, from]) => (
            <span key={name} class="zone" data-level={name}>
              {from}
            </span>
          ))}
          {pressure && <span class="fill" style={{ width: `${pressure.score}%` }} />}
        </div>
      </div>
    </section>
  );
}
