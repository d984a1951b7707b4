/** How the node stands: level, score and reason in words, and where the score lies between calm and the limit. */
import { connection, level, live, status } from '../state/node.ts';
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
  const stale = connection.value.state !== 'live';
  return (
    <section
      class="standing"
      aria-labelledby="standing"
      data-level={level.value ?? 'unknown'}
      data-stale={stale && pressure !== undefined}
    >
      <div>
        <h2 id="standing">{pressure ? headline(pressure.level) : waitingWords()}</h2>
        <p class="reason">{pressure ? pressure.reason : 'Figures appear with the first reading.'}</p>
        <p class="badges">
          {pressure && <span class="badge level">{pressure.level}</span>}
          {status.value?.observeOnly && (
            <span
              class="badge observe"
              title="Everything is measured and planned; nothing is done until observe_only is off."
            >
              Observe only
            </span>
          )}
          {stale && pressure && <span class="badge">Last known</span>}
        </p>
      </div>
      <div class="gauge">
        <p class="score">
          <span class="unseen">Pressure score </span>
          <strong>{pressure ? Math.round(pressure.score) : '–'}</strong>
          <span> of 100</span>
        </p>
        <Rule score={pressure?.score} />
      </div>
    </section>
  );
}

function waitingWords(): string {
  return connection.value.state === 'waiting' ? 'The server does not answer.' : 'Waiting for the first reading…';
}

function Rule({ score }: { score: number | undefined }) {
  return (
    <div class="rule" aria-hidden="true">
      {ENTERED.map(([name, from]) => (
        <span key={name} class="zone" data-level={name}>
          <b>{from}</b>
          <i>{name}</i>
        </span>
      ))}
      {score !== undefined && <span class="needle" style={{ left: `${Math.min(100, Math.max(0, score))}%` }} />}
    </div>
  );
}
