import { describe, expect, it } from 'vitest';
import { Books } from './books.ts';

/** One reading a second. */
class Readings {
  readonly books = new Books();
  #second = 0;

  take(heldBytes: number, reservedBytes: number, { seconds = 1 } = {}): void {
    for (let left = seconds; left > 0; left--) this.books.update(this.#second++ * 1000, { heldBytes, reservedBytes });
  }
}

describe('books', () => {
  it('take what the process holds when it has started for its baseline, and what grows later for drift', () => {
    const readings = new Readings();
    for (let second = 0; second < 30; second++) readings.take(100 + second, 20);
    expect(readings.books).toMatchObject({ baselineBytes: 109, driftBytes: 0, outsideBytes: 109 });
    readings.take(150, 20, { seconds: 60 });
    expect(readings.books).toMatchObject({ baselineBytes: 109, driftBytes: 21, outsideBytes: 130 });
  });

  it('lower the baseline for what stays lower, not for a holder that reserves before it fills', () => {
    const readings = new Readings();
    readings.take(300, 200, { seconds: 40 });
    readings.take(300, 280, { seconds: 10 });
    expect(readings.books).toMatchObject({ baselineBytes: 100, outsideBytes: 20 });
    readings.take(380, 280, { seconds: 60 });
    expect(readings.books).toMatchObject({ baselineBytes: 100, driftBytes: 0, outsideBytes: 100 });
    readings.take(340, 280, { seconds: 700 });
    expect(readings.books).toMatchObject({ baselineBytes: 60, driftBytes: 0 });
  });

  it('take for retained what is still here when the response is over', () => {
    const readings = new Readings();
    readings.take(300, 200, { seconds: 40 });
    readings.books.free(80);
    readings.take(300, 120);
    expect(readings.books.retainedBytes).toBe(80);
    readings.take(230, 120);
    expect(readings.books.retainedBytes).toBe(10);
    expect(readings.books.settle()).toBe(10);
    readings.take(230, 120, { seconds: 90 });
    expect(readings.books).toMatchObject({ baselineBytes: 100, driftBytes: 0, retainedBytes: 10 });
  });

  it('let retained bytes melt as they leave or are used again', () => {
    const readings = new Readings();
    readings.take(300, 200, { seconds: 40 });
    readings.books.free(80);
    readings.take(300, 120);
    expect(readings.books.settle()).toBe(80);
    readings.take(300, 150);
    expect(readings.books.retainedBytes).toBe(50);
    readings.take(260, 150);
    expect(readings.books.retainedBytes).toBe(10);
  });

  it('let them melt by what grows too: bytes that were there would have served it', () => {
    const readings = new Readings();
    readings.take(300, 200, { seconds: 40 });
    readings.books.free(80);
    readings.take(300, 120);
    readings.books.settle();
    readings.take(330, 120, { seconds: 40 });
    expect(readings.books).toMatchObject({ baselineBytes: 100, retainedBytes: 50 });
  });

  it('take garbage that comes and goes for neither', () => {
    const readings = new Readings();
    readings.take(300, 200, { seconds: 40 });
    readings.books.free(80);
    readings.take(300, 120);
    readings.books.settle();
    for (let second = 0; second < 120; second++) readings.take(300 + 3 * (second % 20), 120);
    expect(readings.books).toMatchObject({ driftBytes: 0, retainedBytes: 80 });
  });

  it('have no baseline below zero when more is reserved than resident', () => {
    const readings = new Readings();
    readings.take(50, 80);
    expect(readings.books).toMatchObject({ baselineBytes: 0, driftBytes: 0, retainedBytes: 0 });
  });
});
