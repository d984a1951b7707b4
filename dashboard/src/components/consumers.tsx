/** Who holds what: a bar for each consumer, all on one scale. */
import { formatBytes, formatShare } from '../format.ts';
import { live } from '../state/node.ts';
import type { Budget, Consumer } from '../wire.ts';
import { placeOf } from '../words.ts';

export function Consumers() {
  const budget = live.value?.budget;
  const consumers = budget ? [...everyConsumer(budget)].sort((one, other) => other.bytes - one.bytes) : [];
  const scaleBytes = Math.max(1, ...consumers.map(({ bytes, minBytes }) => Math.max(bytes, minBytes)));
  return (
    <section aria-labelledby="consumers">
      <h2 id="consumers">Bytes per consumer</h2>
      {budget && (
        <p class="lead">
          {formatBytes(budget.reservedBytes)} of {formatBytes(budget.limitBytes)} reserved (
          {formatShare(budget.reservedBytes, budget.limitBytes)})
        </p>
      )}
      {consumers.length > 0 && (
        <>
          <ul class="consumers">
            {consumers.map((consumer) => (
              <Row key={consumer.path} consumer={consumer} scaleBytes={scaleBytes} />
            ))}
          </ul>
          <p class="bar-key" aria-hidden="true">
            <span data-part="held">kept</span>
            <span data-part="reclaimable">would give back</span>
            <span data-part="minimum">minimum</span>
            <span>full width {formatBytes(scaleBytes)}</span>
          </p>
        </>
      )}
      {consumers.length === 0 && (
        <p class="empty">
          {budget ? 'No consumer has registered yet. ' : ''}A consumer is whatever holds bytes under the budget and can
          give some back when asked: a cache, a pool, the page cache of the store.
        </p>
      )}
    </section>
  );
}

function Row({ consumer, scaleBytes }: { consumer: Consumer; scaleBytes: number }) {
  const { path, where, bytes, minBytes, peakBytes, reclaimableBytes } = consumer;
  const percent = (part: number) => `${(100 * part) / scaleBytes}%`;
  const reclaimable = Math.min(bytes, reclaimableBytes);
  return (
    <li>
      <p class="consumer-name">
        {nameOf(path)} <small>{placeOf(where)}</small>
      </p>
      <p class="consumer-held">{formatBytes(bytes, 1)}</p>
      <div class="bar" aria-hidden="true">
        <span data-part="held" style={{ width: percent(bytes - reclaimable) }} />
        <span data-part="reclaimable" style={{ width: percent(reclaimable) }} />
        {minBytes > 0 && <span data-part="minimum" style={{ left: percent(minBytes) }} />}
      </div>
      <p class="consumer-detail">
        {formatBytes(reclaimable)} reclaimable · minimum {formatBytes(minBytes)} · peak {formatBytes(peakBytes)}
      </p>
    </li>
  );
}

/** Its path without the root, so that two of one name can be told apart. */
function nameOf(path: string): string {
  return path.split('/').slice(1).join(' / ');
}

function* everyConsumer(budget: Budget): Generator<Consumer> {
  yield* budget.consumers;
  for (const child of budget.children) yield* everyConsumer(child);
}
