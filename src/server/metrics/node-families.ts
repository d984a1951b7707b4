/**
 * A node's state as metrics. The names without a prefix are those of the specification; the rest begin with `tenure_`.
 *
 * Consumers are labelled by path, the largest first and the others summed up: what a user names must not make thousands of series.
 */
import { levelRank } from '../../base/levels.ts';
import type { BudgetSnapshot, ConsumerSnapshot } from '../../budget/snapshot.ts';
import type { NodeStatus } from '../../platform/node-status.ts';
import type { Family, Sample } from './exposition.ts';

const CONSUMERS_NAMED = 50;
const OTHERS = '(others)';

export function nodeFamilies(status: NodeStatus): Family[] {
  const { reading, pressure, budget } = status;
  const { heap, container, stall, collection } = reading;
  const consumers = consumersOf(budget);
  return [
    gauge('memory_allocated_bytes', 'Bytes reserved in the budget.', budget.reservedBytes),
    gauge('memory_peak_bytes', 'The most that was ever reserved in the budget, in bytes.', budget.peakBytes),
    gauge('memory_pressure_level', '0 low, 1 moderate, 2 high, 3 critical.', levelRank(pressure.level)),
    counter('memory_allocation_count', 'Reservations of bytes granted.', budget.grantCount),
    gauge('tenure_pressure_score', 'How bad memory pressure is, 0 to 100.', pressure.score),
    gauge('tenure_shedding', '1 while new work is refused.', status.shedding ? 1 : 0),
    gauge('tenure_budget_limit_bytes', 'What the budget may hand out now.', budget.limitBytes),
    gauge('tenure_budget_available_bytes', 'What a consumer without a minimum could take now.', budget.availableBytes),
    {
      name: 'tenure_consumer_bytes',
      help: 'Bytes reserved by each consumer.',
      type: 'gauge',
      samples: samplesOf(consumers, ({ bytes }) => bytes),
    },
    {
      name: 'tenure_consumer_reclaimable_bytes',
      help: 'Bytes each consumer says it could give back.',
      type: 'gauge',
      samples: samplesOf(consumers, ({ reclaimableBytes }) => reclaimableBytes),
    },
    gauge('tenure_drift_bytes', 'Grown since the start, and reserved by no consumer.', status.driftBytes),
    gauge('tenure_retained_bytes', 'Freed here, kept by the allocator.', status.retainedBytes),
    gauge('tenure_limit_bytes', 'The limit that counts.', reading.limit.bytes),
    gauge('tenure_resident_bytes', 'Resident memory of the process.', reading.rssBytes),
    gauge('tenure_anonymous_bytes', 'Anonymous resident memory of the process.', reading.anonBytes),
    gauge('tenure_peak_anonymous_bytes', 'The most anonymous memory since the start.', status.peakBytes),
    gauge('tenure_growth_bytes_per_hour', 'How fast anonymous memory grows.', status.growthMbPerHour * 2 ** 20),
    gauge('tenure_efficiency_score', 'Bytes doing useful work over bytes held, 0 to 100.', status.efficiencyScore),
    gauge('tenure_heap_used_bytes', 'Heap in use, garbage included.', heap.usedBytes),
    gauge('tenure_heap_live_bytes', 'Heap after the last major collection.', heap.liveBytes),
    gauge('tenure_heap_usable_limit_bytes', 'What old objects may take before V8 gives up.', heap.usableLimitBytes),
    gauge('tenure_external_bytes', 'Memory outside the heap that belongs to objects on it.', reading.externalBytes),
    gauge('tenure_collection_share', 'Share of time spent collecting garbage, 0 to 1.', collection.share),
    counter('tenure_major_collections_total', 'Major garbage collections.', collection.majors),
    gauge('tenure_container_used_bytes', 'What the container uses, page cache included.', container?.usedBytes),
    gauge('tenure_stall_some_percent', 'Time in which some task waited for memory, over 10 s.', stall?.someAvg10),
    gauge('tenure_stall_full_percent', 'Time in which all tasks waited for memory, over 10 s.', stall?.fullAvg10),
    gauge('tenure_alerts', 'Alerts that stand now.', status.alerts.length),
    gauge('tenure_memories', 'Memories in the store.', status.store.memories),
    gauge('tenure_store_bytes', 'Size of the store on disk.', status.store.sizeBytes),
    gauge('tenure_start_time_seconds', 'When the node started, since the epoch.', status.node.startedAtMs / 1000),
  ];
}

function gauge(name: string, help: string, value: number | undefined): Family {
  return { name, help, type: 'gauge', samples: [{ value }] };
}

function counter(name: string, help: string, value: number | undefined): Family {
  return { name, help, type: 'counter', samples: [{ value }] };
}

function consumersOf(budget: BudgetSnapshot): ConsumerSnapshot[] {
  return [...budget.consumers, ...budget.children.flatMap(consumersOf)];
}

function samplesOf(consumers: readonly ConsumerSnapshot[], figure: (consumer: ConsumerSnapshot) => number): Sample[] {
  const sorted = [...consumers].sort((one, other) => other.bytes - one.bytes);
  const named = sorted.slice(0, CONSUMERS_NAMED).map((consumer) => ({
    labels: { consumer: consumer.path, where: consumer.where },
    value: figure(consumer),
  }));
  const others = sorted.slice(CONSUMERS_NAMED);
  if (others.length === 0) return named;
  const value = others.reduce((sum, consumer) => sum + figure(consumer), 0);
  return [...named, { labels: { consumer: OTHERS, where: 'any' }, value }];
}
