/**
 * The three rules that change the books: when bytes are granted, who waits where, and who is served when bytes come
 * free.
 *
 * **Grant.** A request of n bytes needs n at its consumer and, at each parent, as much as the charge of the child
 * rises: nothing once it fits in a minimum, for those bytes were set aside before. An account lets the request pass
 * when `committed + needed ≤ open` and nobody older waits in its `line`; where nothing is needed, when `reserved + n
 * ≤ limit` and no older claim waits. (That can fail only after a limit was lowered under what is committed. Such
 * claims on a minimum have a line of their own, `claims`, served first.)
 *
 * What lives on the heap passes the heap's account before the root's, and is charged there what it is charged at its consumer's
 * parent. So who lacks room on the heap holds up nobody who lives elsewhere.
 *
 * A consumer that takes its time to give is granted nothing until it has answered: its requests wait in its own line meanwhile,
 * keeping their age.
 *
 * **Wait.** A request waits at the first account, from its consumer up, that does not let it pass. So it is only ever
 * behind those who want the same bytes: a tenant over its own limit holds up nobody else, and nobody younger takes
 * what an older one could use.
 *
 * **Serve.** Bytes that come free change the accounts of one path, from the consumer up. Each lets the oldest of its
 * lines try again and stops at the first that still has to wait there; one that now has to wait elsewhere moves,
 * keeping its age. Whoever waits above a child that has fallen below its minimum may need nothing there any more,
 * wherever it stands in the line: then all of it is tried. Bytes granted within a minimum are the one grant that can
 * hold up somebody older, who waits further up and now lacks room below: then the path is served as well, so that he
 * does not stand in the way of others up there.
 */
import { invariant } from '../base/assert.ts';
import type { Account, HeapAccount, Leaf } from './account.ts';
import type { Request, WaitingLine } from './waiting-line.ts';

/** The line in which a request that came as number `order` has to wait for `bytes`; null when it can be granted now. */
export function lineFor(leaf: Leaf, bytes: number, order: number): WaitingLine<Leaf> | null {
  if (leaf.asked === 'answering') return leaf.line;
  let neededBytes = bytes;
  for (let account: Account | null = leaf; account !== null; account = account.parent) {
    if (account.parent === null && leaf.heap !== null) {
      const line = lineAt(leaf.heap, { bytes, neededBytes: leaf.charge(bytes), order });
      if (line !== null) return line;
    }
    const line = lineAt(account, { bytes, neededBytes, order });
    if (line !== null) return line;
    if (neededBytes > 0) neededBytes = account.charge(neededBytes);
  }
  return null;
}

/** Where in `account` a request has to wait that needs `neededBytes` there. */
function lineAt(
  account: Account,
  request: { readonly bytes: number; readonly neededBytes: number; readonly order: number },
): WaitingLine<Leaf> | null {
  const { bytes, neededBytes, order } = request;
  if (neededBytes > 0) {
    const hasRoom = account.hasRoomFor(account.committedBytes + neededBytes) && !account.line.hasOlderThan(order);
    return hasRoom ? null : account.line;
  }
  return account.hasRoomForClaim(bytes) && !account.claims.hasOlderThan(order) ? null : account.claims;
}

/** Grants `bytes` for which `lineFor` found no line. */
export function take(leaf: Leaf, bytes: number): void {
  if (enter(leaf, bytes) === 0 && leaf.tree.busyLines.size > 0) servePath(leaf);
}

/** Takes bytes off the books and serves those who waited for them. */
export function give(leaf: Leaf, bytes: number): void {
  leaf.releasedBytes += bytes;
  leaf.tree.reservedBytes[leaf.where] -= bytes;
  if (leaf.heap !== null) enterHeap(leaf, leaf.heap, -bytes);
  let freedBytes = bytes;
  for (let account: Account | null = leaf; account !== null; account = account.parent) {
    account.reservedBytes -= bytes;
    if (freedBytes > 0) freedBytes = -account.commit(-freedBytes);
  }
  if (leaf.tree.busyLines.size > 0) servePath(leaf);
}

/** Lets a new request wait where it has to, and asks the consumers for room. */
export function enqueue(request: Request<Leaf>): void {
  const { owner, bytes, order } = request;
  const line = lineFor(owner, bytes, order);
  if (line === null) {
    take(owner, bytes);
    request.granted();
  } else {
    join(request, line);
    owner.tree.wake();
  }
}

/** Takes a request out of its line, unserved; those behind it may now pass. */
export function withdraw(request: Request<Leaf>): void {
  const account = accountOf(request);
  leave(request);
  servePath(account);
}

/** Lets those who wait for `account`, or for one above it, try again. */
export function servePath(account: Account): void {
  const { busyLines, wake } = account.tree;
  if (busyLines.size === 0) return;
  const withinMinimum = new Set<Leaf>();
  let isBelowMinimum = false;
  for (let each: Account | null = account; each !== null; each = each.parent) {
    if (each.parent === null) serve(each.tree.heap, { withinMinimum, everybody: isBelowMinimum });
    serve(each, { withinMinimum, everybody: isBelowMinimum });
    isBelowMinimum ||= each.committedBytes < each.minBytes;
  }
  for (const leaf of withinMinimum) servePath(leaf);
  if (busyLines.size > 0) wake();
}

/** The account a waiting request stands before. */
export function accountOf(request: Request<Leaf>): Account {
  const { heap } = request.owner;
  for (let account: Account | null = request.owner; account !== null; account = account.parent) {
    if (account.line === request.line || account.claims === request.line) return account;
  }
  if (heap !== null && (heap.line === request.line || heap.claims === request.line)) return heap;
  invariant(false, 'A request waits for no account of its path.');
}

/** Bytes that must come free at `account` before the oldest of `line` can pass there; 0 when nobody waits. */
export function shortfallBytes(account: Account, line: WaitingLine<Leaf>): number {
  const request = line.head;
  if (request === null) return 0;
  if (line === account.claims) return Math.max(0, account.reservedBytes + request.bytes - account.limitBytes);
  return Math.max(0, account.committedBytes + neededAt(account, request) - account.refreshOpen());
}

function neededAt(account: Account, request: Request<Leaf>): number {
  if (account === request.owner.heap) return request.owner.charge(request.bytes);
  let neededBytes = request.bytes;
  for (let each: Account = request.owner; each !== account; ) {
    neededBytes = each.charge(neededBytes);
    invariant(each.parent !== null, 'A request waits for an account outside its path.');
    each = each.parent;
  }
  return neededBytes;
}

/**
 * Enters granted bytes in the books. Returns what the root was charged: 0 when a minimum on the way had them set
 * aside.
 */
function enter(leaf: Leaf, bytes: number): number {
  let neededBytes = bytes;
  leaf.tree.reservedBytes[leaf.where] += bytes;
  if (leaf.heap !== null) enterHeap(leaf, leaf.heap, bytes);
  for (let account: Account | null = leaf; account !== null; account = account.parent) {
    account.reservedBytes += bytes;
    if (account.reservedBytes > account.peakBytes) account.peakBytes = account.reservedBytes;
    account.grantCount++;
    if (neededBytes > 0) neededBytes = account.commit(neededBytes);
  }
  return neededBytes;
}

/** Before the same is entered in the consumer's own books, by which it is reckoned. */
function enterHeap(leaf: Leaf, heap: HeapAccount, bytes: number): void {
  heap.reservedBytes += bytes;
  heap.commit(leaf.charge(bytes));
}

/** Lets those who wait for `account` try again. */
function serve(account: Account, options: { withinMinimum: Set<Leaf>; everybody: boolean }): void {
  if (account.claims.head !== null) serveLine(account.claims, { withinMinimum: options.withinMinimum });
  if (account.line.head !== null) serveLine(account.line, options);
  wakeAsItRegrows(account);
}

/** Serves one line; `withinMinimum` receives those whose bytes had been set aside. */
function serveLine(line: WaitingLine<Leaf>, options: { withinMinimum: Set<Leaf>; everybody?: boolean }): void {
  for (let request = line.head; request !== null; ) {
    const { owner, bytes, order, next }: Request<Leaf> = request;
    const stands = lineFor(owner, bytes, order);
    if (stands !== line) {
      leave(request);
      if (stands !== null) {
        join(request, stands);
      } else {
        if (enter(owner, bytes) === 0) options.withinMinimum.add(owner);
        request.granted();
      }
    } else if (!options.everybody) {
      return;
    }
    request = next;
  }
}

function join(request: Request<Leaf>, line: WaitingLine<Leaf>): void {
  line.join(request);
  request.owner.tree.busyLines.add(line);
  if (line.head === request) wakeAsItRegrows(accountOf(request));
}

function leave(request: Request<Leaf>): void {
  const line = request.line;
  invariant(line !== null, 'A request leaves that waits nowhere.');
  line.leave(request);
  if (line.head === null) request.owner.tree.busyLines.delete(line);
}

/** Where only the ceiling of regrowth is in the way, time will serve the oldest. */
function wakeAsItRegrows(account: Account): void {
  const head = account.line.head;
  if (account.regrowth === null || head === null) return;
  const totalBytes = account.committedBytes + neededAt(account, head);
  if (totalBytes <= account.limitBytes) account.regrowth.wakeAt(totalBytes, () => servePath(account));
}
