import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Request, WaitingLine } from './waiting-line.ts';

function request(order: number, { priority = 5 } = {}): Request<null> {
  return new Request({ owner: null, bytes: order + 1, priority, order, granted: () => {}, refused: () => {} });
}

function ordersIn(line: WaitingLine<null>): number[] {
  const orders: number[] = [];
  for (let each = line.head; each !== null; each = each.next) orders.push(each.order);
  return orders;
}

describe('WaitingLine', () => {
  it('keeps the order of age whoever joins and leaves, and the sum of what is asked', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(50)), fc.infiniteStream(fc.boolean()), (orders, leaves) => {
        const line = new WaitingLine<null>();
        let inside: Request<null>[] = [];
        for (const order of orders) {
          const joining = request(order);
          line.join(joining);
          inside.push(joining);
          if (leaves.next().value) line.leave(inside.splice(order % inside.length, 1)[0]!);
          inside = inside.sort((a, b) => a.order - b.order);
          expect(ordersIn(line)).toEqual(inside.map((each) => each.order));
          expect(line.bytes).toBe(inside.reduce((sum, each) => sum + each.bytes, 0));
          expect(line.hasOlderThan(25)).toBe(inside.some((each) => each.order < 25));
        }
      }),
    );
  });

  it('knows the most important of those who wait', () => {
    const line = new WaitingLine<null>();
    const [first, second] = [request(1, { priority: 7 }), request(2, { priority: 2 })];
    expect(line.leastPriority).toBe(Number.POSITIVE_INFINITY);
    line.join(first);
    line.join(second);
    expect(line.leastPriority).toBe(2);
    line.leave(second);
    expect(line.leastPriority).toBe(7);
  });

  it('lets nobody stand in two lines, nor leave where he does not stand', () => {
    const [one, other] = [new WaitingLine<null>(), new WaitingLine<null>()];
    const joining = request(1);
    one.join(joining);
    expect(() => other.join(joining)).toThrow('two lines');
    expect(() => other.leave(joining)).toThrow('does not stand in');
  });
});
