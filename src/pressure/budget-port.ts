/** What pressure needs of the root budget, and the budget's consumers as a reading lists them. */
import type { Budget } from '../budget/budget.ts';
import type { Residence } from '../budget/consumer.ts';
import type { BudgetSnapshot } from '../budget/snapshot.ts';

export type BudgetPort = Pick<
  Budget,
  'reservedByResidence' | 'minimumsBytes' | 'heapMinimumsBytes' | 'setLimit' | 'setHeapLimit' | 'reclaim' | 'snapshot'
>;

/** Where bytes live that count in the process. */
export const IN_PROCESS: readonly Residence[] = ['heap', 'slab', 'native'];

/** What consumers hold in the process: of a disk cache it holds nothing. */
export function reservedInProcess({ reservedByResidence }: BudgetPort): number {
  return IN_PROCESS.reduce((sum, where) => sum + reservedByResidence[where], 0);
}

export interface HeldByConsumer {
  /** Path below the root: `store/page-cache`. */
  readonly name: string;
  readonly bytes: number;
  readonly idleBytes: number;
}

/** Every consumer of the tree, depth first. */
export function consumersOf(root: BudgetSnapshot): HeldByConsumer[] {
  const consumers: HeldByConsumer[] = [];
  const visit = (budget: BudgetSnapshot) => {
    for (const { path, bytes, idleBytes } of budget.consumers) {
      consumers.push({ name: path.slice(root.path.length + 1), bytes, idleBytes });
    }
    budget.children.forEach(visit);
  };
  visit(root);
  return consumers;
}

/** More are summed up: a reading is stored, sent and drawn. */
const CONSUMERS_NAMED = 20;

/** All of them, or where there are many the largest, and the others as one. */
export function largestOf(consumers: readonly HeldByConsumer[]): readonly Pick<HeldByConsumer, 'name' | 'bytes'>[] {
  if (consumers.length <= CONSUMERS_NAMED) return consumers;
  const sorted = [...consumers].sort((one, other) => other.bytes - one.bytes);
  const othersBytes = sorted.slice(CONSUMERS_NAMED).reduce((sum, { bytes }) => sum + bytes, 0);
  return [...sorted.slice(0, CONSUMERS_NAMED), { name: '(others)', bytes: othersBytes }];
}
