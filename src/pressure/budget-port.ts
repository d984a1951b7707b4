/** What pressure needs of the root budget, and the budget's consumers as a reading lists them. */
import type { Budget } from '../budget/budget.ts';
import type { BudgetSnapshot } from '../budget/snapshot.ts';

export type BudgetPort = Pick<Budget, 'reservedBytes' | 'minimumsBytes' | 'setLimit' | 'reclaim' | 'snapshot'>;

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
