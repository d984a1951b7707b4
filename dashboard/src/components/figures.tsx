/** The key figures: what is held now, what it tends to, what it was worth. */
import type { ComponentChildren } from 'preact';
import { formatBytes, formatShare } from '../format.ts';
import { live, status, statusFailure } from '../state/node.ts';
import type { Reading } from '../wire.ts';
import { Failure } from './failure.tsx';

const SOURCES = { cgroup: 'container limit', configured: 'configured limit', physical: 'physical memory' };
const TRENDS = { increasing: 'rising', decreasing: 'falling', stable: 'stable' };

export function Figures() {
  const now = live.value;
  const node = status.value;
  return (
    <section class="figures" aria-labelledby="figures">
      <h2 id="figures">Key figures</h2>
      <dl>
        <Figure name="Anonymous memory" value={now && formatBytes(now.reading.anonBytes, 1)}>
          {now &&
            `${formatShare(now.reading.anonBytes, now.reading.limit.bytes)} of ${formatBytes(now.reading.limit.bytes)}, the ${SOURCES[now.reading.limit.source]}`}
        </Figure>
        <Figure name="Live heap" value={now && formatBytes(now.reading.heap.liveBytes, 1)}>
          {now && heapShare(now.reading.heap)}
        </Figure>
        <Figure name="Growth" value={node && signed(node.growthMbPerHour)} unit="MB/h">
          {node && TRENDS[node.trend]}
        </Figure>
        <Figure name="Peak" value={node && formatBytes(node.peakBytes, 1)}>
          {node && `average ${formatBytes(node.averageBytes)}`}
        </Figure>
        <Figure name="Efficiency" value={node && String(Math.round(node.efficiencyScore))} unit="of 100">
          {node && 'bytes doing useful work'}
        </Figure>
        <Figure name="Drift" value={node && formatBytes(node.driftBytes, 1)}>
          grown, and nobody accounts for it
        </Figure>
        <Figure name="Retained" value={node && formatBytes(node.retainedBytes, 1)}>
          freed, and kept by the allocator
        </Figure>
        <Figure name="Status" value={node?.status ?? null}>
          {node && (node.shedding ? 'new work is refused' : 'new work is taken')}
        </Figure>
        <Figure name="Budget reserved" value={now && formatBytes(now.budget.reservedBytes, 1)}>
          {now &&
            `${formatShare(now.budget.reservedBytes, now.budget.limitBytes)} of ${formatBytes(now.budget.limitBytes)}`}
        </Figure>
      </dl>
      {statusFailure.value && (
        <Failure what="Growth, peak and alerts could not be refreshed." error={statusFailure.value} />
      )}
    </section>
  );
}

function Figure(props: { name: string; value: string | null; unit?: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>
        <strong>
          {props.value ?? '–'}
          {props.value && props.unit && <span> {props.unit}</span>}
        </strong>
        <small>{props.children || '\u00a0'}</small>
      </dd>
    </div>
  );
}

function heapShare(heap: Reading['heap']): string {
  if (heap.liveBytes === undefined) return `no major collection yet; ${formatBytes(heap.usedBytes)} used`;
  return `${formatShare(heap.liveBytes, heap.usableLimitBytes)} of ${formatBytes(heap.usableLimitBytes)} usable heap`;
}

function signed(value: number): string {
  const rounded = Math.abs(value) < 0.05 ? 0 : value;
  return `${rounded > 0 ? '+' : rounded < 0 ? '−' : ''}${Math.abs(rounded).toFixed(1)}`;
}
