import { describe, expect, it } from 'vitest';
import { Books } from './books.ts';

describe('books', () => {
  it('take what the process holds when it has started for its baseline, and what grows later for drift', () => {
    const books = new Books();
    for (let second = 0; second < 30; second++)
      books.update(second * 1000, { heldBytes: 100 + second, reservedBytes: 20 });
    expect(books).toMatchObject({ baselineBytes: 109, driftBytes: 0 });
    for (let second = 30; second < 90; second++) books.update(second * 1000, { heldBytes: 150, reservedBytes: 20 });
    expect(books).toMatchObject({ baselineBytes: 109, driftBytes: 21 });
    books.update(90_000, { heldBytes: 60, reservedBytes: 20 });
    expect(books).toMatchObject({ baselineBytes: 40, driftBytes: 0 });
  });

  it('let retained bytes melt as they leave or are used again', () => {
    const books = new Books();
    for (let second = 0; second < 40; second++) books.update(second * 1000, { heldBytes: 300, reservedBytes: 200 });
    books.retain(80);
    books.update(41_000, { heldBytes: 300, reservedBytes: 120 });
    expect(books.retainedBytes).toBe(80);
    books.update(42_000, { heldBytes: 300, reservedBytes: 150 });
    expect(books.retainedBytes).toBe(50);
    books.update(43_000, { heldBytes: 260, reservedBytes: 150 });
    expect(books.retainedBytes).toBe(10);
    for (let second = 44; second < 90; second++) books.update(second * 1000, { heldBytes: 260, reservedBytes: 150 });
    expect(books).toMatchObject({ baselineBytes: 100, driftBytes: 0, retainedBytes: 10 });
  });

  it('have no baseline below zero when more is reserved than resident', () => {
    const books = new Books();
    books.update(0, { heldBytes: 50, reservedBytes: 80 });
    expect(books).toMatchObject({ baselineBytes: 0, driftBytes: 0, retainedBytes: 0 });
  });
});
