/**
 * The budget, said again as simply as possible: a tree of numbers in which everything is recomputed from the reserved
 * bytes of the consumers whenever it is asked for. Slow, and with no idea of lines, paths or deltas; that is what
 * makes it a judge.
 */

export interface ModelNode {
  readonly name: string;
  readonly parent: ModelNode | null;
  /** Of a consumer on the heap: what it is charged to beside its path. It is a child of both. */
  readonly heap?: ModelNode | undefined;
  readonly minBytes: number;
  limitBytes: number;
  readonly children: Set<ModelNode>;
  /** Of a consumer; a budget's is the sum of its children. */
  ownBytes: number;
  /** Growth here may be held back by the ceiling of regrowth, of which the model knows nothing. */
  mayBeRestrained: boolean;
}

/** A `grow` that has not been answered. */
export interface ModelWaiter extends Asking {
  readonly order: number;
}

export function addNode(node: Pick<ModelNode, 'name' | 'parent' | 'heap' | 'minBytes' | 'limitBytes'>): ModelNode {
  const added: ModelNode = { ...node, children: new Set(), ownBytes: 0, mayBeRestrained: false };
  node.parent?.children.add(added);
  node.heap?.children.add(added);
  return added;
}

export function removeNode(node: ModelNode): void {
  node.parent?.children.delete(node);
  node.heap?.children.delete(node);
}

/** From the consumer up to the root. */
export function pathOf(node: ModelNode): ModelNode[] {
  return node.parent === null ? [node] : [node, ...pathOf(node.parent)];
}

export function reservedBytes(node: ModelNode): number {
  return node.ownBytes + sum(node, reservedBytes);
}

/** Reserved bytes, and what is set aside for minimums that are not used. */
export function committedBytes(node: ModelNode): number {
  return node.ownBytes + sum(node, (child) => Math.max(child.minBytes, committedBytes(child)));
}

/** What can always be had here. */
export function floorBytes(node: ModelNode): number {
  return Math.max(node.minBytes, sum(node, floorBytes));
}

/** What a request would change in one account. */
export interface Effect {
  readonly node: ModelNode;
  /** By how much the committed bytes would rise. */
  readonly neededBytes: number;
  readonly fits: boolean;
}

/** What granting `bytes` to `consumer` would do to each account of its path, the heap's before the root's. */
export function effects(consumer: ModelNode, bytes: number): Effect[] {
  const path = pathOf(consumer);
  if (consumer.heap) path.splice(-1, 0, consumer.heap);
  const before = path.map(committedBytes);
  consumer.ownBytes += bytes;
  const result = path.map((node, index) => {
    const neededBytes = committedBytes(node) - before[index]!;
    return {
      node,
      neededBytes,
      fits: (neededBytes > 0 ? committedBytes(node) : reservedBytes(node)) <= node.limitBytes,
    };
  });
  consumer.ownBytes -= bytes;
  return result;
}

/** Where a request has to wait, and whether as a claim on a minimum. */
export interface Block {
  readonly node: ModelNode;
  readonly isClaim: boolean;
}

/** Somebody who wants bytes; `atHeap` if it stands before the heap where that is full, whatever else holds it up by now. */
export interface Asking {
  readonly consumer: ModelNode;
  readonly bytes: number;
  readonly atHeap?: boolean;
}

/**
 * The first account of its path that holds a request up: one without room, or one before which somebody older waits
 * for the same. Null when it can be granted. `older` are the blocks of everybody who came before.
 */
export function blockOf(request: Asking, older: Iterable<Block | null>): Block | null {
  const blocks = [...older];
  const found = effects(request.consumer, request.bytes).flatMap(({ node, neededBytes, fits }): Block[] => {
    const isClaim = neededBytes === 0;
    const isHeld = !fits || (node.mayBeRestrained && !isClaim);
    const isBehind = blocks.some((block) => block?.node === node && block.isClaim === isClaim);
    return isHeld || isBehind ? [{ node, isClaim }] : [];
  });
  const atHeap = request.atHeap ? found.find(({ node }) => node === request.consumer.heap) : undefined;
  return atHeap ?? found[0] ?? null;
}

/** Where each of `waiters`, oldest first, is held up. */
export function blocksOf(waiters: readonly Asking[]): (Block | null)[] {
  const blocks: (Block | null)[] = [];
  for (const waiter of waiters) blocks.push(blockOf(waiter, blocks));
  return blocks;
}

function sum(node: ModelNode, of: (child: ModelNode) => number): number {
  let total = 0;
  for (const child of node.children) total += of(child);
  return total;
}
